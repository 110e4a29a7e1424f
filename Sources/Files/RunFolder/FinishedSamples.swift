import StrictJSON

/// The samples of a finished run and what its statistics tell of each, for those who look at them.
final class FinishedSamples {
    let folder: String
    private let records: FinishedRecords

    var summary: RunSummary { records.summary }

    /// Opens a run as ``FinishedRecords`` does, with the same errors.
    init(folder: String) throws(RunFolderError) {
        self.folder = folder
        records = try FinishedRecords(folder)
    }

    /// A sample, [...shape].
    func callAsFunction(_ sample: SampleIndex) throws(RunFolderError) -> [Float] {
        try records.samples(numbered: sample.numbers(draws: summary.draws, dimension: summary.shape.reduce(1, *)))
    }

    /// The points that it has kept of chains on their way. Throws `.malformed` where there are none.
    func trace() throws(RunFolderError) -> FinishedTrace { try FinishedTrace(records, folder: folder) }

    /// A number for each row of the samples, or for each chain, by which they can be put in order, [chains]; not finite where
    /// there is none.
    ///
    /// Throws `.malformed` when the run has no such statistic.
    func keys(_ order: SampleOrder, ofChains: Bool = false) throws(RunFolderError) -> [Double] {
        var keys: [Double]
        switch order {
        case .chain, .label: return (0..<summary.chains).map(Double.init)
        case .acceptance:
            let levels = summary.acceptancePerLevel.count
            keys = try means(of: RunStatistic.acceptance, each: levels) { (rate: Float) in Double(rate) }
        case .logDensity: keys = try means(of: RunStatistic.logDensity) { (nats: Double) in nats }
        case .divergences: keys = try means(of: RunStatistic.divergences) { (count: Int32) in Double(count) }
        }
        guard keys.contains(where: \.isFinite) else {
            throw RunFolderError(
                .malformed, path: folder,
                reason: "the run has no \(order.rawValue) of any chain; put the pictures in another order")
        }
        // Statistics are of the chains, and the samples some of these.
        guard !ofChains, let selection = records.selection else { return keys }
        return selection.map { keys.indices.contains($0) ? keys[$0] : .nan }
    }

    /// Of each chain the mean of its numbers, `size` of them, that are finite.
    private func means<Element: NpyElement>(
        of statistic: String, each size: Int = 1, _ number: (Element) -> Double
    ) throws(RunFolderError) -> [Double] {
        var means: [Double] = []
        try records.forEachRows(of: statistic, as: Element.self) { numbers in
            for start in stride(from: 0, to: numbers.count, by: size) {
                let finite = numbers[start..<start + size].map(number).filter(\.isFinite)
                means.append(finite.isEmpty ? .nan : finite.reduce(0, +) / Double(finite.count))
            }
        }
        guard means.count == summary.chains else {
            throw RunFolderError(
                .malformed, path: Folder.path(folder, RunFolder.statisticsName),
                reason: "has no \(statistic) of the chains")
        }
        return means
    }

    /// The labels that the run's job names, of its networks and its classifiers, in the order of its text.
    func labels() -> [Int] {
        guard let root = try? JSONParser.parse(records.canonicalJob) else { return [] }
        return Self.labels(in: root)
    }

    private static func labels(in node: JSONNode) -> [Int] {
        switch node.value {
        case .array(let nodes): nodes.flatMap(labels)
        case .object(let members):
            members.flatMap { member -> [Int] in
                guard member.name == "label", case .number(let text) = member.node.value else {
                    return labels(in: member.node)
                }
                return [Int(text)].compactMap(\.self)
            }
        default: []
        }
    }
}

/// In which order pictures come: from the least to the most of something that is known of each.
package enum SampleOrder: String, Sendable, CaseIterable {
    /// The row in `samples.npy`.
    case chain
    /// The mean over levels of the part of the proposals that were accepted.
    case acceptance
    /// At the end, in nats.
    case logDensity = "log_density"
    /// Proposals that were not finite.
    case divergences
    /// Of whole runs: the labels that their jobs name.
    case label
}
