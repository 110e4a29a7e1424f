import StrictJSON

/// The samples of a finished run and what its statistics tell of each, for those who look at them.
final class FinishedSamples {
    let folder: String
    let summary: RunSummary
    private let samples: NpyReader
    private let statistics: NpzReader

    /// Opens a run whose files have proved to be what was written; all are read to their end.
    ///
    /// Throws `.missing` for a folder without a finished run, `.malformed` for a damaged one, `.inputOutput`.
    init(folder: String) throws(RunFolderError) {
        switch try RunFolder.content(of: folder) {
        case .finished: break
        case .damaged(_, let reason):
            throw RunFolderError(
                .malformed, path: folder, reason: "holds a damaged run (\(reason)); submit its job with --force")
        case .absent, .empty, .foreign:
            throw RunFolderError(
                .missing, path: folder,
                reason: "holds no finished run; give the folder that \"rrr-coordinator submit\" has written")
        }
        let summary = try RunFolder.summary(in: folder)
        let statistics = try NpzReader(path: Folder.path(folder, RunFolder.statisticsName))
        samples = try NpyReader(path: Folder.path(folder, RunFolder.samplesName))
        self.folder = folder
        self.summary = summary
        self.statistics = statistics
    }

    /// A sample, [...shape].
    func callAsFunction(_ sample: SampleIndex) throws(RunFolderError) -> [Float] {
        try samples.numbers(sample.numbers(draws: summary.draws, dimension: summary.shape.reduce(1, *)))
    }

    /// A number for each row of the samples by which they can be put in order, [chains]; not finite where there is none.
    ///
    /// Throws `.malformed` when the run has no such statistic.
    func keys(_ order: SampleOrder) throws(RunFolderError) -> [Double] {
        var keys: [Double]
        switch order {
        case .chain, .label: return (0..<summary.chains).map(Double.init)
        case .acceptance: keys = try means(of: RunStatistic.acceptance)
        case .logDensity: keys = try means(of: RunStatistic.logDensity)
        case .divergences: keys = try means(of: RunStatistic.divergences)
        }
        guard keys.contains(where: \.isFinite) else {
            throw RunFolderError(
                .malformed, path: folder,
                reason: "the run has no \(order.rawValue) of any chain; put the pictures in another order")
        }
        guard let selected = try statistics.array(RunStatistic.selected) else { return keys }
        // Statistics are of the chains, and the samples some of these.
        let rows: [Int32] = try selected.all()
        let ofChains = keys
        keys = rows.map { ofChains.indices.contains(Int($0)) ? ofChains[Int($0)] : .nan }
        return keys
    }

    /// Of each row the mean of the numbers that are finite.
    private func means(of statistic: String) throws(RunFolderError) -> [Double] {
        guard let array = try statistics.array(statistic), array.header.rows == summary.chains else {
            throw RunFolderError(
                .malformed, path: Folder.path(folder, RunFolder.statisticsName),
                reason: "has no \(statistic) of the chains")
        }
        let size = array.header.rowSize
        let step = max(1, File.pieceSize / max(1, size))
        var means: [Double] = []
        for first in stride(from: 0, to: summary.chains, by: step) {
            let rows = first..<min(first + step, summary.chains)
            let numbers: [Double] =
                switch array.header.elementType {
                case .float32: try array.rows(rows, as: Float.self).map(Double.init)
                case .int32: try array.rows(rows, as: Int32.self).map(Double.init)
                default: try array.rows(rows)
                }
            for start in stride(from: 0, to: numbers.count, by: size) {
                let finite = numbers[start..<start + size].filter(\.isFinite)
                means.append(finite.isEmpty ? .nan : finite.reduce(0, +) / Double(finite.count))
            }
        }
        return means
    }

    /// The labels that the run's job names, of its networks and its classifiers, in the order of its text.
    func labels() throws(RunFolderError) -> [Int] {
        let file = try File(Folder.path(folder, RunFolder.jobName), for: .reading)
        let text: [UInt8] = try file.read(count: try file.size(), at: 0)
        guard let root = try? JSONParser.parse(text) else { return [] }
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
public enum SampleOrder: String, Sendable, CaseIterable {
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
