import EnergyModels
import Foundation
import RandomStreams
import VectorMath

/// What a training says of itself where it runs, but hardly as it was meant.
enum TrainingAdvice {
    /// Noise levels go from almost none to a standard deviation of 1, so that data of another size are all noise or none.
    private static let largestSize = 2.0
    private static let smallestDeviation = 0.02
    /// A network that says nothing has a loss of 1, an energy of well scaled data one of a few.
    private static let largestLoss = 8.0

    /// Before the first step: of the data, and of threads that have nothing to do.
    static func atStart(_ spec: TrainingSpec, data: TrainingData, threads: Int) -> [String] {
        let (mean, deviation) = moments(of: data, seed: spec.seed)
        var advice: [String] = []
        if (mean * mean + deviation * deviation).squareRoot() > largestSize || deviation < smallestDeviation {
            let (mean, deviation) = (String(format: "%.3g", mean), String(format: "%.3g", deviation))
            advice.append(
                "the data have coordinates of mean \(mean) and standard deviation \(deviation), and noise levels are made "
                    + "for data near 0 and 1: scale them, (x - \(mean)) / \(deviation), and the samples back")
        }
        let busy = min(threads, 8)
        if spec.shards < busy {
            advice.append(
                "the batch of \(spec.batch) is \(spec.shards) shard\(spec.shards == 1 ? "" : "s") of \(spec.shard), so that "
                    + "\(spec.shards) of \(threads) threads compute; a batch that is a multiple of 8 makes 8 shards, "
                    + "and \"shard\" sets their size")
        }
        return advice
    }

    /// Of the first loss.
    static func afterFirstStep(loss: Double, _ spec: TrainingSpec) -> String? {
        guard spec.network.architecture.kind == .energy, loss > largestLoss else { return nil }
        let loss = String(format: "%.3g", loss)
        return "the first loss is \(loss), and 1 is that of a network that says nothing: scale the data to a standard "
            + "deviation near 1, or lower the energy's \"scale\""
    }

    /// Over all coordinates of some thousand points: the mean, and the root of the mean variance about each coordinate's.
    private static func moments(of data: TrainingData, seed: UInt64) -> (mean: Double, deviation: Double) {
        let count = max(64, min(4096, (1 << 20) / data.dimension))
        var points = LaneMatrix(rows: data.dimension, lanes: count)
        var labels = [Int32](repeating: 0, count: count)
        data.draw(RandomStream(seed: seed, firstChain: 0), iteration: 0, points: &points, labels: &labels)
        var (mean, variance) = (0.0, 0.0)
        for row in 0..<data.dimension {
            let values = (0..<count).map { points[row, $0] }
            let own = values.reduce(0, +) / Double(count)
            mean += own / Double(data.dimension)
            variance += values.reduce(0) { $0 + ($1 - own) * ($1 - own) } / Double(count * data.dimension)
        }
        return (mean, variance.squareRoot())
    }
}
