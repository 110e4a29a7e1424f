import ContentHash
import Messaging
import SampleMessages
import Testing

/// What a peer may say without being believed.
struct DecodingLimitsTests {
    private static let job = Wire.bytes(1, Samples.job.bytes)
    private static let attempt = Wire.bytes(1, job + Wire.number(2, 4) + Wire.number(3, 1))

    private func code(_ bytes: [UInt8], _ limits: DecodingLimits = DecodingLimits()) -> MessagingError.Code? {
        failure { () throws(MessagingError) in _ = try Message.decode(bytes, limits: limits) }?.code
    }

    @Test(arguments: Samples.all.indices)
    func `Every beginning of every message is refused`(index: Int) {
        let bytes = Samples.all[index].encoded()
        for count in bytes.indices { #expect(code(Array(bytes[..<count])) != nil) }
    }

    @Test(arguments: [
        ("more steps done than there are", Wire.envelope(12, attempt + Wire.number(2, 5) + Wire.number(3, 4))),
        ("samples cut inside a value", Wire.envelope(14, attempt + Wire.bytes(2, [0, 0, 0]))),
        ("a heartbeat of no time", Wire.envelope(30, Wire.number(1, 1) + Wire.number(3, 6_000))),
        ("a silence of no time", Wire.envelope(30, Wire.number(1, 1) + Wire.number(2, 1_000))),
        (
            "a chunk beyond its file's end",
            Wire.envelope(74, job + Wire.number(3, 9) + Wire.number(4, 10) + Wire.bytes(5, [1, 2]))
        ),
        ("a chunk after its file's end", Wire.envelope(74, job + Wire.number(3, 11) + Wire.number(4, 10))),
        ("a block beyond Int", Wire.envelope(31, job + Wire.bytes(3, Wire.number(1, 1 << 63)))),
    ])
    func `Numbers that contradict each other are refused`(what: String, bytes: [UInt8]) {
        #expect(code(bytes) == .malformed, "\(what)")
    }

    @Test func `Lists, texts and messages have a length that is let in and one that is not`() {
        var limits = DecodingLimits()
        limits.entries = 2
        limits.textBytes = 8
        #expect(code(Message.workers([Samples.worker, Samples.worker]).encoded(), limits) == nil)
        let three = Message.workers([Samples.worker, Samples.worker, Samples.worker])
        #expect(code(three.encoded(), limits) == .malformed)
        #expect(code(Message.revoke(job: Samples.job, blocks: [1, 2, 3]).encoded(), limits) == .malformed)
        #expect(code(Message.drain(reason: "12345678").encoded(), limits) == nil)
        #expect(code(Message.drain(reason: "123456789").encoded(), limits) == .malformed)
        let heartbeat = Message.heartbeat().encoded()
        limits.messageBytes = heartbeat.count
        #expect(code(heartbeat, limits) == nil)
        limits.messageBytes -= 1
        #expect(code(heartbeat, limits) == .malformed)
    }

    @Test func `Few bytes that would unpack to very many are refused at the budget's end`() {
        // An empty job status is two bytes here and more than a hundred in memory.
        let statuses = (0..<(1 << 20)).map { UInt8($0 % 2 == 0 ? 0x0A : 0) }
        var limits = DecodingLimits()
        limits.unpackedBytes = 16 << 20
        #expect(code(Wire.envelope(71, statuses), limits) == .malformed)
        // So are the unknown fields that protobuf-c would keep.
        let unknown = (0..<(1 << 20)).map { UInt8($0 % 2 == 0 ? 0x78 : 0) }
        #expect(code(Wire.envelope(14, unknown), limits) == .malformed)
        // However little there is to give, it fails cleanly.
        let status = Message.poolStatus(Samples.poolStatus).encoded()
        for budget in stride(from: 0, to: 4_096, by: 16) {
            limits.unpackedBytes = budget
            _ = code(status, limits)
        }
    }

    @Test func `What a later program has added is passed over`() throws {
        let later = Wire.envelope(53, Self.job + Wire.number(77, 5) + Wire.bytes(78, [1, 2, 3]))
        #expect(try Message.decode(later) == .cancel(job: Samples.job))
    }

    @Test func `Noise inside an envelope of every kind ends nothing`() {
        var numbers = SeededNumbers(state: 13)
        for round in 0..<20_000 {
            let noise = (0..<numbers.below(60)).map { _ in UInt8(numbers.below(256)) }
            if let message = try? Message.decode(Wire.envelope(10 + UInt64(round % 66), noise)) {
                // By its bytes, since a number may be NaN.
                #expect((try? Message.decode(message.encoded()).encoded()) == message.encoded())
            }
        }
    }

    @Test func `A number without a place on the wire travels as the nearest with one`() throws {
        let welcome = Message.welcome(worker: 1, registration: 1, heartbeat: .zero, silence: .seconds(1e12))
        #expect(
            try Message.decode(welcome.encoded())
                == .welcome(
                    worker: 1, registration: 1, heartbeat: .milliseconds(1), silence: .milliseconds(Int(UInt32.max))))
        let revoke = Message.revoke(job: Samples.job, blocks: [-1])
        #expect(try Message.decode(revoke.encoded()) == .revoke(job: Samples.job, blocks: [0]))
    }
}

/// Knuth's MMIX generator: the same numbers on every machine.
struct SeededNumbers {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        // The low bits of such a generator have short periods.
        return Int(state >> 33) % bound
    }
}
