import ContentHash
import Foundation
import Journal
import Logging
import Messaging
import PoolCore
import RunFolder

/// What becomes of jobs whose files are not what they were.
extension FrontDesk {
    /// Stored rows of a job are lost: its blocks run again.
    mutating func lost(_ blocks: [Int], of number: JobNumber) {
        // What is told of an earlier run of a job that is just being begun anew is nothing to it.
        guard let id = identities[number], let job = jobs[id], !job.state.isOver, job.unanswered == nil,
            job.work?.progress == nil, job.work?.waitsFor == nil
        else { return }
        jobs[id]?.lose(blocks)
        guard scheduler.view(of: number) == nil else { return act(on: .lost(number, blocks: blocks)) }
        // It was found out at the end, when the scheduler had done with the job.
        act(on: .submitted(number, terms(of: job), job.progress(without: blocks)))
    }

    // MARK: Finished jobs

    /// Has the files of a finished job looked at, beside everything else.
    ///
    /// - Parameter submission: who asks for them; nil if a job does.
    mutating func inspect(_ id: Digest, for submission: HandedIn? = nil) {
        if inspections[id] == nil {
            inspections[id] = []
            archive.inspect(id, folder: folder(of: id))
        }
        guard let submission else { return }
        // It may take longer than a submitter's patience with silence.
        send(.heartbeat(), to: submission.peer)
        guard inspections[id]?.contains(where: { $0.peer == submission.peer }) == false else { return }
        inspections[id]?.append(submission)
    }

    /// The files of a finished job are sound, or it has to run again.
    mutating func inspected(_ id: Digest, damage: String?) {
        if let damage {
            logger.error("job \(id.hex.prefix(8)) was finished, but \(damage); it runs again when it is asked for")
        }
        // What can't be looked at is no reason to run it again.
        let isUnknown = damage != nil && RunFolder.isComplete(folder(of: id), jobHash: id.hex)
        for submission in inspections.removeValue(forKey: id) ?? [] {
            if damage == nil {
                send(.accepted(job: id, alreadyFinished: true), to: submission.peer)
            } else if isUnknown {
                send(
                    .refusal(exitStatus: 75, text: "the finished job can't be read: \(damage ?? "")"),
                    to: submission.peer)
            } else {
                submit(submission)
            }
        }
        let waiting = jobs.values.filter { $0.work?.inspects == id }.sorted { $0.number < $1.number }
        for job in waiting.map(\.identity) {
            jobs[job]?.work?.inspects = nil
            if isUnknown {
                fail(job, reason: "what it needs can't be read: \(damage ?? "")")
            } else {
                if damage == nil { jobs[job]?.work?.sound = id }
                proceed(job)
            }
        }
    }

    // MARK: Earlier lives

    /// A job of an earlier life that isn't over can't go on; the others do.
    mutating func setApart(_ id: Digest, _ reason: String) {
        guard past[id]?.job.state.isOver == false else { return }
        past[id]?.trouble = reason
        logger.error("job \(id.hex.prefix(8)) is set apart, its files are kept: \(reason)")
    }

    /// Why what the journal has of a job can't be used; nil if it can.
    func trouble(of job: RecoveredJob) -> String? {
        let wayOut = "; submit it with --force to begin it anew, or cancel it"
        if let damage = job.damage { return "what the journal says of it can't be: " + damage + wayOut }
        return SHA256.hash(of: job.record.text) == job.record.hash
            ? nil : "its text in the journal is damaged" + wayOut
    }

    /// Tells of folders of jobs that the journal does not know: it was lost, or was another one.
    func warnOfUnknownFolders() {
        let folder = configuration.stateFolder + "/jobs"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let unknown = names.compactMap { Digest(hex: $0) }.filter { past[$0] == nil }.map { String($0.hex.prefix(8)) }
        guard !unknown.isEmpty else { return }
        logger.warning(
            """
            the journal knows nothing of \(unknown.count) jobs that have folders in \(folder): \
            \(unknown.sorted().prefix(5).joined(separator: ", "))\(unknown.count > 5 ? ", …" : ""). The folders stay: \
            a finished job is handed out when it is submitted again, an unfinished one begins anew. If the journal was \
            removed, stop this coordinator and put it back; else the folders can be removed
            """)
    }
}
