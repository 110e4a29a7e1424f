package import RunFolder

extension RunRecords {
    /// The chains that rows of the samples are of.
    func chains(ofRows rows: [Int]) -> [Int] { selection.map { selection in rows.map { selection[$0] } } ?? rows }

    /// The rows of a statistic of float64 that some chains have, [chains.count * columns]; none if there is no such
    /// statistic.
    ///
    /// - Parameter chains: in ascending order; one may be named several times.
    func rows(of statistic: String, columns: Int, chains: [Int]) throws(RunFolderError) -> [Double] {
        var found: [Double] = []
        var (row, next) = (0, 0)
        try forEachRows(of: statistic, as: Double.self) { (numbers) throws(RunFolderError) in
            if found.isEmpty { found.reserveCapacity(chains.count * columns) }
            for start in stride(from: 0, to: numbers.count, by: columns) {
                while next < chains.count, chains[next] == row {
                    found += numbers[start..<start + columns]
                    next += 1
                }
                row += 1
            }
        }
        return found
    }

    /// Hands some rows of the samples to `body`, each with its place among `rows`: [draws * dimension].
    ///
    /// - Parameters:
    ///   - rows: in ascending order.
    ///   - size: numbers of a row.
    func forEachSample(
        ofRows rows: [Int], size: Int, _ body: (Int, ArraySlice<Float>) -> Void
    ) throws(RunFolderError) {
        let most = max(1, 1 << 18 / size)
        var next = 0
        while next < rows.count {
            var end = next + 1
            while end < rows.count, end - next < most, rows[end] == rows[end - 1] + 1 { end += 1 }
            let samples = try samples(ofRows: rows[next]..<rows[end - 1] + 1)
            for place in next..<end { body(place, samples[(place - next) * size..<(place - next + 1) * size]) }
            next = end
        }
    }

    /// The mean of each column of a statistic over its finite numbers; nil where there are none. Nothing if there is no such
    /// statistic.
    ///
    /// - Parameter value: a number as float64.
    package func columnMeans<Element: NpyElement>(
        of statistic: String, columns: Int, _ value: (Element) -> Double
    ) throws(RunFolderError) -> [Double?] {
        guard columns > 0 else { return [] }
        var moments: [Moments] = []
        try forEachRows(of: statistic, as: Element.self) { (numbers) throws(RunFolderError) in
            if moments.isEmpty { moments = [Moments](repeating: Moments(), count: columns) }
            for (place, number) in numbers.enumerated() { moments[place % columns].add(value(number)) }
        }
        return moments.map { $0.count > 0 ? $0.mean : nil }
    }
}
