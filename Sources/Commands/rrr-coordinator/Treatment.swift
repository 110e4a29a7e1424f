import ArgumentParser
import Coordinator
import Foundation
import Messaging

/// How a job is treated: no part of what it is, so its bytes do not depend on it.
struct TreatmentOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "Jobs of a higher priority go first; may be negative.")
    var priority = 0

    @Option(help: "The job's part of the workers' time, against that of other jobs of its priority.")
    var share = 1.0

    @Option(help: ArgumentHelp("Let the job fail if it is not finished after so long.", valueName: "seconds"))
    var timeLimit: Double?

    @Option(
        help: ArgumentHelp(
            "How often the state of a running block is brought to the coordinator: what a crash can cost "
                + "(default: the coordinator's, 10).", valueName: "seconds"))
    var checkpointEvery: Double?

    func validate() throws {
        try checkPriority(priority)
        for (name, value) in [("--share", share), ("--time-limit", timeLimit ?? 1)] {
            guard value > 0, value <= 1e9 else {
                throw ValidationError("\(name) must be above 0 and at most 1e9, is \(value).")
            }
        }
        try checkInterval(checkpointEvery)
    }

    var terms: SubmissionTerms {
        var terms = SubmissionTerms()
        (terms.priority, terms.share) = (priority, share)
        terms.timeLimit = timeLimit.map { .seconds($0) }
        terms.checkpointInterval = checkpointEvery.map { .seconds($0) }
        return terms
    }
}

private func checkPriority(_ priority: Int) throws {
    guard (-1_000_000...1_000_000).contains(priority) else {
        throw ValidationError("A priority must be from -1000000 to 1000000, is \(priority).")
    }
}

/// Refuses an interval of checkpoints that is none.
func checkInterval(_ checkpointInterval: Double?) throws {
    guard let checkpointInterval, !(0.01...1e6).contains(checkpointInterval) else { return }
    throw ValidationError("--checkpoint-every must be from 0.01 to 1e6 seconds, is \(checkpointInterval).")
}

struct Pause: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let no block of a job run until it is resumed; what runs is handed back with its state.")

    @OptionGroup var job: JobArgument

    func run() throws { try reportingFailure { try job.tell { .control(job: $0, .pause) } } }
}

struct Resume: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Let a paused job go on.")

    @OptionGroup var job: JobArgument

    func run() throws { try reportingFailure { try job.tell { .control(job: $0, .resume) } } }
}

struct Prioritize: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Change a job's priority; higher ones go first.",
        usage: "rrr-coordinator prioritize <id> <priority> [--coordinator <coordinator>]")

    @OptionGroup var job: JobArgument

    /// A single one. The parser takes a negative number for an option, and leaves it to an argument of this kind.
    @Argument(parsing: .allUnrecognized, help: "The new priority; may be negative.")
    var priority: [String]

    func validate() throws { _ = try number() }

    private func number() throws -> Int {
        guard priority.count == 1, let number = Int(priority[0]) else {
            throw ValidationError("A priority is a whole number, is \(priority.joined(separator: " ")).")
        }
        try checkPriority(number)
        return number
    }

    func run() throws {
        try reportingFailure {
            let priority = try number()
            try job.tell { .control(job: $0, .priority(priority)) }
        }
    }
}
