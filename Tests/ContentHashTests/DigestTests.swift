import ContentHash
import Testing

@Suite("Digest")
struct DigestTests {
    private let bytes: [UInt8] = (0..<32).map { $0 * 8 + 7 }

    @Test("hexadecimal digits and bytes lead to each other")
    func roundTrip() throws {
        let digest = try #require(Digest(bytes: bytes))
        #expect(digest.hex.hasPrefix("070f171f"))
        #expect(digest.hex.utf8.count == 2 * Digest.byteCount)
        #expect(Digest(hex: digest.hex) == digest)
        #expect(Digest(hex: digest.hex.uppercased()) == digest)
        #expect("\(digest)" == digest.hex)
    }

    @Test("any number of bytes but 32 is refused", arguments: [0, 31, 33, 64])
    func byteCounts(count: Int) {
        #expect(Digest(bytes: [UInt8](repeating: 0, count: count)) == nil)
    }

    @Test(
        "any text but 64 hexadecimal digits is refused",
        arguments: [
            "", String(repeating: "a", count: 63), String(repeating: "a", count: 65),
            String(repeating: "g", count: 64), "0x" + String(repeating: "a", count: 62),
            // 64 characters of which one is not ASCII, and a full-width digit.
            String(repeating: "a", count: 63) + "é", String(repeating: "a", count: 63) + "１",
        ])
    func malformedHex(text: String) {
        #expect(Digest(hex: text) == nil)
    }
}
