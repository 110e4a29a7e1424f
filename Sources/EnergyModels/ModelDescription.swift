/// What a job says of one of its models: the leaf of a composition.
public enum ModelDescription: Sendable, Equatable {
    /// A Gaussian with mean [d] and a symmetric positive definite covariance [d][d] (row by row).
    case gaussian(mean: [Double], covariance: [[Double]])

    /// K components with means [K][d], standard deviations [K][d] (above zero) along the axes, and
    /// weights [K] (above zero, normalised when evaluated).
    case gaussianMixture(means: [[Double]], standardDeviations: [[Double]], weights: [Double])

    /// The uniform density on the box with corners low [d] and high [d], low below high.
    case uniformBox(low: [Double], high: [Double])

    /// The number of coordinates of a point.
    public var dimension: Int {
        switch self {
        case .gaussian(let mean, _): mean.count
        case .gaussianMixture(let means, _, _): means.first?.count ?? 0
        case .uniformBox(let low, _): low.count
        }
    }
}
