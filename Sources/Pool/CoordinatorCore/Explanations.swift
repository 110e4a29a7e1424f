import ContentHash
import Journal
import Messaging
import PoolCore

/// Why a job is where it is.
extension CoordinatorCore {
    /// Tells where a job runs and what it waits for, and how the block of a chain stands.
    mutating func explain(_ id: Digest, chain: Int?, to peer: PeerID) {
        guard let explanation = explanation(of: id, block: chain.flatMap { jobs[id]?.block(ofChain: $0) }) else {
            return send(.refusal(exitStatus: 66, text: "there is no job \(id.hex.prefix(8)) here"), to: peer)
        }
        if let chain, chain >= explanation.status.chainsTotal {
            let text =
                "the chains of job \(id.hex.prefix(8)) are 0 to \(explanation.status.chainsTotal - 1), not \(chain)"
            return send(.refusal(exitStatus: 64, text: text), to: peer)
        }
        if let block = explanation.block, block.stage == .done, let number = jobs[id]?.number {
            // The journal knows who did it.
            return ask(.locate(block: block.block, of: number, for: peer))
        }
        send(.explanation(explanation), to: peer)
    }

    /// The same, of a block whose result is there, once it is known who has brought it.
    mutating func explain(_ block: Int, of number: JobNumber, done result: FinishedBlock?, to peer: PeerID) {
        guard let id = identities[number], var explanation = explanation(of: id, block: block) else {
            return send(.refusal(exitStatus: 66, text: "the job was deleted meanwhile"), to: peer)
        }
        if let result, explanation.block?.stage == .done {
            explanation.block?.attempts = result.attempt
            explanation.block?.told = [
                BlockAttempt(worker: result.worker, number: result.attempt, fraction: 1, failure: "")
            ]
        }
        send(.explanation(explanation), to: peer)
    }

    /// So that the message is a small one, which nobody need count.
    private static let mostToldWorkers = 200

    private func explanation(of id: Digest, block: Int?) -> Explanation? {
        guard var status = status(of: id) else { return nil }
        guard let job = jobs[id] else { return Explanation(status: status, workers: [], block: nil) }
        let standing = scheduler.standing(of: job.number, block: block)
        if status.notice.isEmpty, !job.state.isOver { status.notice = reason(of: job, standing) }
        return Explanation(
            status: status,
            workers: Array(
                job.workers(holding: standing?.held ?? [:]) { workers[$0]?.record }.prefix(Self.mostToldWorkers)),
            block: block.flatMap { number in standing?.block.map { self.standing($0, of: number) } })
    }

    /// Why no block of a job runs that could; empty if some do.
    private func reason(of job: RunningJob, _ standing: Scheduler.Standing?) -> String {
        let id = job.identity.hex.prefix(8)
        if job.isPaused { return "it is paused; it goes on with: rrr-coordinator resume \(id)" }
        guard !workers.isEmpty else { return "there is no worker: start some with rrr-worker" }
        guard let standing, standing.held.isEmpty else { return "" }
        if standing.setAside.count == workers.count,
            let (worker, reason) = standing.setAside.min(by: { $0.key < $1.key })
        {
            return "all workers are set aside; worker \(worker): \(reason)"
        }
        return standing.waitsForOthers
            ? "jobs of a higher priority go first; that changes with: rrr-coordinator prioritize \(id) N"
            : "other jobs have the workers; its turn comes"
    }

    private func standing(_ view: Scheduler.BlockView, of block: Int) -> BlockStanding {
        let failed = view.reports.map {
            BlockAttempt(worker: $0.worker == 0 ? "" : "\($0.worker)", number: 0, fraction: 0, failure: $0.reason)
        }
        let held = view.holds.map {
            BlockAttempt(worker: "\($0.worker)", number: $0.attempt, fraction: $0.fraction, failure: "")
        }
        return BlockStanding(
            block: block,
            stage: view.isDone ? .done : view.isSetAside ? .setAside : held.isEmpty ? .waiting : .held,
            attempts: view.attempts, told: failed + held)
    }
}
