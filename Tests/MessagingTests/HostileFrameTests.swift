import ContentHash
import Messaging
import SampleMessages
import Testing

/// Anybody may write to the pool's port.
struct HostileFrameTests {

    private func code(_ bytes: [UInt8]) -> MessagingError.Code? {
        failure { () throws(MessagingError) in _ = try Message.decode(bytes) }?.code
    }

    /// Numbers that are the same on every run.
    private struct Random {
        var state: UInt64

        mutating func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
    }

    @Test func `Nothing at all is of no version`() {
        #expect(code([]) == .version(0))
    }

    @Test func `An envelope without a body is refused, and so is one with an unknown body`() {
        #expect(code(Wire.number(1, UInt64(Message.protocolVersion))) == .malformed)
        #expect(code(Wire.envelope(99, [])) == .malformed)
        // A checkpoint of nothing.
        #expect(code(Wire.envelope(13, [])) == .malformed)
    }

    @Test(arguments: [
        [0xFF], [0x00], [0x08], Array("GET / HTTP/1.1\r\n\r\n".utf8), [UInt8](repeating: 0xFF, count: 1_000),
        [0x52, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0x08, 0x01, 0x5A, 0x7F, 0x00],
    ])
    func `Garbage is refused`(bytes: [UInt8]) {
        #expect(code(bytes) == .malformed)
    }

    @Test(arguments: [0, 1, 2, 3, 4, 6, UInt32.max])
    func `Another version is refused by its number`(version: UInt32) {
        #expect(code(Wire.envelope(version: version, 11, [])) == .version(version))
    }

    @Test func `The same envelope in this version is a heartbeat`() throws {
        guard case .heartbeat = try Message.decode(Wire.envelope(11, [])) else {
            Issue.record("another message")
            return
        }
    }

    @Test(arguments: [0, 1, 31, 33, 64])
    func `A job is named by 32 bytes and no other number`(count: Int) {
        let name = [UInt8](repeating: 1, count: count)
        let attempt = Wire.bytes(1, Wire.bytes(1, name) + Wire.number(3, 1))
        // Progress, result, failure; lease, revoke; cancel, fetch; accepted, event, file chunk.
        for field: UInt64 in [12, 14, 15] { #expect(code(Wire.envelope(field, attempt)) == .malformed) }
        for field: UInt64 in [31, 32, 53, 54, 70, 74] {
            #expect(code(Wire.envelope(field, Wire.bytes(1, name))) == .malformed)
        }
        // Models are named in the same way.
        #expect(code(Wire.envelope(16, Wire.bytes(1, name) + Wire.number(3, 1))) == .malformed)
        #expect(code(Wire.envelope(33, Wire.bytes(1, name))) == .malformed)
        let status = Wire.bytes(1, name) + Wire.number(3, 1)
        #expect(code(Wire.envelope(72, Wire.bytes(1, status))) == .malformed)
        #expect(code(Wire.envelope(51, Wire.bytes(1, name))) == (count == 0 ? nil : .malformed))
    }

    @Test(arguments: [0, 15, 17, 32])
    func `A session is 16 bytes and no other number`(count: Int) {
        #expect(code(Wire.envelope(10, Wire.bytes(1, [UInt8](repeating: 1, count: count)))) == .malformed)
    }

    @Test func `A message without the part it is about is refused`() {
        for field: UInt64 in [12, 14, 15, 72] { #expect(code(Wire.envelope(field, [])) == .malformed) }
    }

    @Test func `A number beyond Int is refused`() {
        let body = Wire.bytes(1, Samples.job.bytes) + Wire.number(3, .max)
        #expect(code(Wire.envelope(54, body)) == .malformed)
    }

    @Test(arguments: [0, (1 << 20) + 1, UInt64(UInt32.max)] as [UInt64])
    func `A request for no bytes of a model, or for more than a piece has, is refused`(length: UInt64) {
        let name = Wire.bytes(1, Samples.job.bytes)
        #expect(code(Wire.envelope(16, name + Wire.number(3, 1 << 20))) == nil)
        #expect(code(Wire.envelope(16, name + Wire.number(3, length))) == .malformed)
        #expect(code(Wire.envelope(16, name + Wire.number(2, .max) + Wire.number(3, 1))) == .malformed)
    }

    @Test(
        arguments: [
            (0, 2, 3), (2, 3, 2), (4, 3, 0), (1, 3, 0), (0, 1 << 40, 1 << 20 + 1), (.max, .max, 0), (.max - 1, .max, 2),
        ] as [(UInt64, UInt64, Int)])
    func `A piece of a model that does not fit its file, or moves nothing forward, is refused`(
        offset: UInt64, total: UInt64, count: Int
    ) {
        let place = Wire.bytes(1, Samples.job.bytes) + Wire.number(2, offset) + Wire.number(3, total)
        #expect(code(Wire.envelope(33, place + Wire.bytes(4, [UInt8](repeating: 0, count: count)))) == .malformed)
    }

    @Test(arguments: [0, 7, 1_000] as [UInt64])
    func `A job in no known state is refused`(state: UInt64) {
        let status = Wire.bytes(1, Samples.job.bytes) + Wire.number(3, state)
        #expect(code(Wire.envelope(72, Wire.bytes(1, status))) == .malformed)
    }

    @Test func `A text that is not UTF-8 is refused`() {
        #expect(code(Wire.envelope(17, Wire.bytes(1, [0xC3, 0x28]))) == .malformed)
    }

    @Test func `No beginning of a frame ends the process`() {
        for message in Samples.all {
            let bytes = message.encoded()
            for count in 0..<bytes.count {
                if case .socket = code(Array(bytes.prefix(count))) { Issue.record("a socket's error from decoding") }
            }
        }
    }

    @Test func `Two bodies in one envelope are refused: it would be of two kinds`() throws {
        for first in Samples.all {
            for second in Samples.all {
                #expect(code(first.encoded() + second.encoded()) == .malformed)
            }
        }
    }

    @Test func `A short message in a long envelope is refused`() {
        let status = Message.statusRequest(job: nil).encoded()
        #expect(code(status + Wire.bytes(9, [UInt8](repeating: 0, count: 1_000))) == nil)
        #expect(code(status + Wire.bytes(9, [UInt8](repeating: 0, count: 70_000))) == .tooLong)
        let result = Message.result(Samples.report).encoded()
        #expect(code(result + Wire.bytes(9, [UInt8](repeating: 0, count: 70_000))) == .tooLong)
        // Small ones take longer to pass over than they are to send.
        #expect(code(status + [0x10, 0, 0x10, 0]) == nil)
        #expect(code(result + (0..<40).map { UInt8($0 % 2 == 0 ? 0x10 : 0) }) == .malformed)
    }

    @Test func `No frame with a few bytes changed ends the process`() {
        let frames = Samples.all.map { $0.encoded() }
        var random = Random(state: 20)
        var understood = 0
        for _ in 0..<5_000 {
            var bytes = frames[random.below(frames.count)]
            for _ in 0...random.below(4) {
                let place = random.below(bytes.count)
                switch random.below(5) {
                case 0: bytes[place] = UInt8(random.below(256))
                case 1: bytes[place] ^= 1 << UInt8(random.below(8))
                case 2: bytes.insert(UInt8(random.below(256)), at: place)
                case 3: if bytes.count > 1 { bytes.remove(at: place) }
                default: bytes += frames[random.below(frames.count)].prefix(40)
                }
            }
            if let message = try? Message.decode(bytes) {
                understood += 1
                _ = message.encoded()
            }
        }
        #expect((100..<5_000).contains(understood))
    }
}
