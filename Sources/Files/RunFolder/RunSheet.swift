package import Pictures

/// What a sheet of finished runs shows.
package struct RunSheet: Sendable {
    /// Rows, of each run where there are several, and columns; nil for the usual ones.
    package var grid: SheetGrid?
    /// The order of the pictures of each run.
    package var order = SampleOrder.chain
    /// From the most to the least.
    package var isDescending = false
    /// Rows of the samples; nil for all.
    package var chains: [Int]?
    /// Draws of each of them; nil for the last, or some where chains are fewer than cells.
    package var draws: [Int]?
    /// Whether to show, in place of samples, the points that runs have kept of chains on their way, a row for each chain.
    package var isTrace = false

    /// A sheet as a run's own picture is.
    package init() {}

    /// The picture of some samples of one run or several of one shape, each in rows of its own. There is at least one.
    ///
    /// Throws `.missing` where there is no finished run, `.malformed` for one that is damaged, has no images or not what the sheet
    /// asks for, `.tooLarge` for a sheet that would be, `.inputOutput`.
    package func image(of folders: [String]) throws(RunFolderError) -> PNGImage {
        var runs: [FinishedSamples] = []
        for folder in folders { runs.append(try FinishedSamples(folder: folder)) }
        let first = runs[0]
        if order == .label { runs = try byLabel(runs) }
        let layout = try layout(of: first, runs: runs.count)
        let cells = layout.grid.cells / runs.count
        var sheet = PictureSheet(layout)
        for (index, run) in runs.enumerated() {
            guard run.summary.shape == layout.shape else {
                throw RunFolderError(
                    .malformed, path: run.folder,
                    reason: "its points have the shape \(run.summary.shape), those of \(first.folder) \(layout.shape); "
                        + "make a sheet of each")
            }
            if isTrace {
                let trace = try run.trace()
                for (cell, point) in try points(of: trace, run, cells: cells).enumerated() {
                    let picture = try trace.point(ofChain: point.chain, at: point.level)
                    sheet.paint(picture[...], cell: index * cells + cell)
                }
                continue
            }
            for (cell, sample) in try samples(of: run, cells: cells).enumerated() {
                sheet.paint(try run(sample)[...], cell: index * cells + cell)
            }
        }
        return sheet.image
    }

    /// The runs in the order of their labels; those of the same stay in the order in which they were given.
    private func byLabel(_ runs: [FinishedSamples]) throws(RunFolderError) -> [FinishedSamples] {
        var labelled: [(labels: [Int], place: Int)] = []
        for (place, run) in runs.enumerated() {
            let labels = run.labels()
            guard !labels.isEmpty else {
                throw RunFolderError(
                    .malformed, path: run.folder,
                    reason: "its job names no label; put the runs in another order than by label")
            }
            labelled.append((labels, place))
        }
        labelled.sort { a, b in
            if a.labels == b.labels { return a.place < b.place }
            return a.labels.lexicographicallyPrecedes(b.labels) != isDescending
        }
        return labelled.map { runs[$0.place] }
    }

    private func layout(of run: FinishedSamples, runs: Int) throws(RunFolderError) -> SheetLayout {
        let shape = run.summary.shape
        guard SheetLayout.usual(shape: shape, count: 1) != nil else {
            throw RunFolderError(
                .malformed, path: run.folder,
                reason: "its points have the shape \(shape); pictures are of images, [channels, height, width] with 1 "
                    + "or 3 channels and sides below \(SheetLayout.mostSide)")
        }
        let grid = if let grid { grid } else { try usualGrid(of: run, runs: runs) }
        let whole = SheetGrid(rows: grid.rows * runs, columns: grid.columns)
        guard let layout = SheetLayout(whole, shape: shape) else {
            throw RunFolderError(
                .tooLarge, path: run.folder,
                reason: "\(whole.rows) x \(whole.columns) pictures of \(shape[1]) x \(shape[2]) are too many for a "
                    + "sheet; ask for fewer rows or columns")
        }
        return layout
    }

    /// The rows, of each run, and columns where none were named: a row for each run, or for each chain of which several draws
    /// are shown, else as square as it goes.
    private func usualGrid(of run: FinishedSamples, runs: Int) throws(RunFolderError) -> SheetGrid {
        if isTrace {
            let trace = try run.trace()
            let rows = min(chains?.count ?? trace.chains.count, Self.usualTraces)
            return SheetGrid(rows: runs > 1 ? 1 : max(1, rows), columns: trace.levels)
        }
        let chains = chains?.count ?? run.summary.chains
        if let draws, draws.count > 1 {
            return SheetGrid(rows: runs > 1 ? 1 : max(1, min(chains, 64 / draws.count)), columns: draws.count)
        }
        let samples = chains * (draws == nil ? run.summary.draws : 1)
        let square = SheetLayout.usual(shape: run.summary.shape, count: samples)?.grid ?? SheetGrid(rows: 1, columns: 1)
        return runs > 1 ? SheetGrid(rows: 1, columns: square.columns) : square
    }

    /// Rows of a sheet of points on the way of which nothing else is said.
    private static let usualTraces = 8

    /// The chains whose points on the way are shown, and their places among the levels, cell by cell.
    private func points(
        of trace: FinishedTrace, _ run: FinishedSamples, cells: Int
    ) throws(RunFolderError) -> [(chain: Int, level: Int)] {
        if let absent = chains?.first(where: { !trace.chains.contains($0) }) {
            throw RunFolderError(
                .malformed, path: run.folder,
                reason: "has kept no points of chain \(absent) on its way, but of \(trace.chains.count) others, from "
                    + "\(trace.chains[0]) on")
        }
        let rows = try sorted(chains ?? trace.chains, of: run).prefix(cells)
        return Array(rows.flatMap { chain in (0..<trace.levels).map { (chain, $0) } }.prefix(cells))
    }

    private func samples(of run: FinishedSamples, cells: Int) throws(RunFolderError) -> [SampleIndex] {
        let summary = run.summary
        for (name, chosen, count) in [("chain", chains, summary.chains), ("draw", draws, summary.draws)] {
            guard let wrong = chosen?.first(where: { !(0..<count).contains($0) }) else { continue }
            throw RunFolderError(
                .malformed, path: run.folder, reason: "has no \(name) \(wrong); there are \(count), counted from 0")
        }
        let rows = try sorted(chains ?? Array(0..<summary.chains), of: run)
        guard let draws else {
            return SampleIndex.shown(chains: rows.count, draws: summary.draws, cells: cells).map {
                SampleIndex(chain: rows[$0.chain], draw: $0.draw)
            }
        }
        let shown = rows.prefix(cells).flatMap { chain in draws.map { SampleIndex(chain: chain, draw: $0) } }
        return Array(shown.prefix(cells))
    }

    /// Rows in the order that is asked for; those of which nothing is known come last.
    private func sorted(_ rows: [Int], of run: FinishedSamples) throws(RunFolderError) -> [Int] {
        // As they were named.
        if order == .label || order == .chain && !isDescending { return rows }
        let keys = try run.keys(order, ofChains: isTrace).map { isDescending ? -$0 : $0 }
        return rows.sorted { a, b in
            let (first, second) = (keys[a].isNaN ? .infinity : keys[a], keys[b].isNaN ? .infinity : keys[b])
            return first == second ? a < b : first < second
        }
    }
}

extension RunFolder {
    /// Writes a picture, in one step. What stands there is replaced if it is a PNG file and none of a finished run.
    ///
    /// Throws `.cannotCreate` for another file in its place, `.inputOutput` and `.full`.
    package static func write(_ image: PNGImage, to path: String) throws(RunFolderError) {
        if ownNames.contains(Folder.name(of: path)), hasSummary(in: Folder.parent(of: path)) {
            throw RunFolderError(.cannotCreate, path: path, reason: "is a file of the run itself; give another name")
        }
        if let file = try? File(path, for: .reading) {
            guard let start = try? file.read(count: 4, at: 0, as: UInt8.self), start == [0x89, 0x50, 0x4E, 0x47] else {
                throw RunFolderError(
                    .cannotCreate, path: path, reason: "is there and no PNG file; give another name, or remove it")
            }
        }
        try AtomicFile.write(try image.fileBytes(path: path), to: path)
    }
}
