import CWireMessages
package import ContentHash

/// A worker introduces itself.
package struct Registration: Hashable, Sendable {
    /// 16 random bytes, new for every process.
    package var session: [UInt8]
    /// The name of its machine.
    package var host: String
    /// Its process number there.
    package var process: Int
    /// Blocks that can run side by side.
    package var slots: Int
    /// Of the program.
    package var version: String
    /// Of its arithmetic: equal ones give equal bytes.
    package var fingerprint: String
    /// Counts the registrations of the session.
    package var number: UInt32 = 0
    /// Blocks that wait or run there, or whose results were not taken yet.
    package var holding: [AttemptID] = []
    /// The model servers that are ready beside it.
    package var servers: [OfferedServer] = []

    /// A registration of a worker that holds nothing.
    package init(session: [UInt8], host: String, process: Int, slots: Int, version: String, fingerprint: String) {
        self.session = session
        self.host = host
        self.process = process
        self.slots = slots
        self.version = version
        self.fingerprint = fingerprint
    }
}

extension Registration {
    /// Goes through its fields.
    mutating func pass(_ m: inout Rrr__Wire__Registration, _ wire: inout WirePass) {
        wire.check(m.session.len == 16, "a session of \(m.session.len) bytes instead of 16")
        wire.bytes(&session, &m.session)
        wire.line(&host, &m.host, atMost: PeerText.longestHost)
        wire.number(&process, &m.process)
        wire.number(&slots, &m.slots)
        wire.line(&version, &m.version, atMost: PeerText.longestVersion)
        // Workers of one fingerprint compute the same bytes, so that none is cut.
        wire.line(&fingerprint, &m.fingerprint, atMost: .max)
        wire.check(
            fingerprint.utf8.count <= PeerText.longestVersion, "a fingerprint of \(fingerprint.utf8.count) bytes")
        wire.same(&number, &m.number)
        wire.checkHeld(m.n_holding)
        wire.parts(&holding, &m.n_holding, &m.holding)
        wire.servers(&servers, &m.n_servers, &m.servers)
    }
}

/// Blocks of one job for a worker.
package struct Lease: Sendable, Equatable {
    /// The hash of the canonical job.
    package var job: Digest
    /// What to run, canonical: the job, with the numbers that were found for it first; empty if this session has had it before.
    package var jobText: [UInt8]
    /// The SHA-256 of the text that the blocks are to be run by, whether it is sent or known. It is not the job's where
    /// numbers were found first.
    package var textDigest: Digest
    /// What to run, in this order.
    package var blocks: [AttemptID]
    /// What some of the blocks have come to, by block.
    package var checkpoints: [Int: [UInt8]]
    /// Of blocks whose states came before the lease, in pieces, the bytes of these states, by block.
    package var stateBytes: [Int: Int]
    /// Counts the leases since the welcome, from 1.
    package var number: UInt64
    /// How often to send the state of a running block.
    package var checkpointInterval: Duration

    /// Every field as given.
    package init(
        job: Digest, jobText: [UInt8], textDigest: Digest, blocks: [AttemptID], checkpoints: [Int: [UInt8]] = [:],
        stateBytes: [Int: Int] = [:], number: UInt64 = 0, checkpointInterval: Duration = .seconds(10)
    ) {
        self.job = job
        self.jobText = jobText
        self.textDigest = textDigest
        self.blocks = blocks
        self.checkpoints = checkpoints
        self.stateBytes = stateBytes
        self.number = number
        self.checkpointInterval = checkpointInterval
    }
}

extension Lease {
    /// Goes through its fields.
    mutating func pass(_ m: inout Rrr__Wire__Lease, _ wire: inout WirePass) {
        wire.digest(&job, &m.job)
        wire.bytes(&jobText, &m.job_text)
        wire.digest(&textDigest, &m.text_digest)
        var leased = blocks.map { block in
            LeasedBlock(
                block: block.block, attempt: block.attempt, checkpoint: checkpoints[block.block] ?? [],
                stateBytes: stateBytes[block.block] ?? 0)
        }
        wire.parts(&leased, &m.n_blocks, &m.blocks)
        if wire.isReading {
            blocks = leased.map { AttemptID(job: job, block: $0.block, attempt: $0.attempt) }
            for block in leased {
                if !block.checkpoint.isEmpty { checkpoints[block.block] = block.checkpoint }
                if block.stateBytes > 0 { stateBytes[block.block] = block.stateBytes }
            }
        }
        wire.same(&number, &m.number)
        wire.milliseconds(&checkpointInterval, &m.checkpoint_milliseconds, "an interval between checkpoints")
    }
}

/// A block of a lease, whose job is the lease's.
private struct LeasedBlock {
    var block: Int
    var attempt: Int
    var checkpoint: [UInt8]
    var stateBytes: Int
}

extension LeasedBlock: WirePart {
    static var blank: LeasedBlock { LeasedBlock(block: 0, attempt: 0, checkpoint: [], stateBytes: 0) }
    static func prepare(_ fields: UnsafeMutablePointer<Rrr__Wire__LeasedBlock>?) {
        rrr__wire__leased_block__init(fields)
    }

    mutating func pass(_ m: inout Rrr__Wire__LeasedBlock, _ wire: inout WirePass) {
        wire.number(&block, &m.block)
        wire.number(&attempt, &m.attempt)
        wire.bytes(&checkpoint, &m.checkpoint)
        wire.number(&stateBytes, &m.state_bytes)
    }
}
