import ContentHash
import EnergyModels

/// The memory that the networks of a job may take in a worker, all slots together: their weights, which are there once,
/// and what each slot computes with.
struct NetworkMemory: Sendable {
    let bytes: Int
    let slots: Int

    /// The networks of a job with the share of the memory that each evaluator has: that of a network, of the chains and
    /// of each of their replicas, in each slot.
    ///
    /// - Parameters:
    ///   - names: what the job calls each network.
    ///   - replicas: how many points of each chain there are at a time, at as many levels.
    /// - Throws: ``MemoryShortage`` if not even one point passes through a network in its share.
    func share(
        among networks: [Digest: Network], names: [Digest: String], replicas: Int
    ) throws(MemoryShortage) -> [Digest: Network] {
        let largest = networks.max {
            ($0.value.leastWork, names[$0.key] ?? "") < ($1.value.leastWork, names[$1.key] ?? "")
        }
        guard let largest else { return networks }
        let weights = networks.values.reduce(0) { $0 + $1.weightBytes }
        let evaluators = slots * networks.count * replicas
        let needed = weights + evaluators * largest.value.leastWork
        guard needed <= bytes else {
            throw MemoryShortage(network: names[largest.key] ?? "", needed: needed, given: bytes, slots: slots)
        }
        return networks.mapValues { $0.working(within: (bytes - weights) / evaluators) }
    }
}

/// Networks that do not fit into the memory that a worker may use.
struct MemoryShortage: Error, Equatable, CustomStringConvertible {
    /// The one that works with the most, by its name in the job.
    let network: String
    /// Bytes that the job's networks take at least.
    let needed: Int
    let given: Int
    let slots: Int

    var description: String {
        let wish = slots > 1 ? "raise --memory, or give fewer --slots" : "raise --memory, or start fewer workers"
        return "not even one point passes through network \"\(network)\" in the memory given: the job's networks take "
            + "\(Self.mebibytes(needed)) in \(slots) slot\(slots == 1 ? "" : "s"), and \(Self.mebibytes(given)) are "
            + "given; \(wish)"
    }

    private static func mebibytes(_ bytes: Int) -> String { "\((bytes + (1 << 20) - 1) >> 20) MiB" }
}
