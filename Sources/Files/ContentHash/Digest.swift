/// The SHA-256 of some bytes: 32 bytes, equal when the content is.
package struct Digest: Sendable, Hashable, CustomStringConvertible {
    /// The length of every digest, in bytes.
    package static let byteCount = 32

    /// In place: digests are keys, and come with every message. Single words, for a vector would want an alignment that
    /// the frames of asynchronous functions do not have.
    private struct Words: Hashable {
        let first: UInt64
        let second: UInt64
        let third: UInt64
        let fourth: UInt64
    }

    private let words: Words

    /// The digest's 32 bytes.
    package var bytes: [UInt8] {
        withUnsafeBytes(of: words) { Array($0) }
    }

    /// A digest from its 32 bytes; nil for any other number of them.
    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.init(sha256: bytes)
    }

    /// A digest as the hash function leaves it, which is of the right length by construction.
    init(sha256 bytes: [UInt8]) {
        words = bytes.withUnsafeBytes { $0.loadUnaligned(as: Words.self) }
    }

    /// Every part of a digest is as random as all of it.
    package func hash(into hasher: inout Hasher) { hasher.combine(words.first) }

    /// A digest from the 64 hexadecimal digits of ``hex``, in either case; nil for anything else.
    package init?(hex: String) {
        let digits = hex.utf8.map(Self.nibble)
        guard digits.count == 2 * Self.byteCount else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = digits[index], let low = digits[index + 1] else { return nil }
            bytes.append(high << 4 | low)
        }
        self.init(sha256: bytes)
    }

    /// The digest as 64 lower-case hexadecimal digits.
    package var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        let text = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }

    /// As 64 hexadecimal digits.
    package var description: String { hex }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
