import CoordinatorCore
import PoolCore
import RunFolder

/// Whether a result that came a second time is the one that is stored.
extension ArchiveWriter {
    /// Compares a result with the one that is stored; nil if that has gone.
    mutating func compare(_ record: BlockRecord, of job: JobNumber) throws -> Comparison? {
        let before = losses[job]
        do {
            let isSame = try isStored(record, of: job)
            // What is lost runs again, and is compared then.
            return losses[job] != before ? nil : isSame ? .same : .different(record.digest)
        } catch let error as RunFolderError where error.code != .full {
            giveUp(job, "\(error)")
            return nil
        }
    }

    /// Whether the rows of a block are those of a record, in the files or on their way there with this batch.
    private mutating func isStored(_ record: BlockRecord, of job: JobNumber) throws -> Bool {
        if let atHand = records[job]?.first(where: { $0.chainRange.contains(record.firstChain) }) {
            if atHand.chainRange == record.chainRange { return atHand.rows == record.rows }
            // It was put together with its neighbours for a write that failed.
            try store()
        }
        return try openRun(of: job).holds(record)
    }
}
