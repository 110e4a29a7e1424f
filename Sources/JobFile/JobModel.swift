public import ContentHash
public import EnergyModels

/// A leaf of a job's composition.
public enum JobModel: Sendable, Equatable {
    /// A density that the job itself describes.
    case analytic(ModelDescription)
    /// The network of the model file with this SHA-256: what the file says of it, and the label that it is
    /// conditioned on, below the number of classes; nil for none.
    case network(Digest, NetworkDescription, label: Int?)

    /// The number of coordinates of a point.
    public var dimension: Int {
        switch self {
        case .analytic(let density): density.dimension
        case .network(_, let network, _): network.architecture.dimension
        }
    }

    /// Whether the model tells the log density, not its score alone.
    public var hasEnergy: Bool {
        switch self {
        case .analytic: true
        case .network(_, let network, _): network.energy.kind != .noise
        }
    }

    /// The density at every noise level.
    ///
    /// - Parameter network: loads the network of a model file.
    public func density<Failure>(
        network: (Digest) throws(Failure) -> Network
    ) throws(Failure) -> any Density {
        switch self {
        case .analytic(let density): density.density()
        case .network(let model, _, let label): try network(model).density(label: label)
        }
    }
}
