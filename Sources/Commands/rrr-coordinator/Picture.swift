import ArgumentParser
import CommandFrame
import Pictures
package import RunFolder

struct Picture: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a sheet of pictures of finished runs of images.",
        discussion: """
            A run of images leaves samples.png, its first samples. This makes other sheets: more pictures, other chains or \
            draws, in the order of what is known of each chain, chains on their way over the levels, or several runs below \
            each other.
            """)

    @Argument(help: "The run's folder; of several runs each gets rows of its own.")
    var folders: [String]

    @Option(
        name: [.customLong("output"), .customLong("out")],
        help: "The file to write (default: picture.png in the run's folder; of several runs it must be named).")
    var output: String?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Rows, of each run where there are several, and columns.", valueName: "rows columns"))
    var grid: [Int] = []

    @Option(help: "From the least to the most of what.")
    var by = SampleOrder.chain

    @Flag(help: "From the most to the least.")
    var descending = false

    @Option(help: "Rows of samples.npy, such as 0-9,40 (default: all).")
    var chains: IndexList?

    @Option(help: "Draws of each chain, such as 0-9; the last, if left out, or some where chains are few.")
    var draws: IndexList?

    @Flag(help: "The points that a job with \"output\": {\"trace\": [levels]} kept, a row for each chain.")
    var trace = false

    func validate() throws {
        if folders.count > 1, output == nil {
            throw ValidationError("Of several runs --output must name the file to write.")
        }
        if folders.count == 1, by == .label {
            throw ValidationError(
                "--by label puts runs in the order of their labels, and all chains of a run have the same; give several "
                    + "folders.")
        }
        if trace, draws != nil {
            throw ValidationError("--trace shows points on the way to the first draw; leave out --draws.")
        }
        if !grid.isEmpty {
            guard grid.count == 2, grid.allSatisfy({ 1...SheetGrid.most ~= $0 }) else {
                throw ValidationError("--grid takes rows and columns, from 1 to \(SheetGrid.most), such as 8 8.")
            }
        }
    }

    func run() throws {
        try reportingFailure {
            var sheet = RunSheet()
            if grid.count == 2 { sheet.grid = SheetGrid(rows: grid[0], columns: grid[1]) }
            (sheet.order, sheet.isDescending) = (by, descending)
            (sheet.chains, sheet.draws, sheet.isTrace) = (chains?.indices, draws?.indices, trace)
            let path = output ?? folders[0] + "/picture.png"
            try RunFolder.write(try sheet.image(of: folders), to: path)
            try printResult(path)
        }
    }
}

extension SampleOrder: ExpressibleByArgument {}

/// Numbers and ranges of them, separated by commas: `0-9,40`.
struct IndexList: ExpressibleByArgument {
    /// The most numbers of a list.
    private static let most = 1 << 24

    let indices: [Int]

    init?(argument: String) {
        var indices: [Int] = []
        for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { Int($0) }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, first >= 0, last >= first,
                last - first < Self.most - indices.count
            else { return nil }
            indices += first...last
        }
        self.indices = indices
    }
}
