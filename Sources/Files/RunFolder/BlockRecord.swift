/// What came out of a block of chains of a run, or of several neighbouring ones.
package struct BlockRecord: Sendable, Equatable {
    /// The first of the chains: the first of a block.
    package var firstChain: Int
    /// How many chains, 1 or more: whole blocks.
    package var chains: Int
    /// float32, little-endian, [chains * draws * dimension].
    package var samples: [UInt8]
    /// Rows of the run's statistics, in their order.
    package var statistics: StatisticRows
    /// Gradients evaluated, all these chains together.
    package var gradientEvaluations: Int

    /// A record of these numbers; ``problem(in:)`` checks them.
    package init(firstChain: Int, chains: Int, samples: [UInt8], statistics: StatisticRows, gradientEvaluations: Int) {
        self.firstChain = firstChain
        self.chains = chains
        self.samples = samples
        self.statistics = statistics
        self.gradientEvaluations = gradientEvaluations
    }

    /// The same rows in fewer records: neighbours, in whatever order they come, are joined as long as the samples of
    /// one record stay within `bytes`.
    package static func joined(_ records: [BlockRecord], upTo bytes: Int) -> [BlockRecord] {
        var joined: [BlockRecord] = []
        for record in records.sorted(by: { $0.firstChain < $1.firstChain }) {
            guard let last = joined.last, last.firstChain + last.chains == record.firstChain,
                last.samples.count + record.samples.count <= bytes
            else {
                joined.append(record)
                continue
            }
            joined[joined.count - 1].append(record)
        }
        return joined
    }

    private mutating func append(_ next: BlockRecord) {
        chains += next.chains
        samples += next.samples
        statistics.append(next.statistics)
        gradientEvaluations += next.gradientEvaluations
    }

    /// Why these are no rows of that run; nil if they are.
    package func problem(in run: RunDescription) -> String? {
        guard firstChain >= 0, chains >= 1, firstChain < run.chains, chains <= run.chains - firstChain else {
            return "\(chains) chains from chain \(firstChain) on are not all among the run's \(run.chains)"
        }
        let end = firstChain + chains
        guard firstChain.isMultiple(of: run.block), end.isMultiple(of: run.block) || end == run.chains else {
            return "\(chains) chains from chain \(firstChain) on are not whole blocks of \(run.block)"
        }
        let blocks = (chains - 1) / run.block + 1
        let place = "for \(chains) chains from chain \(firstChain) on"
        // The products are no larger than those of the whole run, whose arrays could be made.
        let expected = chains * run.draws * run.dimension * MemoryLayout<Float>.size
        guard samples.count == expected else {
            return "\(samples.count) bytes of samples \(place), expected \(expected)"
        }
        let names = run.statistics.map(\.name)
        guard statistics.names == names else {
            return "not the statistics \(names.joined(separator: ", ")) \(place)"
        }
        for statistic in run.statistics {
            let rows = statistics[statistic.name] ?? []
            let expected = statistic.size(chains: chains, blocks: blocks)
            guard rows.count == expected else {
                return "\(rows.count) bytes of \(statistic.name) \(place), expected \(expected)"
            }
            guard statistic.element != .int32 || BlockRecord.areCounts(rows) else {
                return "a number of \(statistic.name) \(place) is negative"
            }
        }
        return gradientEvaluations >= 0 ? nil : "\(gradientEvaluations) gradient evaluations \(place)"
    }

    /// Whether no sample is NaN; a chain is double and the file is float32, so one may be infinite.
    package var samplesAreNumbers: Bool { samples.holdsOnly(Float.self) { $0 == $0 } }

    /// Whether none of these int32 is negative.
    private static func areCounts(_ rows: [UInt8]) -> Bool {
        var signs: Int32 = 0
        for count in [Int32](littleEndian: rows) { signs |= count }
        return signs >= 0
    }
}
