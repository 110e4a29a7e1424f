import ArgumentParser
import CommandFrame
import Diagnostics
import RunFolder
import StrictJSON

struct Diagnose: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tell whether the samples of a finished run can be trusted.",
        discussion: """
            Reads the files of an output folder, prints what the samples are worth and a verdict, and ends with 0 if it is \
            "passed" and 3 if it is "failed". docs/diagnostics.md has the definitions and the limits.
            """)

    @Argument(help: "The output folder of a run.")
    var folder: String

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        try reportingFailure {
            let run = try FinishedRecords(folder)
            let found = try RunExamination(run, summary: run.summary, canonicalJob: run.canonicalJob).diagnostics()
            try printResult(json ? found.json.pretty : found.text)
            if !found.passes { throw ExitCode(3) }
        }
    }
}
