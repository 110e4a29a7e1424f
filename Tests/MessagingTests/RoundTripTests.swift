import ContentHash
import Messaging
import RunFolder
import SampleMessages
import Testing

/// What is encoded is what is decoded.
struct RoundTripTests {

    private func again(_ message: Message) throws -> Message { try Message.decode(message.encoded()) }

    @Test(arguments: Samples.all.indices)
    func `Every message is the same after its way over the wire`(index: Int) throws {
        let message = Samples.all[index]
        // The description shows every field, and NaN as itself.
        #expect("\(try again(message))" == "\(message)")
        #expect(try again(message).encoded() == message.encoded())
    }

    @Test func `A registration keeps every field`() throws {
        guard case .registration(let registration) = try again(.registration(Samples.registration)) else {
            Issue.record("another message")
            return
        }
        #expect(registration == Samples.registration)
    }

    @Test func `A result keeps every number to the bit, NaN too`() throws {
        guard case .result(let report) = try again(.result(Samples.report)) else {
            Issue.record("another message")
            return
        }
        #expect(report.attempt == Samples.attempt)
        #expect(report.samples == Samples.report.samples)
        #expect(report.statistics == ["one": [0, 255, 7], "none": [], "ä": [1]])
        #expect(report.gradientEvaluations == 1 << 50)
        #expect(report.seconds == 12.5)
    }

    @Test func `A long state is cut into pieces that make the whole again, a short one stays as it is`() throws {
        #expect(Samples.state.pieces() == [Samples.state])
        #expect(BlockState(attempt: Samples.attempt, stepsDone: 0, state: []).pieces().map(\.isOnly) == [true])
        let bytes = (0..<2 * BlockState.longestPiece + 7).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let pieces = BlockState(attempt: Samples.attempt, stepsDone: 5, state: bytes).pieces()
        #expect(pieces.map(\.offset) == [0, BlockState.longestPiece, 2 * BlockState.longestPiece])
        #expect(pieces.map(\.isLast) == [false, false, true])
        #expect(pieces.map(\.state.count) == [BlockState.longestPiece, BlockState.longestPiece, 7])
        #expect(pieces.flatMap(\.state) == bytes)
        #expect(pieces.allSatisfy { $0.attempt == Samples.attempt && $0.stepsDone == 5 && !$0.isOnly })
        let draws = BlockState(attempt: Samples.attempt, stepsDone: 5, state: Array(0..<20), settled: 11)
        for (start, offsets) in [(0, [0, 4, 8, 11, 15, 19]), (8, [8, 11, 15, 19]), (11, [11, 15, 19]), (12, [0])] {
            let pieces = draws.pieces(from: start, atMost: 4)
            #expect(pieces.map(\.offset).starts(with: offsets))
            #expect(pieces.map(\.isFirst) == [true] + [Bool](repeating: false, count: pieces.count - 1))
            #expect(pieces.flatMap(\.state) == Array((offsets[0]..<20).map(UInt8.init)))
            for piece in pieces { #expect(try again(.checkpoint(piece)) == .checkpoint(piece)) }
        }
        for (offset, start, settled, isLast) in [
            (5, 6, 8, false), (5, 5, 4, false), (5, 0, 7, false), (5, 0, 8, true), (.max - 2, 0, 0, false),
        ] {
            let wrong = BlockState(
                attempt: Samples.attempt, stepsDone: 5, state: [1, 2, 3], offset: offset, start: start,
                settled: settled, isLast: isLast)
            for message in [Message.checkpoint(wrong), .returned(wrong)] {
                #expect(throws: MessagingError.self) { try again(message) }
            }
        }
        for piece in pieces {
            guard case .checkpoint(piece) = try again(.checkpoint(piece)) else {
                Issue.record("another message")
                return
            }
        }
    }

    @Test func `Progress without transitions has the acceptance NaN`() throws {
        var progress = Samples.progress
        progress.acceptance = .nan
        guard case .progress(let back) = try again(.progress(progress)) else {
            Issue.record("another message")
            return
        }
        #expect(back.acceptance.isNaN)
        #expect((back.attempt, back.stepsDone, back.stepsTotal) == (Samples.attempt, 3, 9))
    }

    @Test(arguments: JobStatus.State.allCases)
    func `A job's state survives, whichever it is`(state: JobStatus.State) throws {
        guard case .event(let status) = try again(.event(Samples.status(state))) else {
            Issue.record("another message")
            return
        }
        #expect(status.state == state)
        #expect(status.acceptance.isNaN)
        #expect((status.job, status.name, status.failure) == (Samples.job, "ring", Samples.status(state).failure))
        #expect((status.chainsTotal, status.chainsDone, status.workers) == (1_000_000, 17, 4))
        #expect((status.fraction, status.secondsElapsed) == (0.125, 3.5))
    }

    @Test func `Leases, workers and file chunks come back as they went`() throws {
        guard case .lease(let lease) = try again(.lease(Samples.lease)),
            case .workers(let workers) = try again(.workers([Samples.worker])),
            case .fileChunk(let chunk) = try again(.fileChunk(Samples.chunk))
        else {
            Issue.record("another message")
            return
        }
        #expect(lease == Samples.lease)
        #expect(workers == [Samples.worker])
        #expect(chunk == Samples.chunk)
    }

    @Test func `Nothing is as good as something`() throws {
        let empty: [Message] = [
            .goodbye(reason: ""), .revoke(job: Samples.job, blocks: []), .workers([]),
            .lease(Lease(job: Samples.job, jobText: [], textDigest: Samples.job, blocks: [])),
            .poolStatus(PoolStatus(jobs: [], workers: 0, slots: 0, version: "", uptimeSeconds: 0)),
            .submit(jobText: [], force: false, watch: false),
            .fileChunk(FileChunk(job: Samples.job, file: "", offset: 0, total: 0, data: [])),
            .modelChunk(ModelChunk(model: Samples.job, offset: 0, total: 0, data: [])),
            .modelChunk(ModelChunk(model: Samples.job, offset: 5, total: 5, data: [])),
        ]
        for message in empty { #expect("\(try again(message))" == "\(message)") }
    }

    @Test func `A model's longest piece comes back as it went, and so does a refusal without words`() throws {
        let data = [UInt8](repeating: 7, count: ModelChunk.longest)
        let chunk = ModelChunk(model: Samples.job, offset: 3, total: 3 + data.count, data: data)
        #expect(try again(.modelChunk(chunk)) == .modelChunk(chunk))
        guard case .modelUnavailable(Samples.job, let reason) = try again(.modelUnavailable(Samples.job, reason: ""))
        else {
            Issue.record("another message")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test func `A text with a NUL loses only the NUL`() throws {
        guard case .goodbye(let reason) = try again(.goodbye(reason: "a\0b")) else {
            Issue.record("another message")
            return
        }
        #expect(reason == "ab")
    }

    @Test func `A result of four megabytes is the same after its way`() throws {
        var report = Samples.report
        report.samples = (0..<4_000_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        guard case .result(let back) = try again(.result(report)) else {
            Issue.record("another message")
            return
        }
        #expect(back.samples == report.samples)
    }
}
