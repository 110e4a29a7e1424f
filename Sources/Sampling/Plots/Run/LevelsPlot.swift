import Diagnostics
import RunFolder
import Sampling

/// How a run went from noise to samples: acceptance, step sizes, and what populations and replicas tell, level by level.
struct LevelsPlot {
    private static let (width, height) = (720.0, 240.0)

    /// Numbers at each level, index = level; nil where there are none.
    struct Panel {
        let title: String
        let axisName: String
        var series: [(name: String, values: [Double?])]
        /// Between which most chains are, of the first series.
        var band: [(low: Double, high: Double)?] = []
        let vertical: Axis
    }

    let title: String
    let panels: [Panel]

    /// The panels of a run; none where no transition ran.
    init(_ records: FinishedRecords) throws(RunFolderError) {
        let summary = records.summary
        title = "\(summary.name): level by level"
        var panels: [Panel] = []
        if summary.acceptancePerLevel.contains(where: { $0 != nil }) {
            panels.append(
                Panel(
                    title: "acceptance, mean and the middle 80 % of chains", axisName: "level",
                    series: [("mean", summary.acceptancePerLevel)],
                    band: try records.middle(of: RunStatistic.acceptance, columns: summary.acceptancePerLevel.count),
                    vertical: Axis(0...1)))
        }
        if summary.stepSize.contains(where: { $0 != nil }) {
            panels.append(
                Panel(
                    title: "step size", axisName: "level", series: [("step size", summary.stepSize)],
                    vertical: Axis(holding: summary.stepSize.compactMap { $0 }, isLogarithmic: true)))
        }
        if summary.population != nil {
            let levels = summary.acceptancePerLevel.count
            let size = try records.columnMeans(of: RunStatistic.effectiveSize, columns: levels) { (size: Float) in
                Double(size)
            }
            // Where the population had not begun there is nobody yet.
            let ancestors = try records.columnMeans(of: RunStatistic.ancestors, columns: levels) { (count: Int32) in
                count > 0 ? Double(count) : .nan
            }
            panels.append(
                Panel(
                    title: "chains of a block, mean over blocks", axisName: "level",
                    series: [("effective size", size), ("ancestors", ancestors)],
                    vertical: Axis(holding: [0] + (size + ancestors).compactMap { $0 })))
        }
        let swaps = try records.columnMeans(
            of: RunStatistic.swapAcceptance, columns: try records.columns(of: RunStatistic.swapAcceptance)
        ) { (part: Float) in Double(part) }
        if !swaps.isEmpty {
            panels.append(
                Panel(
                    title: "swaps accepted, of neighbouring replicas", axisName: "pair, from the highest level down",
                    series: [("swaps", swaps)], vertical: Axis(0...1)))
        }
        self.panels = panels
    }

    /// The text of the file.
    var svg: String {
        var drawing = Drawing(
            width: Self.width, height: 28 + Self.height * Double(panels.count), title: title)
        drawing.text(title, x: Frame.left, y: 22, size: 14)
        for (index, panel) in panels.enumerated() {
            let count = panel.series[0].values.count
            // Sampling goes from the highest level down, and reading from left to right.
            var axis = Axis(-0.5...max(0.5, Double(count) - 0.5))
            axis.isReversed = true
            let frame = Frame(
                &drawing, x: 0, y: 28 + Self.height * Double(index), width: Self.width, height: Self.height,
                title: panel.title, horizontal: (panel.axisName, axis), vertical: panel.vertical)
            var run: [(x: Double, low: Double, high: Double)] = []
            for (level, ends) in panel.band.enumerated() {
                guard let ends, let low = frame.point(Double(level), ends.low),
                    let high = frame.point(Double(level), ends.high)
                else {
                    drawing.band(run, .first, opacity: 0.25)
                    run = []
                    continue
                }
                run.append((low.x, low.y, high.y))
            }
            drawing.band(run, .first, opacity: 0.25)
            for (series, style) in zip(panel.series, Drawing.Style.series) {
                drawing.line(
                    series.values.enumerated().map { level, value in value.flatMap { frame.point(Double(level), $0) } },
                    style, width: 2)
            }
            if panel.series.count > 1 { frame.legend(panel.series.map(\.name), in: &drawing) }
        }
        return drawing.svg
    }
}

extension FinishedRecords {
    /// Rows of which the spread is shown, at most.
    private static var mostRows: Int { 4_096 }

    /// Of each column of a statistic of float32 the 10th and the 90th percentile over rows, of very many those that come first.
    func middle(of statistic: String, columns: Int) throws(RunFolderError) -> [(low: Double, high: Double)?] {
        var values = [[Float]](repeating: [], count: columns)
        try forEachRows(of: statistic, as: Float.self) { (numbers) throws(RunFolderError) in
            for (place, number) in numbers.enumerated()
            where number.isFinite && values[place % columns].count < Self.mostRows {
                values[place % columns].append(number)
            }
        }
        return values.map { values in
            guard !values.isEmpty else { return nil }
            let sorted = values.sorted()
            return (Double(sorted[(sorted.count - 1) / 10]), Double(sorted[(sorted.count - 1) * 9 / 10]))
        }
    }
}
