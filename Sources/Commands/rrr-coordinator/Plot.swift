import ArgumentParser
import CommandFrame
import ContentHash
import JobFile
import Plots
import RunFolder

struct Plot: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Draw a finished run: samples over the target, levels, draws.",
        discussion: """
            Writes SVG files into the run's folder, for light pages and dark ones, and prints their names: plot-samples.svg, \
            plot-levels.svg, and plot-draws.svg where chains have several draws.
            """)

    @Argument(help: "The output folder of a run.")
    var folder: String

    @Option(
        help: ArgumentHelp(
            "The run's job file, where the target has networks or arrays in files: it says where these are.",
            valueName: "job.json"))
    var job: String?

    @Option(
        name: [.customLong("output"), .customLong("out")],
        help: ArgumentHelp("The folder to write to (default: the run's).", valueName: "folder"))
    var output: String?

    func run() throws {
        try reportingFailure {
            let run = try FinishedRecords(folder)
            let plots = RunPlots(run, target: try target(of: run))
            for file in try plots.files() {
                let path = (output ?? folder) + "/" + file.name
                try AtomicFile.write(Array(file.text.utf8), to: path)
                try printResult(path)
            }
        }
    }

    /// The run's target; nil where that takes files that nobody has named.
    private func target(of run: FinishedRecords) throws -> TargetDensity? {
        guard let path = job else {
            do {
                return try TargetDensity(of: try Job.decode(run.canonicalJob, file: RunFolder.jobName))
            } catch let error as JobError {
                guard case .missingModels = error.code else { throw error }
                tell("rrr-coordinator: the target has models in files; with --job FILE the plot shows it too")
                return nil
            }
        }
        let job = try Job.load(path: path)
        guard job.identity.hex == run.summary.jobHash else {
            throw RunFolderError(
                .malformed, path: path,
                reason: "is another job (\(job.identity.hex)) than that of \(folder) (\(run.summary.jobHash))")
        }
        return try TargetDensity(of: job)
    }
}
