import PoolCore

/// Everything that a history is made of: who takes part, what goes wrong and when. Times are microseconds.
public struct HistoryPlan: Sendable {
    struct Worker: Sendable {
        var slots = 1
        var group = "a"
        /// Its time for a step, in hundredths of the usual.
        var pace = 100
        /// Whether all that it runs fails.
        var fails = false
        /// Before this time it can run nothing, for want of room.
        var unableUntil = 0
        /// Results of a thousand that are not what its blocks come to.
        var lies = 0
    }

    /// What is wrong with a block, at the step at which it shows.
    enum Poison: Sendable {
        case kills, fails, hangs
    }

    struct Job: Sendable {
        var time = 0
        var blocks = 1
        var steps = 4
        /// Microseconds.
        var stepTime = 100_000
        /// Steps between checkpoints.
        var interval = 2
        /// Pieces that a state of one of its blocks travels in.
        var pieces = 1
        /// The model that it looks for the steps of, in a pilot of its own or of others with the same; nil for one that
        /// needs none.
        var model: Int?
        var priority = 0
        var share = 1.0
        var timeLimit: Int?
        var poison: [Int: (Poison, step: Int)] = [:]
        /// Once it has failed its user hands it in again, with the blocks mended.
        var isHandedInAgain = false
    }

    enum Fault: Sendable {
        /// A worker's process dies, and another takes its place after the time; `isSeen`: its death is known at once.
        case crash(worker: Int, down: Int, isSeen: Bool)
        /// It is asked to stop.
        case stop(worker: Int, down: Int)
        /// It handles nothing for a while.
        case freeze(worker: Int, time: Int)
        /// Nothing gets through to it or from it.
        case partition(worker: Int, time: Int)
        /// Its clock, or the coordinator's, goes forward.
        case jump(worker: Int?, by: Int)
        case coordinatorCrash(down: Int)
        case coordinatorStop(down: Int)
        case coordinatorFreeze(time: Int)
        case fullDisk(time: Int)
        case cancel(job: Int)
        case pause(job: Int, time: Int)
        case prioritize(job: Int, Int)
        /// Somebody says what nobody can make use of.
        case stranger(Nonsense)
    }

    /// What a stranger, or a worker of another build, may say.
    enum Nonsense: Int, Sendable, CaseIterable {
        /// A message of another version, or a longer one than may be.
        case otherVersion, tooLong
        /// What only registered workers say, from one that is not.
        case unregistered
        /// From a registered worker: a state that is longer than any, one of a block that there is not, a result of
        /// another shape, a piece from the middle of a state.
        case hugeState, strangeBlock, misshapenResult, strayPiece
    }

    struct Network: Sendable {
        var latency = 1_000
        var jitter = 0
        /// Messages of a thousand that are lost, arrive twice, or overtake others.
        var lost = 0
        var repeated = 0
        var reordered = 0
    }

    /// Of what is drawn on the way: delays and losses.
    var seed: UInt64
    var configuration = PoolConfiguration()
    var workers: [Worker] = []
    var jobs: [Job] = []
    var faults: [(time: Int, fault: Fault)] = []
    var network = Network()
    /// Time between two writes of the store, and of one write.
    var flushEvery = 50_000
    var flushTime = 5_000
    /// Whether workers get no more than a few bytes that they have not read, and states in pieces.
    var isTight = false
    /// The part of all results that is computed twice.
    var verified = 0.0
    /// How long a worker takes to stop a block.
    var stopTime = 20_000
    /// When everything that goes wrong is over.
    var calm = 10_000_000
    /// Whether nothing is in it that counts against a block.
    var isGentle = true

    /// All jobs have ended so long after `calm`: whoever was lost is found to be (silence), has come back and is
    /// registered (two waits of at most `silence`, settling); stuck blocks are called back as often as the limit
    /// allows, each time with a way back to a worker; what is left of the work is done by the slowest worker alone, and
    /// again by each worker that fails, and three times more where results are compared; and a third on top for round
    /// trips.
    var bound: Int {
        let silence = configuration.silence.microseconds
        let settling = configuration.settling.microseconds
        let slowest = workers.map(\.pace).max() ?? 100
        let delay = 200_000 + 8 * (network.latency + network.jitter)
        let work =
            jobs.map { ($0.blocks + 1) * ($0.steps * $0.stepTime + delay) }.reduce(0, +) * slowest / 100
            * (verified > 0 ? 4 : 1)
        let poisoned = jobs.map(\.poison.count).reduce(0, +)
        let incident = configuration.stall.microseconds + 2 * silence + settling
        let rest = configuration.longestRest.microseconds + configuration.orphanhood.microseconds
        return (rest + 4 * silence + 3 * settling + 2 * work + poisoned * 2 * configuration.crashLimit * incident) * 4
            / 3
    }

    var isReliable: Bool { network.lost == 0 && network.repeated == 0 && network.reordered == 0 }
}

extension Duration {
    var microseconds: Int { Int(self / .microseconds(1)) }
}
