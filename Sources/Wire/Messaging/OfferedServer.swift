import CWireMessages

/// A model server that is ready beside a worker.
package struct OfferedServer: Hashable, Sendable {
    /// The most that one worker offers.
    package static let most = 64
    /// The longest name, in bytes.
    package static let longestName = 64

    /// What jobs call it: see ``isName(_:)``.
    package var name: String
    /// Of its arithmetic: equal ones give equal bytes. Letters and digits.
    package var fingerprint: String

    /// Both as given.
    package init(name: String, fingerprint: String) {
        self.name = name
        self.fingerprint = fingerprint
    }

    /// Whether a text can be a server's name: lower-case letters, digits and hyphens, at most ``longestName``. So none is a
    /// path or a command.
    package static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= longestName
            && text.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D
            }
    }

    /// Whether a text can be a server's fingerprint.
    package static func isFingerprint(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 64
            && text.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0)
            }
    }
}

extension OfferedServer: WirePart {
    static var blank: OfferedServer { OfferedServer(name: "", fingerprint: "") }

    static func prepare(_ fields: UnsafeMutablePointer<Rrr__Wire__OfferedServer>?) {
        rrr__wire__offered_server__init(fields)
    }

    mutating func pass(_ m: inout Rrr__Wire__OfferedServer, _ wire: inout WirePass) {
        wire.line(&name, &m.name, atMost: .max)
        wire.line(&fingerprint, &m.fingerprint, atMost: .max)
        wire.check(Self.isName(name), "a server whose name is none")
        wire.check(Self.isFingerprint(fingerprint), "a server whose fingerprint is none")
    }
}

extension WirePass {
    mutating func servers(
        _ servers: inout [OfferedServer], _ count: inout Int,
        _ field: inout UnsafeMutablePointer<UnsafeMutablePointer<Rrr__Wire__OfferedServer>?>?
    ) {
        check(count <= OfferedServer.most, "\(count) servers")
        parts(&servers, &count, &field)
    }
}
