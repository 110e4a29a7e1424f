import ContentHash
import Foundation
import Logging
import ModelTransfer

/// Where a worker keeps the model files that it has fetched, and how much of them.
package struct ModelCache: Sendable, Equatable {
    /// The folder; workers of one host may share it.
    package var folder: String
    /// Bytes beyond which the least recently used files go that nobody uses.
    package var limit: Int

    /// The limit where nothing else is said, 10 GiB.
    package static let defaultLimit = 10 << 30

    /// A cache; the folder is made when it is first used.
    package init(folder: String, limit: Int = ModelCache.defaultLimit) {
        self.folder = folder
        self.limit = limit
    }

    /// The folder that an environment names: `$XDG_CACHE_HOME/rrr/models`, else `~/.cache/rrr/models`. A
    /// relative XDG_CACHE_HOME does not count, as its specification says.
    package static func folder(environment: [String: String], home: String) -> String {
        let base = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        return (base ?? home + "/.cache") + "/rrr/models"
    }
}

/// A cache in use: the configured folder, or a private one once that cannot be made, written or added to. It belongs to
/// one thread.
final class OpenModelCache {
    /// Where files are kept from now on.
    private(set) var store: ModelStore
    private let limit: Int
    private let logger: Logger
    private var temporary: String?

    /// - Throws: ``ModelTransferError`` if there is no place at all.
    init(_ cache: ModelCache, logger: Logger) throws(ModelTransferError) {
        (limit, self.logger) = (cache.limit, logger)
        do {
            store = try ModelStore(folder: cache.folder, limit: cache.limit, logger: logger)
        } catch {
            let folder = Self.newFolder(because: error, logger)
            store = try ModelStore(folder: folder, limit: cache.limit, logger: logger)
            temporary = folder
        }
    }

    /// Keeps what comes from now on in a private folder: the configured one is full, say.
    ///
    /// - Throws: the error itself if that was done before; ``ModelTransferError`` if there is no such place.
    func moveAway(because error: ModelTransferError) throws(ModelTransferError) {
        guard temporary == nil else { throw error }
        let folder = Self.newFolder(because: error, logger)
        store = try ModelStore(folder: folder, limit: limit, logger: logger)
        temporary = folder
    }

    /// A file in the private folder; nil if it is not there.
    ///
    /// - Throws: ``ModelTransferError`` if that can't be told just now.
    func openTemporary(_ model: Digest) throws(ModelTransferError) -> StoredModel? {
        temporary == nil ? nil : try store.open(model)
    }

    private static func newFolder(because error: ModelTransferError, _ logger: Logger) -> String {
        let folder = FileManager.default.temporaryDirectory.path + "/rrr-models-" + UUID().uuidString.lowercased()
        logger.warning("\(error); models are kept in \(folder) until this process ends")
        return folder
    }

    /// Removes the private folder.
    func close() {
        if let temporary { try? FileManager.default.removeItem(atPath: temporary) }
    }
}
