import VectorMath

extension OptimizerSettings {
    /// The learning rate of a step, counted from 0, of a training of `iterations` steps.
    ///
    /// The warm-up rises as (step + 1) / warmup; over the rest the cosine decay is
    /// final + (rate - final) (1 + cos(pi progress)) / 2 (Loshchilov and Hutter 2017, without restarts).
    func learningRate(step: Int, of iterations: Int) -> Double {
        if step < warmup { return learningRate * Double(step + 1) / Double(warmup) }
        switch decay {
        case .constant: return learningRate
        case .cosine:
            let progress = Double(step - warmup) / Double(iterations - warmup)
            let cosine = Elementary.cosine(ofTurns: progress / 2)
            return finalLearningRate + (learningRate - finalLearningRate) * (1 + cosine) / 2
        }
    }
}
