/// What is told to somebody who asks why a job is where it is.
extension Scheduler {
    /// Who has what of a job, and how one of its blocks stands.
    package struct Standing: Sendable, Equatable {
        /// How many blocks of the job a worker holds, by worker.
        package let held: [WorkerID: Int]
        /// Why workers get no work any more, by worker.
        package let setAside: [WorkerID: String]
        /// Whether blocks of it wait and jobs of a higher priority have blocks that wait too.
        package let waitsForOthers: Bool
        /// Of the block that was asked for; nil if it is not the job's.
        package let block: BlockView?
    }

    /// How a block stands.
    package struct BlockView: Sendable, Equatable {
        /// Whether its result is there.
        package let isDone: Bool
        /// Whether it has failed too often and is not tried again.
        package let isSetAside: Bool
        /// Attempts that were begun.
        package let attempts: Int
        /// Who holds it.
        package let holds: [Hold]
        /// How it was lost or failed since it last got further, in that order; the worker is 0 if it is not known any more.
        package let reports: [Report]
    }

    /// A worker's hold on a block.
    package struct Hold: Sendable, Equatable {
        package let worker: WorkerID
        /// The attempt's number.
        package let attempt: Int
        /// The part that is done.
        package let fraction: Double
    }

    /// How a block was lost or failed.
    package struct Report: Sendable, Equatable {
        package let worker: WorkerID
        package let reason: String
    }

    /// How a job stands, and a block of it; nil once it is over.
    package func standing(of job: JobNumber, block: Int?) -> Standing? {
        guard let ledger = jobs[job] else { return nil }
        let held = workers.mapValues { $0.leases.count { $0.attempt.job == job } }
        let isUrgent = jobs.values.contains { $0.priority > ledger.priority && $0.waiting > 0 && !$0.isPaused }
        return Standing(
            held: held.filter { $0.value > 0 }, setAside: workers.compactMapValues(\.dismissal),
            waitsForOthers: ledger.waiting > 0 && isUrgent,
            block: block.flatMap { 0..<ledger.blocks ~= $0 ? standing(of: $0, in: ledger, of: job) : nil })
    }

    private func standing(of block: Int, in ledger: JobLedger, of job: JobNumber) -> BlockView {
        let holds = ledger.holders(of: block).map { holder in
            let lease = workers[holder.worker]?.lease(of: Attempt(job: job, block: block, number: holder.number))
            return Hold(worker: holder.worker, attempt: holder.number, fraction: lease?.fraction ?? 0)
        }
        return BlockView(
            isDone: ledger.isDone(block), isSetAside: ledger.isSetAside(block), attempts: ledger.attempts(at: block),
            holds: holds, reports: ledger.reports(of: block).map { Report(worker: $0.worker, reason: $0.reason) })
    }
}
