import ContentHash
import Pictures
import StrictJSON

@testable import RunFolder

/// A run of 10 chains of two draws each, pictures of 3 x 4 x 5 whose numbers tell which they are.
enum ImageRun {
    static let shape = [3, 4, 5]
    static let pixels = 60
    static let text = Array(#"{"models":{"a":{"label":3},"b":{"label":1}},"rrr":1}"#.utf8)

    static func description(
        grid: SheetGrid = SheetGrid(rows: 2, columns: 4), selects: Bool = false, isPicture: Bool = true,
        isTraced: Bool = false, text: [UInt8] = text
    ) -> RunDescription {
        RunDescription(
            canonicalJob: text, jobHash: SHA256.hash(of: text).hex, name: "images", chains: 10, draws: 2, shape: shape,
            levels: SmallRun.levels, block: 4, statistics: SmallRun.statistics + (isTraced ? [trace] : []),
            selects: selects,
            picture: isPicture ? SheetLayout(grid, shape: shape) : nil)
    }

    /// A tone for each coordinate, from -1 to 1.
    static func picture(_ chain: Int, _ draw: Int) -> [Float] {
        (0..<pixels).map { Float(Double((chain * 83 + draw * 29 + $0 * 7) % 256) / 127.5 - 1) }
    }

    /// Of the first three chains of a block at two levels.
    static let trace = RunStatistic(
        name: RunStatistic.trace, rows: .blocks, element: .float32, axis: .trace(chains: 3, levels: 2, shape: shape))

    static func block(_ chains: Range<Int>, isTraced: Bool = false) -> BlockRecord {
        var block = SmallRun.block(chains)
        if isTraced {
            block.statistics[trace.name] =
                (0..<3).flatMap { lane -> [Float] in
                    let chain = chains.lowerBound + lane
                    guard chains.contains(chain) else { return [Float](repeating: .nan, count: 2 * pixels) }
                    return (0..<2).flatMap { picture(chain + 40, $0) }
                }.littleEndianBytes
        }
        block.samples = chains.flatMap { chain in (0..<2).flatMap { picture(chain, $0) } }.littleEndianBytes
        return block
    }

    /// Runs it whole.
    @discardableResult
    static func finish(
        in folder: String, _ description: RunDescription = description(), order: [Int] = [0, 1, 2],
        selection: [Int]? = nil
    ) throws -> RunSummary {
        let run = try RunStaging(folder: folder, description: description)
        let isTraced = description.statistics.contains(trace)
        for index in order { try run.record(block([0..<4, 4..<8, 8..<10][index], isTraced: isTraced)) }
        return try finish(run, selection: selection)
    }

    static func finish(_ run: RunStaging, selection: [Int]? = nil) throws -> RunSummary {
        var conclusion = SmallRun.conclusion
        conclusion.population = selection.map {
            RunConclusion.PopulationResult(
                selection: $0,
                logNormalizer: RunSummary.LogNormalizer(estimate: 1, standardError: nil, perLevel: [1, 1, 1]),
                effectiveSize: 5, ancestors: 5)
        }
        return try run.finish(provenance: SmallRun.provenance, conclusion: conclusion)
    }

    /// The sheet that shows these pictures.
    static func sheet(_ rows: Int, _ columns: Int, _ pictures: [[Float]]) throws -> PNGImage? {
        guard let layout = SheetLayout(SheetGrid(rows: rows, columns: columns), shape: shape) else { return nil }
        var sheet = PictureSheet(layout)
        for (cell, picture) in pictures.enumerated() { sheet.paint(picture[...], cell: cell) }
        return sheet.image
    }
}
