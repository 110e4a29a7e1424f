import ArgumentParser
import CommandFrame
import MachineCapacity
import StopSignals
import TerminalProgress
import Training

struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train a model and write its file.",
        discussion: """
            A checkpoint, FILE.checkpoint, is written now and then, and on SIGINT (exit status 130) or SIGTERM (143); \
            it goes when FILE is there. --resume goes on from it, to the same bytes as without the interruption.
            """)

    @Argument(help: "The training spec; - for standard input.")
    var spec: String

    @Option(help: "The model file to write.")
    var output: String

    @Option(help: "Threads that compute (default: one per core that it may use). The result does not depend on it.")
    var threads: Int?

    @Option(help: "A file for the losses on the way, a line each time: step,loss,held_out_loss,seconds.")
    var history: String?

    @Flag(help: "Go on from the checkpoint, if there is one.")
    var resume = false

    @Flag(help: "Begin again and replace the model file and the checkpoint.")
    var force = false

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        if let threads, !(1...4096).contains(threads) {
            throw ValidationError("--threads must be from 1 to 4096, is \(threads).")
        }
        if let history, [output, output + ".checkpoint", spec].contains(history) {
            throw ValidationError("--history \(history) is a file of the training itself; give another name.")
        }
        if resume, force { throw ValidationError("--resume goes on, --force begins again: give one of them.") }
    }

    func run() throws {
        try reportingFailure {
            let signals = StopSignals { _ in }
            var session = try TrainingSession(
                try TrainingSpec.load(path: spec), output: output,
                threads: threads ?? MachineCapacity.processors, history: history,
                start: resume ? .resume : force ? .force : .fresh)
            var line = ProgressLine()
            defer { line.clear() }
            let ending = try session.train(
                shouldStop: { signals.received != nil }, note: { tell("rrr-model: \($0)") },
                report: { line.show(secondsElapsed: $0.secondsElapsed, Self.text($0)) })
            line.clear()
            switch ending {
            case .finished(let result): try printResult(json ? result.json : result.text)
            case .stopped(let steps):
                tell("rrr-model: interrupted after \(steps) iterations; --resume goes on from \(output).checkpoint")
                throw ExitCode(128 + (signals.received ?? 0))
            }
        }
    }

    private static func text(_ progress: TrainingProgress) -> String {
        progress.text + (progress.secondsLeft.map { ", \(ProgressLine.time($0)) left" } ?? "")
    }
}
