import Glibc

/// The right to make a file, which one process at a time has.
///
/// It is a lock on a file of its own beside it, `NAME.lock`, since the file itself comes late and others take its name. The
/// lock ends with its process, however that ends; what a killed one leaves under the name is taken up.
package final class FileClaim {
    private let lock: File

    /// Throws `.inUse` when another process has the claim, `.cannotCreate` when the lock's file can't be made.
    package init(_ output: String) throws(RunFolderError) {
        let path = output + ".lock"
        while true {
            let file = try File(path, for: .locking)
            guard file.tryLock() else {
                throw RunFolderError(
                    .inUse, path: output, reason: "another process is making this file; wait for it, or name another")
            }
            // Who had the claim before may have removed the name meanwhile: then nobody else would find this lock.
            if file.hasName(path) {
                lock = file
                return
            }
        }
    }

    deinit { try? Folder.removeFile(lock.path) }
}

extension File {
    /// Whether `path` is still a name of this file.
    fileprivate func hasName(_ path: String) -> Bool {
        var (named, own) = (stat(), stat())
        return stat(path, &named) == 0 && fstat(descriptor, &own) == 0 && named.st_ino == own.st_ino
            && named.st_dev == own.st_dev
    }
}
