import ContentHash
import CoordinatorCore
import Journal
import Logging
import PoolCore
import RunFolder

/// Whether what the journal says of a job's rows is so.
extension ArchiveWriter {
    /// Blocks that are looked at together.
    private static let mostBlocks = 4_096

    /// Takes up what is stored of a run that was interrupted. Blocks whose rows are damaged go.
    ///
    /// - Returns: what is left; nil if its files are not there or not of this job.
    /// - Throws: `JournalError` with the code `malformed` if what the journal says of it can't be; `RunFolderError`.
    mutating func resume(
        _ job: RecoveredJob, _ folder: String, _ description: RunDescription
    ) throws -> RecoveredJob? {
        let number = job.record.number
        if let problem = job.problem(blocks: (description.chains - 1) / description.block + 1) {
            throw JournalError(
                .malformed, path: journal.path,
                reason:
                    "what it says of job \(job.record.hash.hex.prefix(8)) is damaged: \(problem). The job's files are "
                    + "left as they are; submit it with --force to begin it anew, or cancel it")
        }
        let recorded = job.finishedBlocks.map {
            $0.lowerBound * description.block..<min($0.upperBound * description.block, description.chains)
        }
        let suspended = try SuspendedRun(
            recordedChains: recorded, gradientEvaluations: job.gradientEvaluations, of: description, folder: folder)
        shelf.take(number, folder: folder, description, as: suspended)
        do {
            let damaged = try forgetDamagedBlocks(of: number, try shelf.open(number))
            guard !damaged.isEmpty else { return job }
            let found = "\(damaged.count) of \(job.finishedCount) stored blocks"
            logger.error("job \(description.name): the rows of \(found) are damaged; they run again")
            try journal.append([.lost(job: number, blocks: damaged)])
            return try journal.recover(job: number)
        } catch {
            // Whatever went wrong, the files stay for the next try.
            shelf.remove(number, keepsFiles: true)
            guard let error = error as? RunFolderError, error.code == .missing || error.code == .malformed else {
                throw error
            }
            logger.error("what was stored of job \(description.name) can't be read, it begins anew: \(error)")
            return nil
        }
    }

    /// Sends the blocks back to run again whose rows in the files are not those that came.
    mutating func loseDamagedBlocks(of job: JobNumber, _ run: RunStaging) throws {
        lose(try forgetDamagedBlocks(of: job, run), of: job)
    }

    /// Takes blocks out of a run whose rows have another checksum than the journal has. - Returns: these blocks.
    private func forgetDamagedBlocks(of job: JobNumber, _ run: RunStaging) throws -> [Int] {
        guard shelf.contains(job) else { return [] }
        var damaged: [StoredBlock] = []
        var next = 0
        while true {
            let blocks = try journal.storedBlocks(job: job, from: next, atMost: Self.mostBlocks)
            guard let last = blocks.last else { break }
            for neighbours in blocks.split(whereNeighbours: { $0.block + 1 == $1.block }) {
                let range = neighbours[neighbours.startIndex].block..<neighbours[neighbours.endIndex - 1].block + 1
                let numbers = Set(try run.damagedBlocks(among: range, checksums: neighbours.map(\.checksum)))
                damaged += neighbours.filter { numbers.contains($0.block) }
            }
            next = last.block + 1
        }
        try forget(damaged, of: job, run)
        return damaged.map(\.block)
    }

    /// Takes blocks out of a run.
    func forget(_ blocks: [StoredBlock], of job: JobNumber, _ run: RunStaging) throws {
        guard let description = shelf.place(of: job)?.description else { return }
        for block in blocks {
            let first = block.block * description.block
            try run.forget(
                first..<min(first + description.block, description.chains),
                gradientEvaluations: block.gradientEvaluations)
        }
    }
}

extension Array {
    /// Cuts where two elements next to each other are no neighbours.
    fileprivate func split(whereNeighbours areNeighbours: (Element, Element) -> Bool) -> [ArraySlice<Element>] {
        var pieces: [ArraySlice<Element>] = []
        var start = startIndex
        for index in indices.dropFirst() where !areNeighbours(self[index - 1], self[index]) {
            pieces.append(self[start..<index])
            start = index
        }
        return isEmpty ? [] : pieces + [self[start...]]
    }
}

extension RunDescription {
    /// The blocks of chains that make whole ones.
    func blocks(of chains: Range<Int>) -> Range<Int> {
        chains.lowerBound / block..<(chains.upperBound - 1) / block + 1
    }
}
