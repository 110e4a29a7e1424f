import ContentHash
import EnergyModels
import Foundation
import RunFolder
import StrictJSON

/// Finds and reads the files that a job's models name, networks and arrays, each once.
struct ModelFiles {
    /// The most numbers in the arrays of a job: whoever knows the job has them in memory.
    private static let mostStored = 1 << 24

    private let folder: String?
    private let path: (Digest) -> String?
    private var networks: [String: (digest: Digest, network: NetworkDescription)] = [:]
    private var arrays: [String: StoredArray] = [:]
    private(set) var absent: [(digest: Digest?, problem: JSONProblem)] = []
    private(set) var paths: [Digest: String] = [:]

    init(folder: String?, path: @escaping (Digest) -> String?) {
        self.folder = folder
        self.path = path
    }

    /// The file of a model of the kind `network`, and what it says; nil if it is ``absent``.
    mutating func network(_ field: JSONField) throws(JSONProblem) -> (digest: Digest, network: NetworkDescription)? {
        let members = try field.members("a network", allowed: ["kind", "file", "sha256", "label"])
        guard let place = try place(members, "the name of a model file", "\"models/ring.safetensors\"") else {
            return nil
        }
        if let known = networks[place.path] { return known }
        do {
            // What is no model, such as a device without an end, is refused before it is hashed.
            let network = try NetworkFile(path: place.path).description
            let digest = try place.digest ?? SHA256.hash(ofFile: place.path)
            (networks[place.path], paths[digest]) = ((digest, network), place.path)
            return (digest, network)
        } catch {
            throw place.field.problem("\(error)")
        }
    }

    /// The arrays in files that an analytic model names, by the places (JSON pointers) that name them: members that are
    /// objects, and entries of members that are arrays. Nil if one is ``absent``.
    mutating func arrays(of model: JSONField) throws(JSONProblem) -> [String: StoredArray]? {
        let members = try model.members("a model")
        var found: [String: StoredArray] = [:]
        var isWhole = true
        for member in members.names.compactMap({ members[$0] }) {
            let entries = member.isArray ? try member.array("at least one entry") : [member]
            let fields = entries.filter(\.isObject)
            for field in fields {
                guard let array = try array(field) else {
                    isWhole = false
                    continue
                }
                found[field.pointer] = array
            }
        }
        return isWhole ? found : nil
    }

    private mutating func array(_ field: JSONField) throws(JSONProblem) -> StoredArray? {
        let members = try field.members("an array in a file, {\"file\": …}", allowed: ["file", "sha256"])
        guard let place = try place(members, "the name of an array's file", "\"templates.npy\"") else { return nil }
        if let known = arrays[place.path] { return known }
        do {
            let file = try NpyReader(path: place.path)
            let most = Self.mostStored - arrays.values.reduce(0) { $0 + $1.byteCount / 4 }
            guard file.header.count <= most else {
                throw place.field.problem(
                    "\(place.path): has \(file.header.count) numbers; the arrays of a job have at most "
                        + "\(Self.mostStored) together")
            }
            let values = try file.floats()
            if let index = values.firstIndex(where: { !$0.isFinite }) {
                throw place.field.problem(
                    "\(place.path): number \(index) is \(values[index]) in single precision; all must be finite")
            }
            let digest = try place.digest ?? SHA256.hash(ofFile: place.path)
            let array = StoredArray(digest: digest, shape: file.header.shape, values: values)
            (arrays[place.path], paths[digest]) = (array, place.path)
            return array
        } catch let problem as JSONProblem {
            throw problem
        } catch {
            throw place.field.problem("\(error)")
        }
    }

    /// A file, and the field that names it; its SHA-256 if that is how it is named.
    private typealias NamedFile = (path: String, digest: Digest?, field: JSONField)

    /// Where the file is that `file` or `sha256` names; nil if it is ``absent``.
    private mutating func place(
        _ members: JSONMembers, _ wish: String, _ example: String
    ) throws(JSONProblem) -> NamedFile? {
        guard let hash = members["sha256"] else {
            return try namedFile(try members.required("file", "\(wish), such as \(example)"), wish)
        }
        if let file = members["file"] {
            throw file.problem("the SHA-256 names the file already; leave out one of the two")
        }
        let text = try hash.string("64 hexadecimal digits")
        guard let digest = Digest(hex: text) else {
            throw hash.problem("must be 64 hexadecimal digits, is \"\(text)\"")
        }
        guard let path = path(digest) else {
            let message = "no model file with the SHA-256 \(digest.hex) is known here; name it with \"file\""
            absent.append((digest, hash.problem(message)))
            return nil
        }
        return (path, digest, hash)
    }

    private mutating func namedFile(_ field: JSONField, _ wish: String) throws(JSONProblem) -> NamedFile? {
        let name = try field.string(wish)
        guard let folder else {
            throw field.problem("a job that has travelled names its models by \"sha256\"")
        }
        let path = name.hasPrefix("/") ? name : folder + name
        guard FileManager.default.fileExists(atPath: path) else {
            absent.append((nil, field.problem("\(path): no such file; names are relative to the job file")))
            return nil
        }
        return (path, nil, field)
    }
}
