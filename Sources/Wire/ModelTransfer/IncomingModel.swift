package import ContentHash
import Foundation

/// A model file that arrives in order, under a hidden name of its own, and is removed if it never gets whole.
package final class IncomingModel {
    /// How hidden names end.
    static let suffix = ".partial"

    package let model: Digest
    private let path: String
    private let file: FileHandle
    private var hash = SHA256()
    private var isPending = true

    init(_ model: Digest, folder: String) throws(ModelTransferError) {
        let path = "\(folder)/.\(model.hex).\(UUID().uuidString.prefix(8))\(Self.suffix)"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw ModelTransferError(.cannotCreate, "\(path) can't be made: \(String(cString: strerror(errno)))")
        }
        self.model = model
        self.path = path
        file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    deinit {
        if isPending { unlink(path) }
    }

    /// Adds bytes behind those written before.
    package func write(_ bytes: [UInt8]) throws(ModelTransferError) {
        hash.update(bytes)
        do {
            try file.write(contentsOf: Data(bytes))
        } catch {
            throw ModelTransferError(.inputOutput, "\(path) can't be written: \(error.localizedDescription)")
        }
    }

    /// Gives the file its name if its content is what the name says.
    func publish(as name: String) throws(ModelTransferError) -> StoredModel {
        guard hash.finalize() == model else {
            throw ModelTransferError(
                .wrongContent, model, "arrived with another content; it may have been changed meanwhile")
        }
        do {
            try file.synchronize()
        } catch {
            throw ModelTransferError(.inputOutput, "\(path) can't be written: \(error.localizedDescription)")
        }
        // Held before it has its name, so that nobody removes it in between.
        guard let stored = try StoredModel(model, at: path, named: name), rename(path, name) == 0 else {
            throw ModelTransferError(.cannotCreate, "\(name) can't be made: \(String(cString: strerror(errno)))")
        }
        isPending = false
        return stored
    }
}
