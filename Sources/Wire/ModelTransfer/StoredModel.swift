package import ContentHash
import Foundation

/// A model file of a ``ModelStore``; it stays there as long as this value lives, whichever process wants room.
package final class StoredModel: Sendable {
    /// The SHA-256 of its content.
    package let digest: Digest
    /// Where it is.
    package let path: String
    private let descriptor: CInt

    /// Nil if there is no such file that can be read, or somebody is removing it; `errno` tells why.
    ///
    /// - Parameter name: the path that it is about to get; nil if it has its own already.
    /// - Throws: ``ModelTransferError`` with the code `tooManyFiles`, and no other.
    init?(_ digest: Digest, at current: String, named name: String? = nil) throws(ModelTransferError) {
        self.digest = digest
        path = name ?? current
        descriptor = open(current, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        // It may be there all the same.
        if descriptor < 0, errno == EMFILE || errno == ENFILE {
            throw ModelTransferError(.tooManyFiles, "\(current) can't be opened: \(String(cString: strerror(errno)))")
        }
        guard descriptor >= 0 else { return nil }
        // Who removes files asks for the lock for himself. A file system without locks counts as free.
        if flock(descriptor, LOCK_SH | LOCK_NB) != 0, errno == EWOULDBLOCK { return nil }
        // It may have been removed between the two.
        guard let status, status.st_mode & S_IFMT == S_IFREG, status.st_nlink > 0 else { return nil }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    private var status: stat? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? status : nil
    }

    /// Makes it the most recently used.
    func touch() { _ = futimens(descriptor, nil) }

    /// Removes a file that nobody uses, here or in another process. - Returns: whether it is gone.
    static func remove(_ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return errno == ENOENT }
        defer { close(descriptor) }
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK { return false }
        return unlink(path) == 0 || errno == ENOENT
    }
}
