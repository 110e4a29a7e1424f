/// One sample of a run: a draw of a chain.
struct SampleIndex: Equatable {
    /// The row of the samples.
    let chain: Int
    /// Of that row.
    let draw: Int

    /// Its numbers among those of [chains, draws, …shape], in C order.
    func numbers(draws: Int, dimension: Int) -> Range<Int> {
        let first = (chain * draws + draw) * dimension
        return first..<first + dimension
    }

    /// Those that a picture shows where nothing else is said: the last draw of each of the first chains. Where chains are fewer
    /// than cells, as many draws of each as fit, evenly spaced, the last among them: chains are independent of each other,
    /// and draws the more so the farther apart they are.
    static func shown(chains: Int, draws: Int, cells: Int) -> [SampleIndex] {
        let shown = min(chains, cells)
        let each = min(draws, cells / shown)
        return (0..<shown).flatMap { chain in
            (1...each).map { SampleIndex(chain: chain, draw: $0 * draws / each - 1) }
        }
    }
}
