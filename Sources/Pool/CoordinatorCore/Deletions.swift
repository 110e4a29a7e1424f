import ContentHash
import Journal
import Logging
import Messaging
import PoolCore

/// How jobs that are over go, with all that is kept of them.
extension CoordinatorCore {
    /// Deletes a job that somebody wants no more.
    mutating func delete(_ id: Digest, _ peer: PeerID) {
        let name = id.hex.prefix(8)
        guard let job = status(of: id) else {
            return send(.refusal(exitStatus: 66, text: "there is no job \(name) here"), to: peer)
        }
        guard job.state.isOver else {
            let text =
                "job \(name) is \(job.state.rawValue); wait until it is over, or end it with: "
                + "rrr-coordinator cancel \(name)"
            return send(.refusal(exitStatus: 75, text: text), to: peer)
        }
        guard inspections[id] == nil else {
            let text = "the files of job \(name) are being looked at; try again in a moment"
            return send(.refusal(exitStatus: 75, text: text), to: peer)
        }
        delete(id, Receipt(peer: peer, answer: .status(of: id)))
    }

    /// Deletes jobs whose time is over, some at a time.
    mutating func deleteOldJobs() {
        guard let age = configuration.keptFor else { return }
        let limit = moment.date - age / .seconds(1)
        func isOld(_ endedAt: Double?) -> Bool { endedAt.map { $0 < limit } ?? false }
        let old = Array(jobs.filter { isOld($1.endedAt) }.keys) + past.filter { isOld($1.endedAt) }.keys
        for id in old.filter({ inspections[$0] == nil }).prefix(Self.mostDeletedAtOnce) {
            log(.info, "job \(id.hex.prefix(8)) is deleted: it ended longer ago than jobs are kept for")
            delete(id)
        }
    }

    /// The archive has other things to do between two files that are removed.
    private static let mostDeletedAtOnce = 100

    private mutating func delete(_ id: Digest, _ receipt: Receipt? = nil) {
        guard let number = jobs.removeValue(forKey: id)?.number ?? past.removeValue(forKey: id)?.job.record.number
        else { return }
        identities[number] = nil
        forgetConfirmations(of: number)
        // At once: whoever hands it in now has it run again.
        perform(.removeSummary(id))
        ask(.delete(number, folder: folder(of: id), receipt))
    }
}
