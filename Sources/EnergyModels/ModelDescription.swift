/// What a job says of one of its models: the leaf of a composition.
public enum ModelDescription: Sendable, Equatable {
    /// A Gaussian with mean [d] and a symmetric positive definite covariance [d][d] (row by row).
    case gaussian(mean: [Double], covariance: [[Double]])

    /// K components with means [K][d], standard deviations [K][d] (above zero) along the axes, and
    /// weights [K] (above zero, normalised when evaluated).
    case gaussianMixture(means: [[Double]], standardDeviations: [[Double]], weights: [Double])

    /// The uniform density on the box with corners low [d] and high [d], low below high.
    case uniformBox(low: [Double], high: [Double])

    /// The network of the model file with this SHA-256 (64 hexadecimal digits): what the file says of it, and
    /// the label that it is conditioned on, below the number of classes; nil for none.
    case network(sha256: String, NetworkDescription, label: Int?)

    /// The number of coordinates of a point.
    public var dimension: Int {
        switch self {
        case .gaussian(let mean, _): mean.count
        case .gaussianMixture(let means, _, _): means.first?.count ?? 0
        case .uniformBox(let low, _): low.count
        case .network(_, let description, _): description.architecture.dimension
        }
    }

    /// Whether the model tells the log density, not its score alone.
    public var hasEnergy: Bool {
        if case .network(_, let description, _) = self { description.energy.kind != .noise } else { true }
    }
}
