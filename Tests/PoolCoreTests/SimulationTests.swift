import PoolCore
import Testing

/// Random histories: nothing is lost, nothing counts twice, everything ends.
struct SimulationTests {

    @Test(arguments: 0..<4)
    func `No history of a pool loses a block, keeps it twice, or leases an attempt twice`(part: Int) {
        var (ended, kept) = (0, 0)
        for seed in 0..<500 {
            var pool = SimulatedPool(seed: UInt64(part * 500 + seed))
            pool.live(events: 200)
            pool.settle()
            for violation in pool.violations.prefix(1) { Issue.record(Comment(rawValue: violation)) }
            ended += pool.jobsEnded
            kept += pool.kept
        }
        // The histories are worth something only if things happen in them.
        #expect(ended > 500)
        #expect(kept > 5_000)
    }
}

/// A pool whose workers join, die, leave, finish and repeat themselves at random, with a second
/// book kept of who may hold what.
private struct SimulatedPool {
    /// What a history broke; empty if nothing.
    private(set) var violations: [String] = []
    private(set) var jobsEnded = 0
    private(set) var kept = 0

    private var scheduler: Scheduler
    private var random: LinearCongruential
    private var now: Duration = .zero
    private let seed: UInt64

    private var blocks: [JobNumber: Int] = [:]
    private var open: Set<JobNumber> = []
    private var done: [JobNumber: Set<Int>] = [:]
    private var holder: [Attempt: WorkerID] = [:]
    private var alive: [WorkerID] = []
    /// Workers that say nothing more, but are not forgotten yet.
    private var mute: Set<WorkerID> = []
    private var everGranted: [(worker: WorkerID, attempt: Attempt)] = []
    private var grantedOnce: Set<Attempt> = []
    private var nextWorker: WorkerID = 1
    private var nextJob = 1

    init(seed: UInt64) {
        self.seed = seed
        random = LinearCongruential(seed: seed)
        var configuration = PoolConfiguration()
        configuration.crashLimit = 2 + random.below(4)
        configuration.stall = .seconds(20)
        configuration.deepestQueue = 1 + random.below(6)
        scheduler = Scheduler(configuration: configuration)
    }

    mutating func live(events: Int) {
        for _ in 0..<events where violations.isEmpty { anything() }
    }

    /// From here on workers stay and time goes on: every job has to end.
    mutating func settle() {
        let silent = mute
        for _ in 0..<2 { join() }
        for _ in 0..<400 where violations.isEmpty && !open.isEmpty {
            now += .milliseconds(500)
            for id in alive where !silent.contains(id) {
                tell(.heard(id))
                for attempt in held(by: id).prefix(4) { tell(.finished(id, attempt), result: attempt) }
            }
            tell(.ticked)
        }
        if !open.isEmpty { broken("jobs \(open.sorted()) never end") }
    }

    private func held(by id: WorkerID) -> [Attempt] {
        holder.filter { $0.value == id }.keys.sorted { ($0.job, $0.block) < ($1.job, $1.block) }
    }

    private mutating func join() {
        alive.append(nextWorker)
        nextWorker += 1
        tell(.registered(nextWorker - 1, slots: 1 + random.below(3)))
    }

    private mutating func anything() {
        now += .milliseconds(random.below(400))
        let worker = alive.isEmpty ? nil : alive[random.below(alive.count)]
        switch random.below(40) {
        case 0, 1:
            if alive.count < 5 { join() }
        case 2:
            submit()
        case 3:
            if let job = open.sorted().last, random.below(4) == 0 {
                open.remove(job)
                tell(.cancelled(job))
            }
        case 4:
            if let worker { tell(random.below(2) == 0 ? .left(worker) : .died(worker, reason: "dead")) }
        case 5:
            if let worker { mute.insert(worker) }
        case 6...8:
            now += .milliseconds(random.below(4) == 0 ? 7_000 : 900)
            tell(.ticked)
        case 9, 10:
            // A result that may be late, doubled, or of a worker that is long gone.
            if !everGranted.isEmpty {
                let old = everGranted[random.below(everGranted.count)]
                tell(.finished(old.worker, old.attempt), result: old.attempt)
            }
        case 11:
            if let worker, !mute.contains(worker), let attempt = held(by: worker).first {
                tell(.failed(worker, attempt, reason: "failed"))
            }
        case 12...20:
            for id in alive where !mute.contains(id) { tell(.heard(id)) }
        case 21...24:
            if let worker, !mute.contains(worker) {
                for attempt in held(by: worker) { tell(.progressed(worker, attempt)) }
            }
        default:
            if let worker, !mute.contains(worker) {
                let attempts = held(by: worker)
                guard !attempts.isEmpty else { return }
                let attempt = attempts[random.below(attempts.count)]
                tell(.finished(worker, attempt), result: attempt)
            }
        }
    }

    private mutating func submit() {
        guard open.count < 3 else { return }
        let count = 1 + random.below(30)
        blocks[nextJob] = count
        open.insert(nextJob)
        nextJob += 1
        tell(.submitted(nextJob - 1, blocks: count))
    }

    private mutating func broken(_ what: String) { violations.append("seed \(seed), \(now): \(what)") }

    private mutating func tell(_ event: Scheduler.Event, result: Attempt? = nil) {
        if case .failed(_, let attempt, _) = event { holder[attempt] = nil }
        if let result {
            if case .finished(let id, _) = event, holder[result] == id { holder[result] = nil }
        }
        var answers = 0
        for action in scheduler.handle(event, at: now) {
            switch action {
            case .grant(let id, let attempts):
                for attempt in attempts { check(grant: attempt, to: id) }
            case .revoke(let id, let attempts):
                if attempts.isEmpty { broken("an empty revocation") }
                for attempt in attempts where holder.removeValue(forKey: attempt) != id {
                    broken("\(attempt) revoked at \(id), which has it not")
                }
            case .keep(let attempt):
                answers += 1
                kept += 1
                if attempt != result { broken("\(attempt) kept, but \(event) came") }
                if !open.contains(attempt.job) { broken("\(attempt) kept of a job that is over") }
                if !done[attempt.job, default: []].insert(attempt.block).inserted { broken("\(attempt) kept twice") }
            case .drop(let attempt):
                answers += 1
                let needed = open.contains(attempt.job) && done[attempt.job]?.contains(attempt.block) != true
                if attempt != result || needed { broken("\(attempt) dropped") }
            case .jobFinished(let job):
                jobsEnded += 1
                if done[job]?.count != blocks[job] { broken("job \(job) ends with blocks missing") }
                if open.remove(job) == nil { broken("job \(job) ends twice") }
            case .jobFailed(let job, _):
                jobsEnded += 1
                if open.remove(job) == nil { broken("job \(job) ends twice") }
            case .forget(let id, _):
                alive.removeAll { $0 == id }
                mute.remove(id)
                for attempt in held(by: id) { holder[attempt] = nil }
            case .registerAgain(let id):
                if alive.contains(id) { broken("worker \(id) is known") }
            }
        }
        if answers != (result == nil ? 0 : 1) { broken("\(answers) answers to \(event)") }
        checkBooks()
    }

    private mutating func check(grant attempt: Attempt, to id: WorkerID) {
        if !alive.contains(id) { broken("\(attempt) granted to \(id), which is not there") }
        if !open.contains(attempt.job) { broken("\(attempt) granted of a job that is over") }
        if attempt.block < 0 || attempt.block >= blocks[attempt.job] ?? 0 { broken("\(attempt) does not exist") }
        if done[attempt.job]?.contains(attempt.block) == true { broken("\(attempt) granted, but it is done") }
        if !grantedOnce.insert(attempt).inserted { broken("\(attempt) granted twice") }
        if holder.keys.contains(where: { $0.job == attempt.job && $0.block == attempt.block }) {
            broken("\(attempt) granted while another attempt runs")
        }
        holder[attempt] = id
        everGranted.append((id, attempt))
    }

    /// What the scheduler tells of itself agrees with the second book.
    private mutating func checkBooks() {
        for id in alive where scheduler.view(of: id, at: now)?.running != holder.values.count(where: { $0 == id }) {
            broken("the leases of worker \(id) are not what was granted")
        }
        for job in open {
            let counts = scheduler.counts(of: job)
            let running = holder.keys.count { $0.job == job }
            if counts?.finished != done[job, default: []].count || counts?.running != running {
                broken("job \(job) is counted wrong")
            }
        }
        if holder.keys.contains(where: { !open.contains($0.job) }) { broken("a lease of a job that is over") }
        if scheduler.capacity.workers != alive.count { broken("workers are counted wrong") }
    }
}
