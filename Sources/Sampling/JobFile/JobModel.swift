package import ContentHash
package import EnergyModels
import StrictJSON

/// A leaf of a job's composition.
package enum JobModel: Sendable, Equatable {
    /// A density that the job itself describes.
    case analytic(ModelDescription)
    /// The network of the model file with this SHA-256: what the file says of it, and the label that it is
    /// conditioned on, below the number of classes; nil for none.
    case network(Digest, NetworkDescription, label: Int?)
    /// What a model server beside the worker evaluates.
    case server(ServerModel)

    /// The shape of a point.
    package var shape: PointShape {
        switch self {
        case .analytic(let density): density.shape
        case .network(_, let network, _): network.architecture.shape
        case .server(let server): server.shape
        }
    }

    /// The SHA-256 of each file that it takes numbers from.
    var files: [Digest] {
        switch self {
        case .analytic(let density): density.storedArrays.map(\.digest)
        case .network(let model, _, _): [model]
        case .server: []
        }
    }

    /// How many labels it tells apart if it is a classifier, which is no density but guides one; nil if it is none.
    package var classifierLabels: Int? {
        switch self {
        case .analytic, .server: nil
        case .network(_, let network, _):
            network.architecture.kind == .classifier ? network.architecture.classes : nil
        }
    }

    /// Whether a model server evaluates it.
    var isServed: Bool { if case .server = self { true } else { false } }

    /// Whether the model tells the log density, or as a classifier the log probability, not its score alone.
    package var hasEnergy: Bool {
        switch self {
        case .analytic: true
        case .network(_, let network, _): network.energy?.kind != .noise
        case .server(let server): server.gives == .energy
        }
    }

    /// The classifier that it is; nil if it is none.
    ///
    /// - Parameter network: loads the network of a model file; not called for another model.
    func classifier<Failure>(
        network: (Digest) throws(Failure) -> Network
    ) throws(Failure) -> (any Classifier)? {
        guard classifierLabels != nil, case .network(let model, _, _) = self else { return nil }
        return try network(model).classifier
    }

    /// The density at every noise level. Not for a classifier.
    ///
    /// - Parameters:
    ///   - network: loads the network of a model file.
    ///   - server: finds the server of a model that one evaluates.
    package func density<Failure>(
        network: (Digest) throws(Failure) -> Network,
        server: (ServerModel) throws(Failure) -> any ModelServer
    ) throws(Failure) -> any Density {
        switch self {
        case .analytic(let density): density.density()
        case .network(let model, _, let label): try network(model).density(label: label)
        case .server(let served):
            ServedModel(server: try server(served), condition: served.condition.canonical, shape: served.shape)
        }
    }
}
