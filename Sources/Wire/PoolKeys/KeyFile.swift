import Glibc
import Messaging
import RunFolder
import StrictJSON

/// A file with keys of a pool: the pair of somebody who belongs to it, or in the allow-list a public key alone.
struct KeyFile {
    /// Whose keys a file holds.
    enum Owner: String, CaseIterable {
        case server, worker, submitter, status

        var role: PeerRole? { PeerRole(rawValue: rawValue) }
    }

    private static let longest = 4_096
    private static let version = 1

    var owner: Owner
    var publicKey: CurveKey
    /// Nil in the allow-list.
    var secret: CurveSecret?
    /// The coordinator's key, in the file of somebody who talks to it.
    var server: CurveKey?

    // MARK: Reading

    /// Reads a file.
    ///
    /// - Parameter isSecret: whether nobody else may be able to read it; else nobody else may be able to write it.
    /// - Throws: ``KeyError``: 66 if it is not there, 77 if others may do too much with it, 65 if it holds something else.
    init(path: String, isSecret: Bool) throws(KeyError) {
        let (text, problem): ([UInt8], String?) = try keyFiles { () throws(RunFolderError) in
            let file = try File(path, for: .reading)
            let size = try file.size()
            guard size <= Self.longest else {
                throw RunFolderError(.malformed, path: path, reason: "\(size) bytes, and a key file is shorter")
            }
            let (mode, owner) = try file.access()
            return (try file.read(count: size, at: 0), Self.problem(ofMode: mode, owner, isSecret: isSecret))
        }
        if let problem { throw KeyError(exitStatus: 77, path: path, problem) }
        do throws(Malformed) {
            try self.init(json: text)
        } catch {
            throw KeyError(exitStatus: 65, path: path, error.reason)
        }
    }

    private static func problem(ofMode mode: UInt32, _ owner: UInt32, isSecret: Bool) -> String? {
        let excess: UInt32 = isSecret ? 0o077 : 0o022
        guard owner == geteuid() || owner == 0 else { return "it belongs to another user, who may have changed it" }
        guard mode & excess != 0 else { return nil }
        let others = isSecret ? "others may read it; take that away (chmod 600)" : "others may change it"
        return "its permissions are \(String(mode, radix: 8)): \(others)"
            + (isSecret ? ", and make new keys if somebody may have" : "; take that away (chmod go-w)")
    }

    struct Malformed: Error { let reason: String }

    /// Reads what a file says; what is wrong is told without what stands there.
    init(json text: [UInt8]) throws(Malformed) {
        do {
            let root = try JSONParser.parse(text)
            let members = try JSONField(node: root, pointer: "").members(
                "the keys of a pool", allowed: ["rrr_key", "owner", "public", "secret", "server"])
            _ = try members.required("rrr_key", "1").integer(Self.version...Self.version)
            owner = try members.required("owner", "worker").choice(Owner.self, "owner")
            func key(_ name: String) throws(JSONProblem) -> String? {
                guard let field = members[name] else { return nil }
                return try field.string("a key")
            }
            let own = try key("public"), secret = try key("secret"), server = try key("server")
            guard let publicKey = own.flatMap({ CurveKey($0) }) else {
                throw Malformed(reason: "no key stands at \"public\"")
            }
            self.publicKey = publicKey
            self.secret = secret.flatMap { CurveSecret($0) }
            self.server = server.flatMap { CurveKey($0) }
            guard secret == nil || self.secret != nil else { throw Malformed(reason: "no key stands at \"secret\"") }
            guard server == nil || self.server != nil else { throw Malformed(reason: "no key stands at \"server\"") }
        } catch let error as Malformed {
            throw error
        } catch let error as JSONProblem {
            let place = error.pointer.isEmpty ? "" : " at " + error.pointer
            throw Malformed(reason: "line \(error.line): not what a key file has\(place)")
        } catch let error as JSONSyntaxError {
            throw Malformed(reason: "line \(error.line): this is no key file")
        } catch {
            throw Malformed(reason: "this is no key file")
        }
        if let secret, secret.publicKey != publicKey {
            throw Malformed(reason: "\"public\" and \"secret\" do not belong together; copy the file again")
        }
    }

    /// With these keys.
    init(_ owner: Owner, _ publicKey: CurveKey, secret: CurveSecret? = nil, server: CurveKey? = nil) {
        (self.owner, self.publicKey, self.secret, self.server) = (owner, publicKey, secret, server)
    }

    // MARK: Writing

    /// Writes a file that is not there yet, for its owner alone.
    func write(to path: String) throws(KeyError) {
        var members: [(String, JSONText)] = [
            ("rrr_key", .integer(Self.version)), ("owner", .string(owner.rawValue)),
            ("public", .string(publicKey.description)),
        ]
        if let secret { members.append(("secret", .string(secret.text))) }
        if let server { members.append(("server", .string(server.description))) }
        let text = Array(JSONText.object(members).pretty.utf8)
        try keyFiles { () throws(RunFolderError) in
            let file = try File(path, for: .creatingPrivately)
            try file.write(text, at: 0)
            try file.sync()
        }
    }
}
