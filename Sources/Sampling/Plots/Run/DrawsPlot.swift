import RunFolder

/// Draws of some chains one after the other, and how the chains' ranks among all of these draws are spread: alike where chains
/// have forgotten where they began.
///
/// Rank plots: Vehtari, Gelman, Simpson, Carpenter and Bürkner, "Rank-normalization, folding, and localization: an improved
/// R-hat", Bayesian Analysis 16 (2021), section 5.
struct DrawsPlot {
    /// Chains that are shown, at most: as many as there are colours.
    static let mostChains = Drawing.Style.series.count
    /// Draws of a chain below which there is nothing to see.
    static let fewestDraws = 4
    /// Points of a trace, at most.
    private static let mostPoints = 600
    private static let bins = 20
    private static let (traceWidth, rankWidth, height) = (560.0, 300.0, 220.0)

    /// A number of each draw.
    struct Variable {
        let name: String
        /// [chains][draws].
        let values: [[Double]]
    }

    let title: String
    /// The rows of the samples that are shown.
    let chains: [Int]
    let variables: [Variable]

    /// Nil where chains have too few draws, or a population's samples are no series.
    init?(_ records: FinishedRecords) throws(RunFolderError) {
        let summary = records.summary
        guard summary.draws >= Self.fewestDraws, summary.population == nil else { return nil }
        let count = min(Self.mostChains, summary.chains)
        let chains = (0..<count).map { $0 * summary.chains / count }
        title = "\(summary.name): draws of \(count) of \(summary.chains) chains"
        let dimension = summary.shape.reduce(1, *)
        var variables: [Variable] = []
        var logDensities: [[Double]] = []
        var row = 0
        try records.forEachRows(of: RunStatistic.logDensityOfDraws, as: Double.self) { numbers in
            for start in stride(from: 0, to: numbers.count, by: summary.draws) {
                if chains.contains(row) { logDensities.append(Array(numbers[start..<start + summary.draws])) }
                row += 1
            }
        }
        if logDensities.contains(where: { $0.contains(where: \.isFinite) }) {
            variables.append(Variable(name: "log density (nats)", values: logDensities))
        }
        var samples: [[Float]] = []
        for chain in chains { samples.append(try records.samples(ofRows: chain..<chain + 1)) }
        // Coordinates of a picture say little one by one.
        if dimension <= 64 {
            for coordinate in 0..<min(2, dimension) {
                variables.append(
                    Variable(
                        name: "x[\(coordinate)]",
                        values: samples.map { draws in
                            stride(from: coordinate, to: draws.count, by: dimension).map { Double(draws[$0]) }
                        }))
            }
        } else {
            variables.append(
                Variable(
                    name: "mean of a point's coordinates",
                    values: samples.map { draws in
                        stride(from: 0, to: draws.count, by: dimension).map { start in
                            draws[start..<start + dimension].reduce(0) { $0 + Double($1) } / Double(dimension)
                        }
                    }))
        }
        (self.chains, self.variables) = (chains, variables)
    }

    /// The text of the file.
    var svg: String {
        var drawing = Drawing(
            width: Self.traceWidth + Self.rankWidth, height: 28 + Self.height * Double(variables.count), title: title)
        drawing.text(title, x: Frame.left, y: 22, size: 14)
        for (index, variable) in variables.enumerated() {
            let top = 28 + Self.height * Double(index)
            trace(variable, top, &drawing)
            ranks(variable, top, &drawing)
        }
        return drawing.svg
    }

    private func trace(_ variable: Variable, _ top: Double, _ drawing: inout Drawing) {
        let draws = variable.values[0].count
        let frame = Frame(
            &drawing, x: 0, y: top, width: Self.traceWidth, height: Self.height, title: variable.name,
            horizontal: ("draw", Axis(0...Double(draws - 1))), vertical: Axis(holding: variable.values.joined()))
        let step = max(1, (draws + Self.mostPoints - 1) / Self.mostPoints)
        for (values, style) in zip(variable.values, Drawing.Style.series) {
            drawing.line(
                stride(from: 0, to: draws, by: step).map { frame.point(Double($0), values[$0]) }, style, width: 1)
        }
        frame.legend(chains.map { "chain \($0)" }, in: &drawing)
    }

    private func ranks(_ variable: Variable, _ top: Double, _ drawing: inout Drawing) {
        let counts = Self.rankCounts(variable.values)
        let expected = Double(variable.values[0].count) / Double(Self.bins)
        let frame = Frame(
            &drawing, x: Self.traceWidth, y: top, width: Self.rankWidth, height: Self.height, title: "ranks among all",
            horizontal: ("rank, lowest to highest (%)", Axis(0...100)),
            vertical: Axis(0...max(1, Double(counts.joined().max() ?? 1), expected) * 1.1))
        let width = 100 / Double(Self.bins)
        for (counts, style) in zip(counts, Drawing.Style.series) {
            drawing.line(
                counts.enumerated().flatMap { bin, count in
                    [
                        frame.point(Double(bin) * width, Double(count)),
                        frame.point(Double(bin + 1) * width, Double(count)),
                    ]
                }, style, width: 1.5)
        }
        drawing.line([frame.point(0, expected), frame.point(100, expected)], .faint, width: 1, dashed: true)
    }

    /// How many of each chain's draws have a rank among all draws in each twentieth, [chains][twentieths]. Draws that are equal
    /// have ranks in the order of chains and draws; what is no number counts as the lowest.
    static func rankCounts(_ values: [[Double]]) -> [[Int]] {
        let draws = values.enumerated().flatMap { chain, values in
            values.map { (value: $0.isNaN ? -.infinity : $0, chain: chain) }
        }
        let order = draws.indices.sorted {
            draws[$0].value == draws[$1].value ? $0 < $1 : draws[$0].value < draws[$1].value
        }
        var counts = [[Int]](repeating: [Int](repeating: 0, count: bins), count: values.count)
        for (rank, index) in order.enumerated() { counts[draws[index].chain][rank * bins / draws.count] += 1 }
        return counts
    }
}
