import ArgumentParser
import CommandFrame
import ModelInspection

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show what a model file holds.")

    @Argument(help: "The model file.")
    var file: String

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        try reportingFailure {
            let report = try ModelReport(path: file)
            try printResult(json ? report.json : report.text)
        }
    }
}

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Evaluate a model at points.",
        discussion: """
            Writes energy.npy [n] (the raw E), gradient.npy (dE/dx, in the shape of the points), log_density.npy [n] \
            (-E / sigma_t) and score.npy (-gradient / sigma_t), all float32. Of a classifier: log_probability.npy \
            [n, classes] and, with --label, gradient.npy of that label's log probability.
            """)

    @Argument(help: "The model file.")
    var file: String

    @Option(help: "The points, [n, d] or as samples [chains, draws, d]; or of images, d being three axes; - for stdin.")
    var points: String

    @Option(help: "The noise level t; 0 is the least noisy.")
    var level: Int

    @Option(help: "The label of all points; without it there is no condition, or no gradient of a classifier.")
    var label: Int?

    @Option(help: "The folder to write to.")
    var output: String

    func run() throws {
        try reportingFailure {
            let evaluation = try PointEvaluation(
                model: file, points: points, level: level, label: label, output: output)
            for note in evaluation.notes { tell("rrr-model: \(note)") }
            try printResult(
                "\(evaluation.count) points\n" + evaluation.files.map { "\(output)/\($0)" }.joined(separator: "\n"))
        }
    }
}
