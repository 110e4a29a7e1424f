package import TensorGraph

/// A network's energy and its gradient, written down for a number of points that are evaluated together.
package struct NetworkGraph {
    /// E(x, t) of each point, [rows, 1]; nil for a network without an energy.
    package let energy: Value?
    /// The prediction of the noise, dE/dx where there is an energy: [rows, dimension].
    package let gradient: Value

    /// - Parameters:
    ///   - description: what the model file says of a network that is no classifier.
    ///   - parameters: in the order of `description.architecture.parameters`.
    ///   - points: [rows, dimension].
    ///   - levels: indices of the noise level: one for all points, or one for each of equal groups of neighbours.
    ///   - labels: indices of the label likewise; the number of classes means no label. For a network with classes
    ///     alone.
    package init(
        _ description: NetworkDescription, parameters: [Value], points: Value, levels: Value, labels: Value? = nil
    ) {
        guard let form = description.energy else { preconditionFailure("a classifier has no energy") }
        let network = description.architecture.form
        let arranged = network.arranged(points)
        let output = network.output(parameters: parameters, points: arranged, levels: levels, labels: labels)
        let scale = Float(form.scale)
        guard form.kind != .noise else {
            let prediction = scale * network.points(output)
            energy = nil
            gradient = Self.noise(form.prediction, prediction, points, levels, NoiseSchedule(description.schedule))
            return
        }
        // The order of a point's numbers is the network's own: their sums are all that counts.
        let (x, f) = (arranged.reshape(points.shape), output.reshape(points.shape))
        let energy =
            switch form.kind {
            case .denoising: scale * ((x - f) * (x - f)).sum(-1)
            case .squaredNorm: 0.5 * scale * (f * f).sum(-1)
            case .innerProduct, .noise: scale * (x * f).sum(-1)
            }
        self.energy = energy
        gradient = energy.graph.gradient(of: energy, withRespectTo: [points])[0]
    }

    /// The noise that follows from what a network predicts, [rows, dimension].
    private static func noise(
        _ kind: NetworkDescription.Energy.Prediction, _ prediction: Value, _ points: Value, _ levels: Value,
        _ schedule: NoiseSchedule
    ) -> Value {
        func column(_ number: (NoiseLevel) -> Double) -> Value {
            let numbers = schedule.levels.map { Float(number($0)) }
            return points.graph.constant(Tensor(shape: [numbers.count, 1], values: numbers)).gather(levels)
                .spread(over: points.shape[0])
        }
        return switch kind {
        case .epsilon: prediction
        case .v: column(\.signal) * prediction + column(\.noise) * points
        case .sample: column { 1 / $0.noise } * points - column { $0.signal / $0.noise } * prediction
        }
    }
}

extension NetworkGraph {
    /// What a plan is made of that has the points as input 0, and the level and the labels of `groups` equal groups of
    /// them as indices 0 and 1, and gives the gradient as output 0 and, where there is one, the energy as output 1.
    static func written(
        _ description: NetworkDescription, in graph: Graph, parameters: [Value], rows: Int, groups: Int
    ) -> (inputs: [Value], outputs: [Value]) {
        let points = graph.input([rows, description.architecture.dimension], rate: .evaluation)
        let level = graph.indices(1, rate: .level)
        let labels = description.architecture.conditions.map { _ in graph.indices(groups, rate: .level) }
        let network = NetworkGraph(
            description, parameters: parameters, points: points, levels: level, labels: labels)
        return (
            [points, level] + (labels.map { [$0] } ?? []),
            [network.gradient] + (network.energy.map { [$0] } ?? [])
        )
    }
}
