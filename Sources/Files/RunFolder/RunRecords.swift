/// The samples and statistics of a run of which all chains are there, read by rows.
package protocol RunRecords {
    /// Where samples are selected, for each of their rows the chain that it is of, in ascending order; nil where row and
    /// chain are one.
    var selection: [Int]? { get }

    /// Some rows of `samples.npy`, [range.count * draws * dimension].
    func samples(ofRows rows: Range<Int>) throws(RunFolderError) -> [Float]

    /// Hands all numbers of a statistic to `body`, some whole rows at a time; nothing if there is none of that name.
    func forEachRows<Element: NpyElement>(
        of statistic: String, as type: Element.Type, _ body: ([Element]) throws(RunFolderError) -> Void
    ) throws(RunFolderError)
}

/// A run before it is finished, of which all chains are recorded.
package struct StagedRecords: RunRecords {
    private let run: RunStaging
    package let selection: [Int]?

    /// - Parameter selection: see ``RunRecords/selection``.
    package init(_ run: RunStaging, selection: [Int]?) {
        self.run = run
        self.selection = selection
    }

    package func samples(ofRows rows: Range<Int>) throws(RunFolderError) -> [Float] {
        guard let selection else { return try run.draws(ofChains: rows) }
        var samples: [Float] = []
        for chain in selection[rows] { samples += try run.draws(ofChains: chain..<chain + 1) }
        return samples
    }

    package func forEachRows<Element: NpyElement>(
        of statistic: String, as type: Element.Type, _ body: ([Element]) throws(RunFolderError) -> Void
    ) throws(RunFolderError) {
        try run.forEachRows(of: statistic, as: type, body)
    }
}
