import Foundation

/// A private folder for the sockets of a worker's model servers, under a path that is short enough for one.
final class ServerFolder: Sendable {
    private static let prefix = "rrr-servers-"
    /// Of a socket's path 107 bytes are the system's limit, and a server's name has up to 64.
    private static let longestBase = 24

    let path: String

    /// Makes one, and removes those whose workers were killed. - Throws: what Foundation says if it can't be made.
    init(environment: [String: String] = ProcessInfo.processInfo.environment) throws {
        let wish = environment["TMPDIR"] ?? ""
        let base = wish.hasPrefix("/") && wish.utf8.count <= Self.longestBase ? wish : "/tmp"
        Self.removeDead(in: base)
        path = "\(base)/\(Self.prefix)\(getpid())"
        try? FileManager.default.removeItem(atPath: path)
        // Nobody else may look in: the sockets have no other lock.
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    private static func removeDead(in base: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? [] where name.hasPrefix(prefix) {
            let path = "\(base)/\(name)"
            guard let process = Int32(name.dropFirst(prefix.count)), kill(process, 0) != 0, errno == ESRCH,
                let attributes = try? FileManager.default.attributesOfItem(atPath: path),
                attributes[.type] as? FileAttributeType == .typeDirectory,
                attributes[.ownerAccountID] as? Int == Int(getuid())
            else { continue }
            try? FileManager.default.removeItem(atPath: path)
        }
    }
}
