import ContentHash
import Foundation
package import Journal
import Messaging
import StrictJSON

/// Jobs as the journal has them, in the words of the messages.
extension JobRecord {
    init(
        number: Int, hash: Digest, text: [UInt8], submittedAt: Double, terms: SubmissionTerms, isDetached: Bool,
        isPreliminary: Bool
    ) {
        self.init(
            number: number, hash: hash, text: text, submittedAt: submittedAt, priority: terms.priority,
            share: terms.share, timeLimit: terms.timeLimit.map { $0 / .seconds(1) },
            checkpointInterval: terms.checkpointInterval.map { $0 / .seconds(1) }, isDetached: isDetached,
            isPreliminary: isPreliminary)
    }

    /// How the job is to be treated.
    var terms: SubmissionTerms {
        var terms = SubmissionTerms()
        (terms.priority, terms.share) = (priority, share)
        terms.timeLimit = timeLimit.map { .seconds($0) }
        terms.checkpointInterval = checkpointInterval.map { .seconds($0) }
        return terms
    }

    /// What a list tells of a job, read from its text without its models.
    fileprivate var card: (name: String, chains: Int) {
        do {
            let members = try JSONField(node: try JSONParser.parse(text), pointer: "").members("a job")
            return (try members["name"]?.string("a name") ?? "?", try members["chains"]?.integer(1...1 << 32) ?? 0)
        } catch {
            return ("?", 0)
        }
    }
}

/// A job of an earlier life of the coordinator that has not been taken up.
package struct PastJob: Sendable {
    /// Without its text once it is over.
    package internal(set) var job: RecoveredJob
    let name: String
    let chains: Int
    /// Why it is set apart: it isn't over and can't go on; nil if it can.
    var trouble: String?

    /// As the journal has it.
    package init(_ job: RecoveredJob) {
        self.job = job
        (name, chains) = job.record.card
        if job.outcome != nil { self.job.record.text = [] }
    }

    /// In seconds since 1970; nil while it is not over. What is set apart is not: somebody has to look at it.
    var endedAt: Double? { job.outcome.map { _ in job.record.submittedAt + (job.secondsElapsed ?? 0) } }

    /// Keeps what a list tells, and the text of a job that may go on.
    mutating func forgetDetails() {
        var bare = RecoveredJob(record: job.record)
        (bare.isPaused, bare.outcome, bare.failure) = (job.isPaused, job.outcome, job.failure)
        bare.secondsElapsed = job.secondsElapsed
        job = bare
    }
}

extension RecoveredJob {
    var state: JobStatus.State {
        switch outcome {
        case .finished: .finished
        case .failed: .failed
        case .cancelled: .cancelled
        case nil: isPaused ? .paused : .queued
        }
    }
}
