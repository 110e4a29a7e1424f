/// What a job says of one of its models: the leaf of a composition.
package enum ModelDescription: Sendable, Equatable {
    /// A Gaussian with a mean and a symmetric positive definite covariance [d][d] (row by row), d coordinates in C order.
    case gaussian(mean: PointArray, covariance: [[Double]])

    /// A Gaussian whose coordinates are independent, with standard deviations above zero.
    case independentGaussian(mean: PointArray, standardDeviations: PointArray)

    /// K components with means [K], standard deviations [K] (above zero) along the axes, and weights [K] (above zero,
    /// normalised when evaluated).
    case gaussianMixture(means: [PointArray], standardDeviations: [PointArray], weights: [Double])

    /// The uniform density on the box with corners low and high, low below high.
    case uniformBox(low: PointArray, high: PointArray)

    /// The shape of a point.
    package var shape: PointShape {
        switch self {
        case .gaussian(let mean, _), .independentGaussian(let mean, _): mean.shape
        case .gaussianMixture(let means, _, _): means[0].shape
        case .uniformBox(let low, _): low.shape
        }
    }

    /// The most numbers in means, standard deviations and corners of all exact models of a job: what a line of text may
    /// stretch has to fit memory.
    package static let mostNumbers = 1 << 24

    /// Numbers in its means, standard deviations and corners.
    package var numberCount: Int {
        switch self {
        case .gaussian: shape.dimension
        case .independentGaussian, .uniformBox: 2 * shape.dimension
        case .gaussianMixture(let means, _, _): 2 * means.count * shape.dimension
        }
    }

    /// The arrays that it takes from files, as often as it takes them.
    package var storedArrays: [StoredArray] {
        let arrays =
            switch self {
            case .gaussian(let mean, _): [mean]
            case .independentGaussian(let mean, let deviations): [mean, deviations]
            case .gaussianMixture(let means, let deviations, _): means + deviations
            case .uniformBox(let low, let high): [low, high]
            }
        return arrays.compactMap { if case .stored(let array, _) = $0.source { array } else { nil } }
    }

    /// The density that this description names.
    package func density() -> any Density {
        switch self {
        case .gaussian(let mean, let covariance):
            Gaussian(mean: mean.values, covariance: covariance, shape: shape)
        case .independentGaussian(let mean, let deviations):
            GaussianMixture(
                means: [mean.values], standardDeviations: [deviations.values], weights: [1], shape: shape)
        case .gaussianMixture(let means, let deviations, let weights):
            GaussianMixture(
                means: means.map(\.values), standardDeviations: deviations.map(\.values), weights: weights,
                shape: shape)
        case .uniformBox(let low, let high):
            UniformBox(low: low.values, high: high.values, shape: shape)
        }
    }
}
