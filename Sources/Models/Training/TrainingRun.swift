import EnergyModels

/// A training on its way: parameters, optimizer and recent losses.
///
/// A step depends on the spec, the data and the steps before it alone, not on threads or interruptions.
package struct TrainingRun {
    /// The mean loss is told over so many steps.
    static let recent = 100

    /// Parameters, their moments and their average.
    private(set) var optimizer: Adam
    /// Losses of the last steps, at most ``recent``: the mean over rows and dimensions of (dE/dx - eps)^2, or a
    /// classifier's mean over rows of -log p(label).
    private(set) var losses: [Double]

    private let spec: TrainingSpec
    private let crew: BatchCrew
    private let holdsOut: Bool
    private var gradient: [Float]

    /// At the first step, on data that the spec names. - Throws: ``TrainingError`` with exit status 65 or 66.
    package init(_ spec: TrainingSpec, threads: Int) throws(TrainingError) {
        let start = try StartingModel.load(of: spec)
        try self.init(spec, data: try TrainingData(spec), threads: threads, start: start?.parameters)
    }

    /// At the first step. - Parameter start: the weights to start from; nil for new ones.
    init(_ spec: TrainingSpec, data: TrainingData, threads: Int, start: [Float]? = nil) throws(TrainingError) {
        try self.init(
            spec, data: data, threads: threads,
            optimizer: Adam(parameters: start ?? InitialWeights.draw(spec.network, seed: spec.seed)), losses: [])
    }

    /// Where an earlier run stopped.
    init(
        _ spec: TrainingSpec, data: TrainingData, threads: Int, optimizer: Adam, losses: [Double]
    ) throws(TrainingError) {
        self.spec = spec
        self.optimizer = optimizer
        self.losses = losses
        gradient = [Float](repeating: 0, count: optimizer.parameters.count)
        holdsOut = data.holdsOut
        crew = try BatchCrew(spec, data: data, parameters: gradient.count, threads: threads)
    }

    /// Steps taken.
    var steps: Int { optimizer.steps }

    /// The mean of ``losses``; NaN before the first step.
    var meanLoss: Double { losses.reduce(0, +) / Double(losses.count) }

    /// Takes one step. - Throws: ``TrainingError`` with exit status 2 if it leads nowhere; nothing has moved then.
    package mutating func step() throws(TrainingError) {
        try step(
            loss: crew.evaluate(iteration: steps, parameters: optimizer.parameters, gradient: &gradient),
            gradient: gradient)
    }

    /// The loss of the parameters' average on the batch that is held out; nil where the data have none.
    mutating func heldOutLoss() -> Double? {
        guard holdsOut else { return nil }
        let sum = crew.evaluate(
            iteration: TrainingData.heldOutIteration, parameters: optimizer.average, gradient: &gradient)
        return sum / Double(spec.batch)
    }

    /// Takes the step that follows from a batch's loss and gradient, both summed over its rows.
    mutating func step(loss sum: Double, gradient: [Float]) throws(TrainingError) {
        let rows = Double(spec.batch)
        let loss = sum / rows
        let norm = Gradient.norm(gradient) / rows
        guard loss.isFinite, norm.isFinite else {
            let clip = spec.optimizer.clipNorm == nil ? ", or set \"clip_norm\": 1" : " or \"clip_norm\""
            throw TrainingError(
                exitStatus: 2,
                "iteration \(steps): the \(loss.isFinite ? "gradient" : "loss") is not finite; "
                    + "try a lower \"learning_rate\"\(clip)")
        }
        // The small number is PyTorch's, clip_grad_norm_.
        let clipping = spec.optimizer.clipNorm.map { min(1, $0 / (norm + 1e-6)) } ?? 1
        optimizer.step(
            gradient: gradient, scale: Float(clipping / rows),
            rate: spec.optimizer.learningRate(step: steps, of: spec.iterations), settings: spec.optimizer,
            ema: spec.ema)
        losses.append(loss)
        losses.removeFirst(max(0, losses.count - Self.recent))
    }
}
