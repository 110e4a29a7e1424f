package import RunFolder

/// The plots of a finished run, as SVG files whose text depends on the run alone.
package struct RunPlots {
    /// What the name of each plot's file begins with.
    package static let prefix = "plot-"

    private let records: FinishedRecords
    private let target: TargetDensity?

    /// - Parameter target: what the samples are shown over, if it is known.
    package init(_ records: FinishedRecords, target: TargetDensity?) {
        (self.records, self.target) = (records, target)
    }

    /// The files' names and texts. Of images there is no plot of samples: they have their picture.
    ///
    /// - Throws: `RunFolderError`; `EvaluationError` where the target can't be evaluated.
    package func files() throws -> [(name: String, text: String)] {
        var files: [(name: String, text: String)] = []
        let summary = records.summary
        let dimension = summary.shape.reduce(1, *)
        if summary.shape.count < 3 {
            // Of very many samples some that are spread evenly stand for all.
            let rows = min(summary.chains, max(1, Self.mostNumbers / max(1, summary.draws * dimension)))
            var samples: [Float] = []
            for row in 0..<rows {
                let chain = row * summary.chains / rows
                samples += try records.samples(ofRows: chain..<chain + 1)
            }
            let plot = SamplesPlot(
                title: "\(summary.name): samples", dimension: dimension, samples: samples, target: target)
            files.append(("\(Self.prefix)samples.svg", try plot.svg()))
        }
        let levels = try LevelsPlot(records)
        if !levels.panels.isEmpty { files.append(("\(Self.prefix)levels.svg", levels.svg)) }
        if let draws = try DrawsPlot(records) { files.append(("\(Self.prefix)draws.svg", draws.svg)) }
        return files
    }

    /// Numbers of samples that are read, at most.
    private static let mostNumbers = 1 << 20
}
