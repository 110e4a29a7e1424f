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
        fetched = fetched.filter { now - $0.value < Self.patience }
        func isOld(_ id: Digest, _ endedAt: Double?, _ age: Duration) -> Bool {
            guard let endedAt, fetched[id] == nil else { return false }
            return endedAt < moment.date - age / .seconds(1)
        }
        // Who has waited for a job's end brings its files then.
        let old =
            jobs.filter { isOld($0, $1.endedAt, $1.watchers.isEmpty ? age : max(age, Self.patience)) }.map(\.key)
            + past.filter { isOld($0, $1.endedAt, age) }.map(\.key)
        for id in old.filter({ inspections[$0] == nil }).prefix(Self.mostDeletedAtOnce) {
            log(.info, "job \(id.hex.prefix(8)) is deleted: it ended longer ago than jobs are kept for")
            delete(id)
        }
    }

    /// How long somebody who brings the files of a job may take for the next piece.
    private static let patience = Duration.seconds(60)

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
