import ContentHash
import EnergyModels
import ModelTransfer
import Safetensors
import Synchronization

/// The networks that are in use in this process, each loaded once.
final class NetworkLibrary: Sendable {
    private struct Entry: Sendable {
        weak var network: Network?
    }

    private let entries = Mutex<[Digest: Entry]>([:])

    /// The network of a model file; several jobs with the same file share it. - Throws: ``SafetensorsError``.
    func network(_ model: StoredModel) throws(SafetensorsError) -> Network {
        if let network = entries.withLock({ $0[model.digest]?.network }) { return network }
        let network = try Network(NetworkFile(path: model.path))
        entries.withLock { entries in
            entries = entries.filter { $0.value.network != nil }
            entries[model.digest] = Entry(network: network)
        }
        return network
    }
}
