import EnergyModels
import Foundation
import MachineCapacity
import RunFolder
import TensorGraph

/// The memory that a training takes, told before it is asked for: a system that has less ends the process without a word.
struct TrainingMemory {
    /// Bytes of what each thread works with, of all threads.
    let work: Int
    /// Bytes of the parameters, their moments, their average and the gradient of each shard.
    let parameters: Int
    /// Bytes of the points in a file, which are held whole; what can't be read is told of by whoever loads it.
    let data: Int

    /// Counts it. - Parameter threads: how many compute side by side.
    init(_ spec: TrainingSpec, threads: Int) {
        let benches = min(threads, spec.shards)
        let numbers = TrainingLoss.plan(spec.network, rows: spec.shard).numbers
        // A shard has its clean points and its noise in double precision, both as the network sees them, and their labels.
        let rows = spec.shard * (spec.network.architecture.dimension * 24 + 24)
        work = benches * (numbers * MemoryLayout<Float>.stride + rows)
        // Adam has four numbers for each; the sum of gradients is one, and the initial weights are drawn in doubles.
        parameters = spec.network.architecture.parameterCount * (spec.shards + 7) * MemoryLayout<Float>.stride
        data =
            switch spec.data {
            case .arrays(let points, _, _, _):
                (try? NpyReader(path: points).header).map { header in
                    header.shape.reduce(1, *)
                        * (header.elementType == .uint8 && header.shape.count > 2 ? 1 : MemoryLayout<Float>.stride)
                } ?? 0
            case .pictures(let folder, let labelled, _, _):
                (try? PictureFolder(folder, labelled: labelled, classes: spec.network.architecture.classes ?? 0))
                    .map { $0.files.count * spec.network.architecture.dimension } ?? 0
            case .density, .sprites: 0
            }
    }

    /// Refuses more than there is. - Throws: ``TrainingError`` with exit status 65.
    func check(limit: Int = MachineCapacity.availableMemory) throws(TrainingError) {
        let bytes = work + parameters + data
        guard bytes > limit else { return }
        let wish =
            data > max(work, parameters)
            ? "give fewer points"
            : work > parameters
                ? "make \"batch\" or \"shard\" smaller, or give fewer --threads"
                : "make the architecture or the number of shards smaller"
        throw TrainingError(
            exitStatus: 65,
            "the training would take about \(Self.gibibytes(bytes)) of memory, and "
                + "\(Self.gibibytes(limit)) are available; \(wish)")
    }

    private static func gibibytes(_ bytes: Int) -> String { String(format: "%.1f GiB", Double(bytes) / 0x1p30) }
}
