import CZeroMQ
import Glibc

/// A public key of CURVE (ZeroMQ RFC 26), in the 40 characters of Z85 that people write it in.
package struct CurveKey: Hashable, Sendable, CustomStringConvertible {
    /// The characters of a key.
    package static let length = 40

    /// In Z85.
    package let description: String

    /// Nil if the text is no key.
    package init?(_ text: String) {
        guard let bytes = Z85.bytes(of: text) else { return nil }
        self.init(bytes: bytes)
    }

    /// All zeros are nobody's: what they share with any secret key is known to everybody.
    init?(bytes: [UInt8]) {
        guard bytes.count == 32, bytes.contains(where: { $0 != 0 }) else { return nil }
        description = Z85.text(of: bytes)
    }

    /// The 32 bytes.
    var bytes: [UInt8] { Z85.bytes(of: description) ?? [] }
}

/// A secret key of CURVE. It is written nowhere but into its file: as text it says nothing of itself.
package struct CurveSecret: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    /// In Z85, for its file.
    package let text: String

    /// Nil if the text is no key.
    package init?(_ text: String) {
        guard Z85.bytes(of: text)?.count == 32 else { return nil }
        self.text = text
    }

    package var description: String { "a secret key" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    var bytes: [UInt8] { Z85.bytes(of: text) ?? [] }

    /// The public key that belongs to it; nil if ZeroMQ can't do CURVE.
    package var publicKey: CurveKey? {
        var key = [CChar](repeating: 0, count: CurveKey.length + 1)
        guard zmq_curve_public(&key, text) == 0 else { return nil }
        return CurveKey(Z85.string(key))
    }
}

/// A public key and the secret one that belongs to it.
package struct CurvePair: Sendable {
    /// What others know it by.
    package let publicKey: CurveKey
    /// What it proves itself with.
    package let secret: CurveSecret

    /// Both as given.
    package init(publicKey: CurveKey, secret: CurveSecret) { (self.publicKey, self.secret) = (publicKey, secret) }

    /// A new pair. Only in a process that has no encrypted sockets: libsodium may be closed under their feet by it
    /// (libzmq#4241).
    ///
    /// - Throws: ``MessagingError`` where ZeroMQ can't do CURVE.
    package static func generated() throws(MessagingError) -> CurvePair {
        var (key, secret) = (
            [CChar](repeating: 0, count: CurveKey.length + 1), [CChar](repeating: 0, count: CurveKey.length + 1)
        )
        defer { for index in secret.indices { secret[index] = 0 } }
        try zeroMQ("making a pair of keys") { zmq_curve_keypair(&key, &secret) }
        guard let key = CurveKey(Z85.string(key)), let secret = CurveSecret(Z85.string(secret)) else {
            throw .malformed("ZeroMQ made keys that are none")
        }
        return CurvePair(publicKey: key, secret: secret)
    }

    /// Whether this ZeroMQ was built with CURVE.
    package static var isPossible: Bool { zmq_has("curve") == 1 }
}

/// What a worker or a submitter has: its own pair, and the key of the one coordinator that it talks to.
package struct ClientKeys: Sendable {
    /// Its own.
    package let pair: CurvePair
    /// The coordinator's.
    package let server: CurveKey

    /// Both as given.
    package init(pair: CurvePair, server: CurveKey) { (self.pair, self.server) = (pair, server) }
}

/// What somebody may do in a pool.
package enum PeerRole: String, Sendable, CaseIterable, Hashable {
    /// Runs blocks.
    case worker
    /// Hands jobs in, looks after them and fetches what they come to.
    case submitter
    /// Asks how things stand.
    case status
}

/// A key that a coordinator lets in, as it is known there.
package struct Credential: Hashable, Sendable {
    /// The name that the allow-list gives the key.
    package let name: String
    /// What its owner may do.
    package let role: PeerRole

    /// Both as given.
    package init(name: String, role: PeerRole) { (self.name, self.role) = (name, role) }
}

/// Bytes as characters that can be copied by hand (ZeroMQ RFC 32).
private enum Z85 {
    private static let alphabet = Set(
        Array("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#".utf8))

    /// Nil if the text is none of 40 characters, or stands for more than 32 bytes can.
    static func bytes(of text: String) -> [UInt8]? {
        guard text.utf8.count == CurveKey.length, text.utf8.allSatisfy(alphabet.contains) else { return nil }
        var bytes = [UInt8](repeating: 0, count: 32)
        guard zmq_z85_decode(&bytes, text) != nil else { return nil }
        // Several texts may stand for the same bytes where one overflows.
        return self.text(of: bytes) == text ? bytes : nil
    }

    static func text(of bytes: [UInt8]) -> String {
        var text = [CChar](repeating: 0, count: CurveKey.length + 1)
        guard zmq_z85_encode(&text, bytes, bytes.count) != nil else { return "" }
        return string(text)
    }

    static func string(_ text: [CChar]) -> String {
        String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
