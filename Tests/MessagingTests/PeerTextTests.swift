import Messaging
import RunFolder
import SampleMessages
import Testing

/// What peers say in words reaches terminals, logs and files.
struct PeerTextTests {
    private func registered(_ change: (inout Registration) -> Void) throws -> Registration? {
        var registration = Samples.registration
        change(&registration)
        guard case .registration(let read) = try Message.decode(Message.registration(registration).encoded()) else {
            return nil
        }
        return read
    }

    @Test(arguments: [
        ("\u{1B}[2J", "\u{FFFD}[2J"), ("a\r\nb\tc", "a\u{FFFD} b c"), ("\u{9B}31m", "\u{FFFD}31m"),
        ("\u{202E}txt\u{2066}", "\u{FFFD}txt\u{FFFD}"), ("x\u{2028}y", "x\u{FFFD}y"), ("knoten-ü", "knoten-ü"),
    ])
    func `What a terminal would obey is shown instead`(text: String, shown: String) throws {
        #expect(try registered { $0.host = text }?.host == shown)
        #expect(try registered { $0.version = text }?.version == shown)
        let failure = Message.failure(Samples.attempt, text: text)
        guard case .failure(_, let reason, _) = try Message.decode(failure.encoded())
        else {
            Issue.record("another message")
            return
        }
        #expect(reason == shown)
        guard case .goodbye(let farewell) = try Message.decode(Message.goodbye(reason: text).encoded()) else {
            Issue.record("another message")
            return
        }
        #expect(farewell == shown)
    }

    @Test func `A coordinator may say several lines, and no more than that`() throws {
        let refusal = Message.refusal(exitStatus: 65, text: "two\n\tlines\u{1B}]0;title\u{7}")
        #expect(
            try Message.decode(refusal.encoded())
                == .refusal(exitStatus: 65, text: "two\n\tlines\u{FFFD}]0;title\u{FFFD}"))
    }

    @Test func `Texts of a registration are cut, a fingerprint that is too long is refused`() throws {
        let long = String(repeating: "ü", count: 10_000)
        #expect(try registered { $0.host = long }?.host == String(repeating: "ü", count: 127))
        #expect(try registered { $0.version = long }?.version == String(repeating: "ü", count: 32))
        #expect(throws: MessagingError.self) { try registered { $0.fingerprint = long } }
    }

    @Test func `A reason is cut by who sends it, so that it arrives`() throws {
        let failure = Message.failure(Samples.attempt, text: String(repeating: "reason ", count: 1_000_000))
        guard case .failure(_, let text, _) = try Message.decode(failure.encoded()) else {
            Issue.record("another message")
            return
        }
        #expect(text.utf8.count == 2_048)
    }

    @Test func `What is longer than its kind may be is told from the rest before it is unpacked`() {
        func code(_ bytes: [UInt8], _ limits: DecodingLimits = DecodingLimits()) -> MessagingError.Code? {
            failure { () throws(MessagingError) in _ = try Message.decode(bytes, limits: limits) }?.code
        }
        var limits = DecodingLimits()
        limits.jobTextBytes = 1_000_000
        // Nothing could be unpacked.
        limits.unpackedBytes = 0
        let text = [UInt8](repeating: 0x20, count: 1_100_000)
        #expect(code(Message.submit(jobText: text, force: false, watch: true).encoded(), limits) == .tooLong)
        let fits = [UInt8](repeating: 0x20, count: 1_000_000)
        #expect(code(Message.submit(jobText: fits, force: false, watch: true).encoded()) == nil)
        for field: UInt64 in [11, 12, 15, 16, 17, 51, 52, 53, 54, 55] {
            let noise = Wire.envelope(field, [UInt8](repeating: 0, count: 100_000))
            #expect(code(noise, limits) == .tooLong, "field \(field)")
        }
        // A result may be large.
        let result = Message.result(
            BlockReport(
                attempt: Samples.attempt, samples: [UInt8](repeating: 0, count: 32 << 20), statistics: [:],
                gradientEvaluations: 1, seconds: 1))
        #expect(code(result.encoded()) == nil)
    }

    @Test func `A worker says of so many blocks that it holds them, and no more`() {
        var limits = DecodingLimits()
        limits.heldBlocks = 2
        var registration = Samples.registration
        registration.holding = [Samples.attempt, Samples.attempt]
        #expect(throws: Never.self) { try Message.decode(Message.registration(registration).encoded(), limits: limits) }
        registration.holding.append(Samples.attempt)
        #expect(throws: MessagingError.self) {
            try Message.decode(Message.registration(registration).encoded(), limits: limits)
        }
    }
}
