import Foundation
import Messaging
import RunFolder

/// A private folder for the socket of a pool, under a path that is short enough for one. It goes with its owner.
///
/// Its owner holds a lock on it. One whose owner was killed is removed by the next that is made beside it.
final class RuntimeFolder: Sendable {
    private static let prefix = "rrr-"
    private static let socketName = "pool"

    /// Where the folder is.
    let path: String
    private let lock: LockHolder

    /// Holds the lock until it goes.
    private final class LockHolder: Sendable {
        private let file: File
        init(_ file: consuming File) { self.file = file }
    }

    /// The path of the socket in it.
    var socket: String { "\(path)/\(Self.socketName)" }

    /// Makes one in the first place that takes it: TMPDIR, XDG_RUNTIME_DIR, /tmp.
    ///
    /// - Throws: ``PoolClientError`` with exit status 73, naming all that was tried.
    convenience init(environment: [String: String] = ProcessInfo.processInfo.environment) throws(PoolClientError) {
        let places = ["TMPDIR", "XDG_RUNTIME_DIR"].compactMap { environment[$0] }.filter { $0.hasPrefix("/") }
        try self.init(in: places + ["/tmp"])
    }

    /// Makes one in the first of these folders that takes it.
    init(in places: [String]) throws(PoolClientError) {
        var problems: [String] = []
        for place in places {
            let base = place.count > 1 && place.hasSuffix("/") ? String(place.dropLast()) : place
            let room = Endpoint.longestPath - "/\(Self.prefix)00000000/\(Self.socketName)".utf8.count
            guard base.utf8.count <= room else {
                problems.append("\(base) has \(base.utf8.count) bytes, and a socket's path room for \(room)")
                continue
            }
            Self.removeDead(in: base)
            do {
                (path, lock) = try Self.make(in: base)
                return
            } catch {
                problems.append("\(base): \((error as? RunFolderError)?.reason ?? error.localizedDescription)")
            }
        }
        throw PoolClientError(
            exitStatus: 73,
            "there is no place for the pool's socket (\(problems.joined(separator: "; "))); "
                + "set TMPDIR to a short path of a folder that can be written")
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    private static func make(in base: String) throws -> (String, LockHolder) {
        // Whoever tidies up may come in between: then another is made.
        for attempt in 1...3 {
            let path = "\(base)/\(prefix)" + UUID().uuidString.prefix(8).lowercased()
            do {
                // Nobody else may look in: the socket has no other lock.
                try FileManager.default.createDirectory(
                    atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
                let file = try File(path, for: .folder)
                if file.tryLock(), FileManager.default.fileExists(atPath: path) { return (path, LockHolder(file)) }
            } catch {
                if attempt == 3 { throw error }
            }
        }
        throw RunFolderError(.inUse, path: base, reason: "folders that are made there go at once")
    }

    /// Removes the folders that owners who are dead have left, with their sockets.
    private static func removeDead(in base: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []
        for name in names where isOurs(name) {
            let path = "\(base)/\(name)"
            // A folder itself, not a link to one, and this user's own.
            guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
                attributes[.type] as? FileAttributeType == .typeDirectory,
                attributes[.ownerAccountID] as? Int == Int(getuid()),
                let file = try? File(path, for: .folder), file.tryLock(),
                // Where locks work, that is, another can't take it as well.
                let second = try? File(path, for: .folder), !second.tryLock(),
                let content = try? FileManager.default.contentsOfDirectory(atPath: path),
                content.allSatisfy({ $0 == socketName })
            else { continue }
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    private static func isOurs(_ name: String) -> Bool {
        let digits = name.dropFirst(prefix.count)
        return name.hasPrefix(prefix) && digits.count == 8 && digits.allSatisfy { $0.isHexDigit && !$0.isUppercase }
    }
}
