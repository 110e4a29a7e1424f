import EnergyModels
import VectorMath

extension ChainState {
    /// The mean of the data that a noisy point comes from, by Tweedie's formula (Robbins 1956; Efron 2011):
    /// x_0 = (x + sigma_t^2 s(x, t)) / sqrt(abar_t), with the score that the chains have anyway.
    ///
    /// The formula holds for the noised version of one density of data. The noised version of a product is not the product
    /// of the noised factors, whose score this is for a composition: there it gives a point with less noise near by, which
    /// is no mean of data.
    ///
    /// The chains stay where they are. One whose mean is not finite, as a float, counts as diverged and is given as it
    /// stands.
    ///
    /// - Parameter level: the level t that the evaluation is of.
    /// - Returns: [dimension][lanes].
    mutating func denoised(at level: NoiseLevel) -> LaneMatrix {
        var means = position
        means.combine(level.noiseVariance / level.signal, evaluation.score, keeping: 1 / level.signal)
        for lane in divergences.indices {
            let isFinite = (0..<means.rows).allSatisfy { Float(means[$0, lane]).isFinite }
            guard !isFinite else { continue }
            divergences[lane] += 1
            for row in 0..<means.rows { means[row, lane] = position[row, lane] }
        }
        return means
    }
}
