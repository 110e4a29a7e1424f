import ContentHash
import EnergyModels
package import JobFile
package import RunFolder
import Sampling

extension Job {
    /// What the job's folder needs to know.
    package var description: RunDescription {
        let text = Array(canonicalText.utf8)
        return RunDescription(
            canonicalJob: text, jobHash: identity.hex, name: name, chains: chains, draws: draws,
            shape: shape.lengths, levels: levels, block: block, statistics: statistics.map(RunStatistic.init),
            selects: sampler.population != nil)
    }
}

extension RunStatistic {
    fileprivate init(_ array: StatisticArray) {
        let element: NpyElementType =
            switch array.element {
            case .float32: .float32
            case .float64: .float64
            case .int32: .int32
            }
        self.init(
            name: array.name, rows: array.rows == .chains ? .chains : .blocks, element: element,
            columns: array.columns)
    }
}
