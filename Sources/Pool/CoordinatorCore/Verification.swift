package import ContentHash
import Journal
import Logging
import Messaging
import PoolCore
import RunFolder

/// A result that is stored and is to be computed once more by somebody else.
struct ResultCheck {
    /// A result that is not the same.
    struct Dissent {
        let worker: WorkerDescription
        /// Of its rows.
        let digest: Digest
    }

    /// Who has brought what is stored.
    let author: WorkerDescription
    /// The attempt that did.
    let attempt: Int
    /// What others have brought since that is not the same.
    var dissents: [Dissent] = []
    /// Once the result is known to be right, those who have brought another one and of whom something may still count: the
    /// job is not over before.
    var awaited: Set<String> = []
}

/// What has come of comparing a result with the one that is stored.
package enum Comparison: Sendable, Equatable {
    case same
    /// It is another one; the SHA-256 of its rows.
    case different(Digest)
}

/// Results that are computed twice, and what follows when they differ: a third worker decides, whoever is alone with its
/// result gets no more work, and all that it brought and nobody has verified is computed again.
extension CoordinatorCore {
    /// Who answers for a worker: its key, or where there are no keys its process alone.
    static func party(of registration: Registration, _ credential: Credential?) -> String {
        credential.map { "the key \($0.name)" }
            ?? "session " + registration.session.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Whether a worker may go on with what a block has come to. Where results are verified nobody goes on with what
    /// another party has computed: the result would be that of both.
    func goesOn(_ attempt: Attempt, at worker: WorkerID) -> Bool {
        guard let state = identities[attempt.job].flatMap({ jobs[$0]?.checkpointed[attempt.block] }) else {
            return false
        }
        return configuration.verification == nil || state.party == workers[worker]?.record.party
    }

    /// Has a block computed once more whose result is being stored.
    mutating func verify(_ attempt: Attempt, of id: Digest, by author: WorkerDescription) {
        jobs[id]?.checks[attempt.block] = ResultCheck(author: author, attempt: attempt.number)
        act(on: .verify(attempt, besides: [author.party]))
    }

    /// Has a result compared with the one that is stored.
    mutating func compare(_ attempt: Attempt, _ worker: WorkerID, _ report: BlockReport, _ result: BlockRecord) {
        guard let id = identities[attempt.job], let origin = origin(worker, for: id),
            let check = jobs[id]?.checks[attempt.block]
        else { return }
        note(id, worker)
        jobs[id]?.countCheck(report, from: origin)
        // At once: the block may come to the same worker again, as another attempt.
        if let peer = workers[worker]?.peer { send(.taken(job: id, blocks: [attempt.block]), to: peer) }
        ask(.compare(attempt, against: check.attempt, origin, result))
    }

    /// A result was compared with the one that is stored.
    mutating func compared(
        _ attempt: Attempt, against earlier: Int, _ origin: WorkerDescription, _ outcome: Comparison
    ) {
        // The stored one may have been thrown away meanwhile, and another one be there.
        guard let id = identities[attempt.job], let check = jobs[id]?.checks[attempt.block], check.attempt == earlier
        else { return }
        let block = "block \(attempt.block) of job \(id.hex.prefix(8))"
        switch outcome {
        case .same:
            for dissent in check.dissents { distrust(dissent.worker, "it returned a wrong result of \(block)") }
            let awaited = Set(check.dissents.map(\.worker.party)).subtracting(disowned)
            jobs[id]?.await(awaited, before: attempt.block)
            settle(attempt.block, of: id)
        case .different(let digest):
            guard !check.dissents.contains(where: { $0.digest == digest }) else {
                let wrong = [check.author] + check.dissents.filter { $0.digest != digest }.map(\.worker)
                for worker in wrong { distrust(worker, "it returned a wrong result of \(block)") }
                return
            }
            jobs[id]?.checks[attempt.block]?.dissents.append(.init(worker: origin, digest: digest))
            let all = [check.author] + check.dissents.map(\.worker) + [origin]
            log(
                .warning,
                "\(block): the results of \(all.map(\.told).joined(separator: ", ")) differ; another one is to decide")
            let first = Attempt(job: attempt.job, block: attempt.block, number: attempt.number)
            act(on: .verify(first, besides: Set(all.map(\.party))))
        }
    }

    /// What a party has brought does not count any more.
    mutating func disowned(_ party: String) {
        disowned.insert(party)
        for id in jobs(where: { !$0.settling.isEmpty }) {
            for block in jobs[id]?.settling.sorted() ?? [] {
                jobs[id]?.checks[block]?.awaited.remove(party)
                settle(block, of: id)
            }
        }
    }

    /// Lets go of a result that is known to be right, once nothing counts any more of those who said otherwise.
    private mutating func settle(_ block: Int, of id: Digest) {
        guard let number = jobs[id]?.number, jobs[id]?.checks[block]?.awaited.isEmpty == true else { return }
        jobs[id]?.verified(block)
        ask(.note(.verified(job: number, block: block)))
        act(on: .verified(number, block: block))
    }

    /// Somebody was found to have brought a wrong result: whatever else is of that party and not verified goes.
    private mutating func distrust(_ worker: WorkerDescription, _ reason: String) {
        guard distrusted.insert(worker.party).inserted else { return }
        log(
            .error,
            "\(worker.told) is not trusted any more: \(reason), of which two others have another one. It gets no more "
                + "work, and what it brought and nobody has verified is computed again")
        act(on: .distrusted(party: worker.party, reason: reason))
        passJudgement(onFinishedJobsOf: worker)
        for id in jobs(where: { !$0.state.isOver }) {
            guard let job = jobs[id] else { continue }
            for block in job.checkpointed.filter({ $0.value.party == worker.party }).keys.sorted() {
                jobs[id]?.checkpointed[block] = nil
                ask(.note(.stateLost(job: job.number, block: block)))
                act(on: .stateLost(job.number, block: block))
            }
        }
        ask(.disown(party: worker.party))
    }

    /// Jobs that are finished can't be mended, and those that use what they have found would come to nothing right.
    private mutating func passJudgement(onFinishedJobsOf worker: WorkerDescription) {
        // Those whose files are being made are as good as finished.
        let doubtful = jobs.values.filter {
            let isComplete = $0.state == .running && $0.work?.progress == nil && scheduler.view(of: $0.number) == nil
            return ($0.state == .finished || isComplete) && $0.hasUnverifiedBlocks(of: worker.party)
        }.sorted { $0.number < $1.number }
        guard !doubtful.isEmpty else { return }
        let names = doubtful.map { "\($0.name) \($0.identity.hex.prefix(8))" }.joined(separator: ", ")
        log(
            .error,
            "jobs that are finished have results of \(worker.told) that nobody has verified: \(names); hand them in again "
                + "with --force")
        let identities = Set(doubtful.map(\.identity))
        let hashes = Set(identities.map(\.hex))
        let users = jobs(where: { job in
            guard !job.state.isOver, let work = job.work else { return false }
            return work.waitsFor.map(identities.contains) == true
                || work.preliminaries.contains { hashes.contains($0.jobHash) }
        })
        for id in users {
            fail(
                id,
                reason:
                    "what was found for it has results of \(worker.told), which returned a wrong result, that nobody "
                    + "has verified; hand it in again with --force")
        }
    }
}

extension WorkerDescription {
    /// For the log: who it is, and whose key it has.
    fileprivate var told: String {
        "worker \(name) on \(host)" + (party.hasPrefix("session ") ? "" : " (\(party))")
    }
}
