/// What the scheduler remembers of one job: which blocks wait, run, are being stored and are done.
///
/// Blocks that wait are ranges, those done at most a bit each, so a job of a million blocks costs kilobytes, whatever
/// somebody says of single ones.
struct JobLedger {
    /// Who runs a block.
    struct Holder: Equatable {
        let worker: WorkerID
        /// The attempt's number.
        let number: Int
    }

    /// A block that something has happened to and that is not done.
    private struct Block {
        var attempts = 0
        var holders: [Holder] = []
        /// Steps behind its latest checkpoint.
        var checkpoint = 0
        /// How it was lost or failed since it last got further.
        var reports: [(worker: WorkerID, reason: String)] = []
        var isSetAside = false
    }

    let blocks: Int
    var priority: Int
    let share: Double
    /// When the job fails; nil for never.
    let deadline: Duration?
    var isPaused: Bool
    /// The model servers that it takes to run it.
    let servers: Set<String>
    /// The arithmetic of what is done of it, and so of the workers that may run it; nil while nothing is.
    private(set) var arithmetic: Arithmetic?
    /// Since when there has been no worker of that arithmetic, but of others; nil if it is not so.
    var orphanedSince: Duration?
    /// The workers' time that it was given, over its share.
    var served = 0.0
    /// Usual seconds from a block's start to its result; nil before there is one.
    private(set) var secondsPerBlock: Double?
    /// Blocks that were granted before that was known, and charged a second each.
    private var unpriced = 0

    private var results = 0
    /// Blocks whose result is there.
    private var finished: BlockSet
    /// Those of them whose result is not stored yet.
    private var storing: Set<Int> = []
    /// Blocks that nobody holds and that are to run. They are granted from the lowest on, so that those that came back
    /// go before those that were never granted: these are all higher.
    private var queue: BlockRanges
    /// Blocks whose results are there and are computed once more.
    private var checks = PendingChecks()
    /// Blocks that workers were found to run and that were not granted here.
    private var adopted = 0
    private var inPlay: [Int: Block] = [:]
    private var setAside: [Int] = []
    /// Whether a result that is there could not be computed once more: then the job is over.
    private var hasUnverifiable = false

    /// - Parameter limit: blocks with this many reports are set aside.
    init(_ terms: JobTerms, _ progress: JobProgress, limit: Int, at now: Duration) {
        blocks = terms.blocks
        priority = terms.priority
        share = terms.share
        deadline = terms.timeLimit.map { now + $0 }
        isPaused = progress.isPaused
        servers = terms.servers
        arithmetic = progress.group.map { Arithmetic($0) }
        // What is read from a disk may be of blocks that there are not.
        finished = progress.stored.limited(to: terms.blocks)
        queue = BlockRanges(finished.gaps(below: terms.blocks))
        for (block, check) in progress.checks where finished.contains(block) {
            inPlay[block, default: Block()].attempts = check.attempts
            checks.add(block, besides: check.parties)
        }
        for (block, steps) in progress.checkpoints where 0..<blocks ~= block && !finished.contains(block) {
            inPlay[block, default: Block()].checkpoint = steps
        }
        for (block, reasons) in progress.reports where 0..<blocks ~= block && !finished.contains(block) {
            inPlay[block, default: Block()].reports = reasons.map { (0, $0) }
            if reasons.count >= limit {
                queue.remove(block)
                inPlay[block]?.isSetAside = true
                setAside.append(block)
            }
        }
    }

    var waiting: Int { queue.count + checks.waitingCount }
    var finishedCount: Int { finished.count }
    /// Blocks that some worker holds.
    var runningCount: Int { blocks - finished.count - setAside.count - queue.count + checks.heldCount }
    /// Whether any result is computed once more.
    var hasChecks: Bool { !checks.isEmpty }
    /// Of those that wait, how many have a result and wait for somebody who computes it once more.
    var waitingChecks: Int { checks.waitingCount }
    /// Whether results are there of all blocks that were not set aside, and all are stored and verified that are to be; or
    /// a block was set aside and nothing of the job has ever come to anything: the others would go the same way.
    var isOver: Bool {
        finished.count + setAside.count == blocks && storing.isEmpty && checks.isEmpty
            || hasUnverifiable || hasFailed && finished.count == 0 && inPlay.values.allSatisfy { $0.checkpoint == 0 }
    }
    /// Whether a block that was given up stands in the way of the job's end.
    var hasFailed: Bool { !setAside.isEmpty }

    func isStoring(_ block: Int) -> Bool { storing.contains(block) }
    func isDone(_ block: Int) -> Bool { finished.contains(block) }
    func isSetAside(_ block: Int) -> Bool { inPlay[block]?.isSetAside ?? false }
    /// Attempts that were begun at a block that is not done.
    func attempts(at block: Int) -> Int { inPlay[block]?.attempts ?? 0 }
    func holders(of block: Int) -> [Holder] { inPlay[block]?.holders ?? [] }
    /// How a block was lost or failed since it last got further.
    func reports(of block: Int) -> [(worker: WorkerID, reason: String)] { inPlay[block]?.reports ?? [] }

    /// Whether a party may compute a block: one that is computed once more is for others than those who have brought it.
    func admits(_ party: String, to block: Int) -> Bool { checks.admits(party, to: block) }

    /// Whether one worker runs the block and it has taken none down: that it could do to two at once.
    func isFitForTwo(_ block: Int) -> Bool {
        !checks.contains(block) && inPlay[block].map { $0.holders.count == 1 && $0.reports.isEmpty } ?? false
    }

    /// Workers that a block was lost or failed at since it last got further.
    func reporters(of block: Int) -> [WorkerID] { inPlay[block]?.reports.map(\.worker) ?? [] }

    /// Whether a worker of this arithmetic has the servers that it takes.
    func isServed(by arithmetic: Arithmetic) -> Bool {
        servers.allSatisfy { arithmetic.servers[$0] != nil }
    }

    /// Whether workers of this arithmetic may run it.
    func admits(_ arithmetic: Arithmetic) -> Bool {
        isServed(by: arithmetic) && (self.arithmetic.map { arithmetic.covers($0) } ?? true)
    }

    /// Ties the job to the arithmetic of a worker that it admits: other workers' results would be other bytes. What was
    /// found for it first may have tied it to a part of that already.
    ///
    /// - Returns: whether it was not.
    mutating func bind(to arithmetic: Arithmetic) -> Bool {
        // Each result comes by here: once all servers are known nothing is left to tie.
        guard self.arithmetic.map({ $0.servers.count < servers.count }) ?? true,
            let part = arithmetic.part(using: servers), self.arithmetic != part
        else { return false }
        self.arithmetic = part
        return true
    }

    /// Whether so little is done that it may as well be done again: a block, or a tenth of them.
    var isHardlyBegun: Bool { finished.count <= max(1, blocks / 10) }

    /// Takes the next block to run: first those that are computed once more, for who brings wrong results is to be found
    /// soon, then those that came back.
    ///
    /// - Parameter peers: how many workers there are; blocks that failed here more often than elsewhere are left to
    ///   the others. One of them always takes it.
    mutating func next(for worker: WorkerID, of party: String, among peers: Int) -> (block: Int, number: Int)? {
        func isFit(_ block: Int) -> Bool {
            let reporters = reporters(of: block)
            return reporters.isEmpty || reporters.count { $0 == worker } <= reporters.count / peers
        }
        guard let next = checks.next(for: party, where: isFit) ?? queue.first(where: isFit) else { return nil }
        if checks.contains(next) { checks.take(next) } else { queue.remove(next) }
        return hold(next, worker)
    }

    /// Gives a block that runs to a second worker.
    mutating func double(_ block: Int, for worker: WorkerID) -> (block: Int, number: Int) { hold(block, worker) }

    private mutating func hold(_ block: Int, _ worker: WorkerID) -> (block: Int, number: Int) {
        inPlay[block, default: Block()].attempts += 1
        let number = inPlay[block]?.attempts ?? 1
        inPlay[block]?.holders.append(Holder(worker: worker, number: number))
        return (block, number)
    }

    /// More blocks than this are not adopted: each costs memory, and anybody may say that he runs it.
    static let mostAdopted = 1 << 16

    /// Takes in that a worker runs a block that nobody else does: it was granted by a coordinator that is gone, or
    /// before the worker was taken for lost.
    ///
    /// - Returns: false if the block is done, unknown, or runs elsewhere, or one too many.
    mutating func adopt(_ attempt: Attempt, by worker: WorkerID) -> Bool {
        let block = attempt.block
        guard block >= 0, block < blocks, !finished.contains(block), holders(of: block).isEmpty else { return false }
        if inPlay[block] == nil {
            guard adopted < Self.mostAdopted else { return false }
            adopted += 1
        }
        take(block)
        inPlay[block, default: Block()].attempts = max(inPlay[block]?.attempts ?? 0, attempt.number)
        inPlay[block]?.holders.append(Holder(worker: worker, number: attempt.number))
        return true
    }

    /// Removes a block that nobody holds from where it waits.
    private mutating func take(_ block: Int) {
        if inPlay[block]?.isSetAside == true {
            inPlay[block]?.isSetAside = false
            setAside.removeAll { $0 == block }
        } else {
            queue.remove(block)
        }
    }

    /// Charges the job for blocks that were granted.
    mutating func charge(blocks: Int) {
        if secondsPerBlock == nil { unpriced += blocks }
        served += Double(blocks) * (secondsPerBlock ?? 1) / share
    }

    /// Takes a result. - Returns: false for a block that has one already: both are the same bytes.
    mutating func finish(_ block: Int, seconds: Double?) -> Bool {
        guard block >= 0, block < blocks, !finished.contains(block) else { return false }
        if holders(of: block).isEmpty { take(block) }
        finished.insert(block)
        storing.insert(block)
        inPlay[block] = nil
        if let seconds, seconds.isFinite {
            results += 1
            served += Double(unpriced) * (seconds - 1) / share
            unpriced = 0
            let weight = max(0.1, 1 / Double(results))
            secondsPerBlock = max(1e-6, (secondsPerBlock ?? 0) * (1 - weight) + seconds * weight)
        }
        return true
    }

    /// Takes in that a block's result will outlast the coordinator.
    mutating func store(_ block: Int) { storing.remove(block) }

    /// Takes in that results which were there are lost: their blocks run again. A run that was to be compared with one of
    /// them takes its place.
    mutating func lose(_ lost: [Int]) {
        for block in lost where finished.remove(block) {
            storing.remove(block)
            checks.remove(block)
            if holders(of: block).isEmpty { queue.insert(block) }
        }
    }

    /// The result that an attempt brought is to come once more, from somebody else than these.
    mutating func check(_ attempt: Attempt, besides parties: Set<String>) {
        guard finished.contains(attempt.block) else { return }
        let attempts = max(inPlay[attempt.block]?.attempts ?? 0, attempt.number)
        inPlay[attempt.block, default: Block()].attempts = attempts
        checks.add(attempt.block, besides: parties)
    }

    /// Takes in that a result has come once more. - Returns: false if the block was not to be compared, or not with that.
    mutating func beginComparison(_ attempt: Attempt, by worker: WorkerID) -> Bool {
        guard checks.contains(attempt.block),
            let place = holders(of: attempt.block).firstIndex(of: Holder(worker: worker, number: attempt.number))
        else { return false }
        inPlay[attempt.block]?.holders.remove(at: place)
        inPlay[attempt.block]?.reports = []
        checks.beginComparison(attempt.block)
        return true
    }

    /// A block's result is known to be right.
    mutating func endCheck(of block: Int) {
        guard checks.contains(block) else { return }
        checks.remove(block)
        inPlay[block] = nil
    }

    /// Takes in a checkpoint. - Returns: whether it is further than the one that is there.
    mutating func checkpoint(_ block: Int, steps: Int) -> Bool {
        guard block >= 0, block < blocks, !finished.contains(block), steps > inPlay[block]?.checkpoint ?? 0 else {
            return false
        }
        inPlay[block, default: Block()].checkpoint = steps
        // What gets further does not take workers down by itself.
        inPlay[block]?.reports = []
        // The news may come after the report that set it aside.
        if inPlay[block]?.isSetAside == true {
            take(block)
            queue.insert(block)
        }
        return true
    }

    /// Takes in that a block's checkpoint is lost: an earlier one is further than none.
    mutating func loseCheckpoint(of block: Int) { inPlay[block]?.checkpoint = 0 }

    /// Puts a block back that a worker will not finish; a planned stop counts against nobody.
    ///
    /// - Parameter report: how it was lost or failed; nil for a planned stop.
    /// - Returns: whether it is the block's last report: then it is set aside.
    mutating func giveBack(_ attempt: Attempt, by worker: WorkerID, report: String?, limit: Int) -> Bool {
        let block = attempt.block
        guard let place = holders(of: block).firstIndex(of: Holder(worker: worker, number: attempt.number)) else {
            return false
        }
        inPlay[block]?.holders.remove(at: place)
        if let report { inPlay[block]?.reports.append((worker, report)) }
        guard inPlay[block]?.holders.isEmpty == true else { return false }
        if inPlay[block]?.reports.count ?? 0 >= limit {
            // What nobody else can compute is not known to be right.
            if checks.contains(block) { hasUnverifiable = true }
            inPlay[block]?.isSetAside = true
            setAside.append(block)
            return true
        }
        if checks.contains(block) { checks.putBack(block) } else { queue.insert(block) }
        return false
    }

    /// Why the blocks that were set aside were: the first ones, with all their reports.
    var verdict: String {
        let worst = setAside.sorted().prefix(3).map { block in
            let reports = inPlay[block]?.reports ?? []
            let texts = reports.enumerated().map { "\($0.offset + 1). \($0.element.reason)" }
            return "block \(block) was lost or failed \(reports.count) times: " + texts.joined(separator: "; ")
        }
        return worst.joined(separator: ". ")
            + (setAside.count > 3 ? ". So were \(setAside.count - 3) more blocks" : "")
    }
}
