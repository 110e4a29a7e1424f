import StrictJSON

/// The points that a finished run has kept of some chains on their way: `trace` of its statistics, [blocks, chains, levels,
/// …shape].
final class FinishedTrace {
    /// The chains, ascending.
    let chains: [Int]
    /// How many levels their points were kept at, the noisiest first.
    let levels: Int
    private let array: NpyReader
    private let block: Int

    /// Throws `.malformed` where the run has kept none.
    init(_ records: FinishedRecords, folder: String) throws(RunFolderError) {
        guard try records.columns(of: RunStatistic.trace) > 0 else {
            throw RunFolderError(
                .malformed, path: folder,
                reason: "the run kept no points on the way; run a job with \"output\": {\"trace\": [levels]}")
        }
        array = try records.array(of: RunStatistic.trace)
        let shape = array.header.shape
        guard let block = Self.block(ofJob: records.canonicalJob), shape.count > 3 else {
            throw RunFolderError(.malformed, path: folder, reason: "its job and its trace don't fit each other")
        }
        let kept = shape[1]
        levels = shape[2]
        self.block = block
        chains = (0..<records.summary.chains).filter { $0 % block < kept }
    }

    /// Where a chain stood when it left a level, [...shape].
    ///
    /// - Parameters:
    ///   - chain: one of ``chains``.
    ///   - level: its place among the levels.
    func point(ofChain chain: Int, at level: Int) throws(RunFolderError) -> [Float] {
        let shape = array.header.shape
        let size = shape[3...].reduce(1, *)
        let place = (chain / block * shape[1] + chain % block) * levels + level
        return try array.numbers(place * size..<(place + 1) * size)
    }

    /// Chains of a block, as the job says.
    private static func block(ofJob text: [UInt8]) -> Int? {
        guard case .object(let members)? = (try? JSONParser.parse(text))?.value,
            case .number(let number)? = members.first(where: { $0.name == "block" })?.node.value
        else { return nil }
        return Int(number).flatMap { $0 > 0 ? $0 : nil }
    }
}
