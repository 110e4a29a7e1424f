import CWireMessages
package import ContentHash
package import RunFolder

/// One attempt at one block of a job.
package struct AttemptID: Hashable, Sendable {
    /// The hash of the canonical job.
    package var job: Digest
    /// The block's place among its job's.
    package var block: Int
    /// Counts the times that the block was given out.
    package var attempt: Int

    /// Every field as given.
    package init(job: Digest, block: Int, attempt: Int) {
        self.job = job
        self.block = block
        self.attempt = attempt
    }
}

extension AttemptID: WirePart {
    static var blank: AttemptID { AttemptID(job: .blank, block: 0, attempt: 0) }
    static func prepare(_ fields: UnsafeMutablePointer<Rrr__Wire__AttemptID>?) { rrr__wire__attempt_id__init(fields) }

    mutating func pass(_ m: inout Rrr__Wire__AttemptID, _ wire: inout WirePass) {
        wire.digest(&job, &m.job)
        wire.number(&block, &m.block)
        wire.number(&attempt, &m.attempt)
    }
}

/// How far a running block is.
package struct BlockProgress: Sendable, Equatable {
    /// What is reported on.
    package var attempt: AttemptID
    /// At most ``stepsTotal``.
    package var stepsDone: Int
    /// In the whole block.
    package var stepsTotal: Int
    /// At the level just done; NaN if there were no transitions.
    package var acceptance: Double

    /// Every field as given.
    package init(attempt: AttemptID, stepsDone: Int, stepsTotal: Int, acceptance: Double) {
        self.attempt = attempt
        self.stepsDone = stepsDone
        self.stepsTotal = stepsTotal
        self.acceptance = acceptance
    }
}

extension BlockProgress {
    /// Goes through its fields.
    mutating func pass(_ m: inout Rrr__Wire__Progress, _ wire: inout WirePass) {
        wire.part(&attempt, &m.attempt)
        wire.number(&stepsDone, &m.steps_done)
        wire.number(&stepsTotal, &m.steps_total)
        wire.check(m.steps_done <= m.steps_total, "\(m.steps_done) steps done of \(m.steps_total)")
        wire.same(&acceptance, &m.acceptance)
    }
}

/// What a block has come to, or a piece of it: a long state travels in pieces, in their order, and without what is
/// stored of it.
package struct BlockState: Sendable, Equatable {
    /// The most bytes of a piece.
    package static let longestPiece = 1 << 20

    /// What is reported on.
    package var attempt: AttemptID
    /// Of the whole block's.
    package var stepsDone: Int
    /// What it takes to go on from there, or a piece of that; empty if it has not begun.
    package var state: [UInt8]
    /// Where the piece begins; 0 for a whole state.
    package var offset: Int
    /// Where the first piece begins: what is before that is stored already.
    package var start: Int
    /// Bytes at the state's start that no later state of the block changes; no piece goes across their end.
    package var settled: Int
    /// Whether nothing follows.
    package var isLast: Bool

    /// Every field as given.
    package init(
        attempt: AttemptID, stepsDone: Int, state: [UInt8], offset: Int = 0, start: Int = 0, settled: Int = 0,
        isLast: Bool = true
    ) {
        self.attempt = attempt
        self.stepsDone = stepsDone
        self.state = state
        self.offset = offset
        self.start = start
        self.settled = settled
        self.isLast = isLast
    }

    /// Whether nothing goes before it.
    package var isFirst: Bool { offset == start }

    /// Whether it is all that is sent of a state.
    package var isOnly: Bool { isFirst && isLast }

    /// Whether ``pieces(from:atMost:)`` may have made it.
    var isPossible: Bool {
        let end = offset.addingReportingOverflow(state.count)
        return start <= min(offset, settled) && !end.overflow
            && (offset >= settled || (end.partialValue <= settled && !isLast))
    }

    /// A whole state as pieces, in their order; one, even if it is empty.
    ///
    /// - Parameters:
    ///   - start: where they begin, at most at ``settled``: what is before that is stored where they go.
    ///   - most: bytes of a piece.
    package func pieces(from start: Int = 0, atMost most: Int = Self.longestPiece) -> [BlockState] {
        let start = start <= settled ? start : 0
        var pieces: [BlockState] = []
        var offset = start
        repeat {
            let end = min(offset + most, offset < settled ? settled : state.count)
            pieces.append(
                BlockState(
                    attempt: attempt, stepsDone: stepsDone, state: Array(state[offset..<end]), offset: offset,
                    start: start, settled: settled, isLast: end == state.count))
            offset = end
        } while offset < state.count
        return pieces
    }
}

extension BlockState {
    /// Goes through its fields.
    mutating func pass(_ m: inout Rrr__Wire__Checkpoint, _ wire: inout WirePass) {
        var more = !isLast
        wire.part(&attempt, &m.attempt)
        wire.number(&stepsDone, &m.steps_done)
        wire.bytes(&state, &m.state)
        wire.number(&offset, &m.offset)
        wire.flag(&more, &m.more)
        wire.number(&start, &m.start)
        wire.number(&settled, &m.settled)
        isLast = !more
        wire.check(isPossible, "a piece that no state is cut into")
    }
}

/// A finished block.
package struct BlockReport: Sendable, Equatable {
    /// What is reported on.
    package var attempt: AttemptID
    /// Float32, little-endian, [chains, draws, …shape].
    package var samples: [UInt8]
    /// Its rows of the arrays that the job leaves beside the samples.
    package var statistics: StatisticRows
    /// Over all chains.
    package var gradientEvaluations: Int
    /// How long it ran.
    package var seconds: Double

    /// Every field as given.
    package init(
        attempt: AttemptID, samples: [UInt8], statistics: StatisticRows, gradientEvaluations: Int, seconds: Double
    ) {
        self.attempt = attempt
        self.samples = samples
        self.statistics = statistics
        self.gradientEvaluations = gradientEvaluations
        self.seconds = seconds
    }
}

extension BlockReport {
    /// Goes through its fields.
    mutating func pass(_ m: inout Rrr__Wire__BlockResult, _ wire: inout WirePass) {
        wire.check(
            m.samples.len % MemoryLayout<Float>.size == 0,
            "\(m.samples.len) bytes of samples, not a whole number of values")
        wire.part(&attempt, &m.attempt)
        wire.bytes(&samples, &m.samples)
        var entries = statistics.entries
        wire.parts(&entries, &m.n_statistics, &m.statistics)
        if wire.isReading { statistics = StatisticRows(entries) }
        wire.number(&gradientEvaluations, &m.gradient_evaluations)
        wire.same(&seconds, &m.seconds)
    }
}

extension StatisticRows.Entry: WirePart {
    static var blank: StatisticRows.Entry { StatisticRows.Entry(name: "", bytes: []) }
    static func prepare(_ fields: UnsafeMutablePointer<Rrr__Wire__Statistic>?) { rrr__wire__statistic__init(fields) }

    mutating func pass(_ m: inout Rrr__Wire__Statistic, _ wire: inout WirePass) {
        wire.line(&name, &m.name, atMost: PeerText.longestName)
        wire.bytes(&bytes, &m.rows)
    }
}
