import ContentHash
import Foundation
import Logging
import Messaging

@testable import ModelTransfer

/// A folder of a test's own, for stores and the files that are sent to them.
struct StoreFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/rrr-store-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    static let quiet: Logger = {
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        return logger
    }()

    func store(_ name: String = "models", limit: Int? = nil) throws -> ModelStore {
        try ModelStore(folder: path + "/" + name, limit: limit, logger: Self.quiet)
    }

    /// A file of so many bytes, all different in content by their seed.
    func file(bytes: Int, seed: UInt8) throws -> (path: String, model: Digest) {
        let file = path + "/source-\(seed)-\(bytes)"
        let content = (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) &+ seed }
        try Data(content).write(to: URL(fileURLWithPath: file))
        return (file, SHA256.hash(of: content))
    }

    /// The names in a store's folder, hidden ones too.
    func names(_ store: ModelStore) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: store.folder).sorted()
    }
}

/// Sends a file into a store to its end. - Parameter change: what happens to each piece on its way.
@discardableResult
func send(
    _ model: Digest, from path: String, to store: ModelStore, change: (inout ModelChunk) -> Void = { _ in }
) throws -> StoredModel {
    var download = try ModelDownload(model, into: store, at: .zero)
    while true {
        for case .modelRequest(let request) in download.requests(at: .zero) {
            switch ModelUpload.answer(request, from: path) {
            case .modelChunk(var chunk):
                change(&chunk)
                if let stored = try download.take(chunk, at: .zero) { return stored }
            case let other:
                throw UnexpectedAnswer(message: other)
            }
        }
    }
}

struct UnexpectedAnswer: Error {
    let message: Message
}
