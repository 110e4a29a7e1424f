package import ContentHash
import Foundation
package import Logging
import Synchronization

/// A folder of model files, each named by its SHA-256, which any number of processes may share.
///
/// Files are written beside and renamed, so that a name stands for a whole file, and a file is hashed before
/// its first use in a process, so that a disk's mistake is found.
package final class ModelStore: Sendable {
    /// The largest model file that is taken in, in bytes.
    package static let largestModel = 4 << 30
    /// What a killed process left behind goes after this time, in seconds.
    private static let staleAge = 3_600.0
    private static let suffix = ".safetensors"

    /// Where the files are.
    package let folder: String
    private let limit: Int?
    private let logger: Logger
    private let verified = Mutex<Set<Digest>>([])

    /// Makes the folder, which nobody else may enter, if need be.
    ///
    /// - Parameter limit: bytes beyond which the least recently used files go that nobody uses; nil to keep all.
    /// - Throws: ``ModelTransferError`` with the code `cannotCreate`.
    package init(folder: String, limit: Int? = nil, logger: Logger) throws(ModelTransferError) {
        self.folder = folder
        self.limit = limit
        self.logger = logger
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw ModelTransferError(.cannotCreate, "\(folder) can't be made: \(error.localizedDescription)")
        }
        guard access(folder, W_OK | X_OK) == 0 else {
            throw ModelTransferError(.cannotCreate, "\(folder) can't be written: \(String(cString: strerror(errno)))")
        }
        // One that was there before may be open to others.
        _ = chmod(folder, 0o700)
        for file in files(where: { $0.hasSuffix(IncomingModel.suffix) }) {
            if Date.now.timeIntervalSince(file.used) > Self.staleAge { _ = StoredModel.remove(file.path) }
        }
        makeRoom(keeping: nil)
    }

    /// Where the file of a model is, if it is there.
    package func path(of model: Digest) -> String { folder + "/" + model.hex + Self.suffix }

    /// The file of a model, nil if it is not there. One that is damaged is removed.
    ///
    /// - Throws: ``ModelTransferError`` with the code `tooManyFiles` if that can't be told just now.
    package func open(_ model: Digest) throws(ModelTransferError) -> StoredModel? {
        let path = path(of: model)
        guard let stored = try StoredModel(model, at: path) else {
            let reason = errno
            if access(path, F_OK) == 0 {
                logger.warning("\(path) can't be opened: \(String(cString: strerror(reason))); it is fetched anew")
            }
            return nil
        }
        stored.touch()
        if verified.withLock({ $0.contains(model) }) { return stored }
        guard (try? SHA256.hash(ofFile: path)) == model else {
            logger.warning("\(path) is damaged and is fetched anew")
            unlink(path)
            return nil
        }
        verified.withLock { _ = $0.insert(model) }
        return stored
    }

    func warn(_ text: String) { logger.warning("\(text)") }

    /// A place for a model that is about to arrive. - Throws: ``ModelTransferError``.
    package func receive(_ model: Digest) throws(ModelTransferError) -> IncomingModel {
        try IncomingModel(model, folder: folder)
    }

    /// Gives a whole file its name. - Throws: ``ModelTransferError``: `wrongContent` if its hash is another.
    package func keep(_ incoming: IncomingModel) throws(ModelTransferError) -> StoredModel {
        let stored = try incoming.publish(as: path(of: incoming.model))
        verified.withLock { _ = $0.insert(incoming.model) }
        makeRoom(keeping: stored)
        return stored
    }

    /// Removes the least recently used files that nobody uses, as far as the limit demands.
    private func makeRoom(keeping kept: StoredModel?) {
        if let limit { makeRoom(within: limit) { $0 == kept?.digest } }
    }

    /// Removes the least recently used files that nobody uses and that are not `needed`, as far as `limit`, in bytes,
    /// demands.
    package func makeRoom(within limit: Int, keeping isNeeded: (Digest) -> Bool) {
        let all = files { $0.hasSuffix(Self.suffix) }
        var total = all.reduce(0) { $0 + $1.size }
        for file in all.sorted(by: { $0.used < $1.used }) where total > limit {
            let name = file.path.dropFirst(folder.count + 1).dropLast(Self.suffix.count)
            if let model = Digest(hex: String(name)), isNeeded(model) { continue }
            guard StoredModel.remove(file.path) else { continue }
            logger.info("\(file.path) was removed: there are more than \(limit) bytes of models")
            total -= file.size
        }
    }

    /// Removes a model's file unless somebody uses it.
    package func remove(_ model: Digest) { _ = StoredModel.remove(path(of: model)) }

    private func files(where condition: (String) -> Bool) -> [(path: String, size: Int, used: Date)] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter(condition).compactMap { name in
            let path = folder + "/" + name
            guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
                let size = attributes[.size] as? Int, let used = attributes[.modificationDate] as? Date
            else { return nil }
            return (path, size, used)
        }
    }
}
