import CWireMessages

/// Where a job runs, what it waits for, and how the block of one of its chains stands.
package struct Explanation: Sendable, Equatable {
    /// The job as `status` tells of it; its notice is what it waits for.
    package var status: JobStatus
    /// Who has done something for it or holds blocks of it.
    package var workers: [JobWorker]
    /// Of the chain that was asked for; nil if none was, or the job's blocks are not known.
    package var block: BlockStanding?

    /// Every field as given.
    package init(status: JobStatus, workers: [JobWorker], block: BlockStanding?) {
        (self.status, self.workers, self.block) = (status, workers, block)
    }
}

extension Explanation {
    mutating func pass(_ m: inout Rrr__Wire__Explanation, _ wire: inout WirePass) {
        wire.part(&status, &m.status)
        wire.parts(&workers, &m.n_workers, &m.workers)
        var blocks = block.map { [$0] } ?? []
        wire.parts(&blocks, &m.n_blocks, &m.blocks)
        block = blocks.first
    }
}

/// A worker's part in a job.
package struct JobWorker: Sendable, Equatable {
    /// The name that its results come under: its number.
    package var name: String
    /// The name of its machine; empty if it is not known any more.
    package var host: String
    /// Its process number there.
    package var process: Int
    /// Blocks whose results it has brought.
    package var blocksDone: Int
    /// Blocks that it has now.
    package var blocksHeld: Int
    /// That it computed for the blocks that are done.
    package var seconds: Double

    /// Every field as given.
    package init(name: String, host: String, process: Int, blocksDone: Int, blocksHeld: Int, seconds: Double) {
        (self.name, self.host, self.process) = (name, host, process)
        (self.blocksDone, self.blocksHeld, self.seconds) = (blocksDone, blocksHeld, seconds)
    }
}

extension JobWorker: WirePart {
    static var blank: JobWorker {
        JobWorker(name: "", host: "", process: 0, blocksDone: 0, blocksHeld: 0, seconds: 0)
    }

    static func prepare(_ fields: UnsafeMutablePointer<Rrr__Wire__JobWorker>?) { rrr__wire__job_worker__init(fields) }

    mutating func pass(_ m: inout Rrr__Wire__JobWorker, _ wire: inout WirePass) {
        wire.text(&name, &m.name)
        wire.text(&host, &m.host)
        wire.number(&process, &m.process)
        wire.number(&blocksDone, &m.blocks_done)
        wire.number(&blocksHeld, &m.blocks_held)
        wire.same(&seconds, &m.seconds)
    }
}

/// How a block of a job stands.
package struct BlockStanding: Sendable, Equatable {
    /// What may be the case with a block.
    package enum Stage: String, Sendable, CaseIterable {
        /// It has failed too often and is not tried again.
        case setAside = "set_aside"
        case waiting, held, done
    }

    /// Its number in the job.
    package var block: Int
    package var stage: Stage
    /// Attempts that were begun since the coordinator has taken the job up.
    package var attempts: Int
    /// Those of which something is known: they go on, have brought the result, or have ended badly since the block last
    /// got further.
    package var told: [BlockAttempt]

    /// Every field as given.
    package init(block: Int, stage: Stage, attempts: Int, told: [BlockAttempt]) {
        (self.block, self.stage, self.attempts, self.told) = (block, stage, attempts, told)
    }
}

extension BlockStanding: WirePart {
    static var blank: BlockStanding { BlockStanding(block: 0, stage: .waiting, attempts: 0, told: []) }

    static func prepare(_ fields: UnsafeMutablePointer<Rrr__Wire__BlockStanding>?) {
        rrr__wire__block_standing__init(fields)
    }

    mutating func pass(_ m: inout Rrr__Wire__BlockStanding, _ wire: inout WirePass) {
        wire.number(&block, &m.block)
        stage.pass(&m.stage, &wire)
        wire.number(&attempts, &m.attempts)
        wire.parts(&told, &m.n_told, &m.told)
    }
}

extension BlockStanding.Stage {
    private var onTheWire: Rrr__Wire__BlockStage {
        switch self {
        case .waiting: RRR__WIRE__BLOCK_STAGE__BLOCK_STAGE_WAITING
        case .held: RRR__WIRE__BLOCK_STAGE__BLOCK_STAGE_HELD
        case .done: RRR__WIRE__BLOCK_STAGE__BLOCK_STAGE_DONE
        case .setAside: RRR__WIRE__BLOCK_STAGE__BLOCK_STAGE_SET_ASIDE
        }
    }

    fileprivate mutating func pass(_ field: inout Rrr__Wire__BlockStage, _ wire: inout WirePass) {
        guard wire.isReading else {
            field = onTheWire
            return
        }
        guard let stage = Self.allCases.first(where: { $0.onTheWire == field }) else {
            return wire.refuse("a block at the unknown stage \(field.rawValue)")
        }
        self = stage
    }
}

/// An attempt at a block.
package struct BlockAttempt: Sendable, Equatable {
    /// The worker's name.
    package var worker: String
    /// Counted from 1; 0 if it is not known any more.
    package var number: Int
    /// The part of the block that is done.
    package var fraction: Double
    /// How it ended badly; empty if it did not.
    package var failure: String

    /// Every field as given.
    package init(worker: String, number: Int, fraction: Double, failure: String) {
        (self.worker, self.number, self.fraction, self.failure) = (worker, number, fraction, failure)
    }
}

extension BlockAttempt: WirePart {
    static var blank: BlockAttempt { BlockAttempt(worker: "", number: 0, fraction: 0, failure: "") }

    static func prepare(_ fields: UnsafeMutablePointer<Rrr__Wire__BlockAttempt>?) {
        rrr__wire__block_attempt__init(fields)
    }

    mutating func pass(_ m: inout Rrr__Wire__BlockAttempt, _ wire: inout WirePass) {
        wire.text(&worker, &m.worker)
        wire.number(&number, &m.number)
        wire.same(&fraction, &m.fraction)
        wire.text(&failure, &m.failure)
    }
}
