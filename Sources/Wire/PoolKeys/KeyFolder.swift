import Glibc
package import Messaging
import RunFolder

/// The folder in which a coordinator keeps its keys, and those that it hands out.
///
/// | file | what |
/// |---|---|
/// | `server.key` | the coordinator's own pair |
/// | `worker.key`, `submitter.key`, `status.key` | a pair, and the coordinator's public key: what a host is given |
/// | `allowed/NAME.pub` | a public key that is let in, and as what |
package struct KeyFolder: Sendable {
    /// Where it is.
    package let path: String

    /// The folder at `path`.
    package init(_ path: String) { self.path = path }

    private var allowed: String { path + "/allowed" }
    private func file(_ name: String) -> String { "\(path)/\(name).key" }

    // MARK: Making

    /// Makes the folder, the coordinator's keys, and one pair for each role.
    ///
    /// - Returns: the files, in the order in which they were made.
    /// - Throws: ``KeyError``: 73 if there are keys already, 77 if others may look into the folder.
    package func generate() throws(KeyError) -> [String] {
        try makePrivate(path)
        let server = try pair()
        try KeyFile(.server, server.publicKey, secret: server.secret).write(to: file("server"))
        try makePrivate(allowed)
        var files = [file("server")]
        for role in PeerRole.allCases { files += try add(role, named: role.rawValue, server: server.publicKey) }
        return files
    }

    /// Makes one more pair, which is let in from the next reading of the allow-list on.
    ///
    /// - Parameter name: of lower-case letters, digits and hyphens; new in this folder.
    /// - Returns: the files.
    /// - Throws: as ``generate()``; 66 if the folder has no coordinator's keys, 64 if the name is none.
    package func add(_ role: PeerRole, named name: String) throws(KeyError) -> [String] {
        guard Self.isName(name) else {
            throw KeyError(
                exitStatus: 64, path: name,
                "no name for keys; take 1 to 64 lower-case letters, digits and hyphens, and not \"server\"")
        }
        try checkPrivate()
        return try add(role, named: name, server: try KeyFile(path: file("server"), isSecret: true).publicKey)
    }

    private func add(_ role: PeerRole, named name: String, server: CurveKey) throws(KeyError) -> [String] {
        let pair = try pair()
        let owner = KeyFile.Owner(rawValue: role.rawValue) ?? .status
        let files = [file(name), "\(allowed)/\(name).pub"]
        try KeyFile(owner, pair.publicKey, secret: pair.secret, server: server).write(to: files[0])
        // Last: a key is let in when all of it is there.
        try KeyFile(owner, pair.publicKey).write(to: files[1])
        return files
    }

    private func pair() throws(KeyError) -> CurvePair {
        do throws(MessagingError) {
            return try CurvePair.generated()
        } catch {
            throw KeyError(exitStatus: 70, path: path, "\(error)")
        }
    }

    private static func isName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count) && name != KeyFile.Owner.server.rawValue
            && name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    }

    private func makePrivate(_ path: String) throws(KeyError) {
        if Folder.isFolder(path) { return try checkPrivate(path) }
        try keyFiles { () throws(RunFolderError) in
            if let end = path.lastIndex(of: "/"), end > path.startIndex { try Folder.create(String(path[..<end])) }
        }
        guard mkdir(path, 0o700) == 0 else {
            throw KeyError(
                exitStatus: 73, path: path, "the folder can't be made: \(String(cString: strerror(errno)))")
        }
    }

    // MARK: Reading

    private func checkPrivate() throws(KeyError) { try checkPrivate(path) }

    /// Refuses a folder into which others may look.
    private func checkPrivate(_ path: String) throws(KeyError) {
        guard Folder.isFolder(path) || access(path, F_OK) != 0 else {
            throw KeyError(exitStatus: 66, path: path, "no folder; a coordinator takes the one that keygen has made")
        }
        let (mode, owner) = try keyFiles { () throws(RunFolderError) in try File(path, for: .folder).access() }
        guard owner == geteuid() || owner == 0 else {
            throw KeyError(exitStatus: 77, path: path, "the folder belongs to another user")
        }
        guard mode & 0o077 == 0 else {
            throw KeyError(
                exitStatus: 77, path: path,
                "others may look into this folder (\(String(mode, radix: 8))); take that away (chmod 700)")
        }
    }

    /// The coordinator's own pair. - Throws: ``KeyError``.
    package func serverPair() throws(KeyError) -> CurvePair {
        try checkPrivate()
        let path = file("server")
        let keys = try KeyFile(path: path, isSecret: true)
        guard keys.owner == .server, let secret = keys.secret else {
            throw KeyError(exitStatus: 65, path: path, "these are no keys of a coordinator")
        }
        return CurvePair(publicKey: keys.publicKey, secret: secret)
    }

    /// Whom the coordinator lets in. - Throws: ``KeyError``; one file that can't be trusted is enough.
    package func allowList() throws(KeyError) -> [CurveKey: Credential] {
        try checkPrivate(allowed)
        let names = try keyFiles { () throws(RunFolderError) in try Folder.names(in: allowed) }
        var list: [CurveKey: Credential] = [:]
        for name in names.sorted() where name.hasSuffix(".pub") && !name.hasPrefix(".") {
            let path = "\(allowed)/\(name)"
            let keys = try KeyFile(path: path, isSecret: false)
            guard let role = keys.owner.role else {
                throw KeyError(exitStatus: 65, path: path, "a coordinator's key is nobody's to be let in with")
            }
            guard keys.secret == nil else {
                throw KeyError(exitStatus: 65, path: path, "a secret key has no place in the allow-list; remove it")
            }
            if let other = list[keys.publicKey] {
                throw KeyError(exitStatus: 65, path: path, "the same key is let in as \(other.name) already")
            }
            list[keys.publicKey] = Credential(name: String(name.dropLast(4)), role: role)
        }
        return list
    }

    /// The keys of somebody who talks to a coordinator.
    ///
    /// - Parameters:
    ///   - path: their file, or a folder as ``generate()`` makes it.
    ///   - roles: whose file to take of a folder: the first that is there.
    /// - Throws: ``KeyError``; 77 for keys of another role.
    package static func clientKeys(_ path: String, for roles: [PeerRole]) throws(KeyError) -> ClientKeys {
        var path = path
        if Folder.isFolder(path) {
            let folder = KeyFolder(path)
            try folder.checkPrivate()
            let files = roles.map { folder.file($0.rawValue) }
            path = files.first { access($0, F_OK) == 0 } ?? files[0]
        }
        let keys = try KeyFile(path: path, isSecret: true)
        guard let role = keys.owner.role, let secret = keys.secret, let server = keys.server else {
            throw KeyError(
                exitStatus: 65, path: path, "these are no keys to connect with; take a worker.key or the like")
        }
        guard roles.contains(role) else {
            let wanted = roles.map { "a \($0.rawValue)'s" }.joined(separator: " or ")
            throw KeyError(exitStatus: 77, path: path, "the keys of a \(role.rawValue), and \(wanted) are needed")
        }
        return ClientKeys(pair: CurvePair(publicKey: keys.publicKey, secret: secret), server: server)
    }
}
