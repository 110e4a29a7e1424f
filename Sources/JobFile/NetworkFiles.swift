import ContentHash
import EnergyModels
import Foundation
import StrictJSON

/// Finds and reads the model files that a job names, each once.
struct NetworkFiles {
    private let folder: String?
    private let path: (Digest) -> String?
    private var known: [String: (digest: Digest, network: NetworkDescription)] = [:]
    private(set) var absent: [(digest: Digest?, problem: JSONProblem)] = []
    private(set) var paths: [Digest: String] = [:]

    init(folder: String?, path: @escaping (Digest) -> String?) {
        self.folder = folder
        self.path = path
    }

    /// The file of a model of the kind `network`, and what it says; nil if it is ``absent``.
    mutating func network(_ field: JSONField) throws(JSONProblem) -> (digest: Digest, network: NetworkDescription)? {
        let members = try field.members("a network", allowed: ["kind", "file", "sha256", "label"])
        guard let hash = members["sha256"] else {
            return try namedFile(try members.required("file", "the model file, such as \"models/ring.safetensors\""))
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
        return try read(path, at: hash) { _ in digest }
    }

    private mutating func namedFile(_ field: JSONField) throws(JSONProblem) -> (Digest, NetworkDescription)? {
        let name = try field.string("the name of a model file")
        guard let folder else {
            throw field.problem("a job that has travelled names its models by \"sha256\"")
        }
        let path = name.hasPrefix("/") ? name : folder + name
        guard FileManager.default.fileExists(atPath: path) else {
            absent.append((nil, field.problem("\(path): no such file; names are relative to the job file")))
            return nil
        }
        return try read(path, at: field) { path throws(UnreadableFile) in try SHA256.hash(ofFile: path) }
    }

    private mutating func read(
        _ path: String, at field: JSONField, hash: (String) throws(UnreadableFile) -> Digest
    ) throws(JSONProblem) -> (digest: Digest, network: NetworkDescription) {
        if let known = known[path] { return known }
        do {
            let read = (try hash(path), try NetworkFile(path: path).description)
            (known[path], paths[read.0]) = (read, path)
            return read
        } catch {
            throw field.problem("\(error)")
        }
    }
}
