package import ContentHash
import JobFile
import Journal
import Messaging
import RunFolder

/// How much is taken on.
extension CoordinatorCore {
    var limits: PeerLimits { configuration.limits }

    /// Why a job cannot be taken on now, and what to do; nil if it can.
    mutating func problem(of job: Job, textBytes: Int) -> String? {
        if let problem = job.problemOfBlocks { return problem }
        let unfinished = jobs.values.filter { !$0.state.isOver && $0.identity != job.identity }
        if unfinished.count >= limits.jobs {
            count(.jobs)
            return "there are \(unfinished.count) unfinished jobs here, and no more than \(limits.jobs) are taken on; "
                + "wait until some are done, or cancel some"
        }
        let chains = unfinished.reduce(0) { $0 + $1.chains }
        if chains + job.chains > limits.chains {
            count(.chains)
            return "the unfinished jobs here have \(chains) chains, and with these \(job.chains) they would be more "
                + "than \(limits.chains); wait until some are done, cancel some, or make \"chains\" fewer"
        }
        let bytes = unfinished.reduce(0) {
            $0 + ($1.work.map { $0.form.description.canonicalJob.count + $0.job.storedBytes } ?? 0)
        }
        let ownBytes = textBytes + job.storedBytes
        if bytes + ownBytes > limits.textBytes {
            count(.text)
            return
                "the texts and arrays of the unfinished jobs here have \(bytes) bytes, and with the \(ownBytes) of this "
                + "job they would be more than \(limits.textBytes); wait until some are done, or cancel some"
        }
        return nil
    }

    // MARK: Models

    /// Whether a job that is not over needs the model.
    package func isNeeded(_ model: Digest) -> Bool {
        if intake.isNeeded(model) { return true }
        if jobs.values.contains(where: { $0.work?.job.modelDigests.contains(model) == true }) { return true }
        // Jobs that wait for others of their models are texts.
        return past.values.contains {
            !$0.job.state.isOver && String(decoding: $0.job.record.text, as: UTF8.self).contains(model.hex)
        }
    }

    /// Removes models that came with a job which was not accepted, and the least recently used if there are too many.
    mutating func tidyModels() {
        let abandoned = intake.takeAbandoned()
        for model in abandoned where !isNeeded(model) { perform(.removeModel(model)) }
        guard intake.hasReceived else { return }
        intake.hasReceived = false
        perform(.trimModels(within: limits.modelBytes))
    }
}
