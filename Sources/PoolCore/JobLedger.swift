/// What the scheduler remembers of one job: which blocks wait, run and are done.
///
/// Blocks that were never granted are a single number, finished ones a bit each, so a job of a
/// million chains costs kilobytes.
struct JobLedger {
    let blocks: Int
    private(set) var finishedCount = 0
    /// Attempts that run now, by block.
    private(set) var running: [Int: Set<Attempt>] = [:]

    private var firstNeverGranted = 0
    /// Blocks to run again, the lowest last.
    private var returned: [Int] = []
    private var finished: [UInt64]
    /// Attempts so far, for blocks that had more than one.
    private var attempts: [Int: Int] = [:]
    private var crashes: [Int: Int] = [:]

    init(blocks: Int) {
        self.blocks = blocks
        finished = [UInt64](repeating: 0, count: (blocks + 63) / 64)
    }

    var waiting: Int { blocks - firstNeverGranted + returned.count }
    var isFinished: Bool { finishedCount == blocks }

    func isFinished(_ block: Int) -> Bool { finished[block / 64] >> UInt64(block % 64) & 1 == 1 }

    /// The next block to run, those that came back first.
    mutating func next(job: JobNumber) -> Attempt? {
        let block: Int
        if let again = returned.popLast() {
            block = again
        } else if firstNeverGranted < blocks {
            block = firstNeverGranted
            firstNeverGranted += 1
        } else {
            return nil
        }
        let number = (attempts[block] ?? 0) + 1
        attempts[block] = number
        let attempt = Attempt(job: job, block: block, number: number)
        running[block, default: []].insert(attempt)
        return attempt
    }

    /// Takes a result. Returns false for a block that is already finished: both are the same bytes.
    mutating func finish(_ attempt: Attempt) -> Bool {
        let block = attempt.block
        guard block >= 0, block < blocks, !isFinished(block), attempts[block] != nil else { return false }
        finished[block / 64] |= 1 << UInt64(block % 64)
        finishedCount += 1
        running[block] = nil
        attempts[block] = nil
        crashes[block] = nil
        returned.removeAll { $0 == block }
        return true
    }

    /// Puts a block back whose attempt will not finish; a planned stop counts against nobody.
    ///
    /// - Returns: how often the block was lost or failed, 0 if it needs nothing.
    mutating func giveBack(_ attempt: Attempt, counts: Bool) -> Int {
        let block = attempt.block
        guard running[block]?.remove(attempt) != nil else { return 0 }
        if counts { crashes[block, default: 0] += 1 }
        if running[block]?.isEmpty == true {
            running[block] = nil
            let place = returned.firstIndex { $0 < block } ?? returned.count
            returned.insert(block, at: place)
        }
        return crashes[block] ?? 0
    }
}
