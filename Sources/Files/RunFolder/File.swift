import Glibc

/// An open file, or an open folder, that is closed when its owner goes.
///
/// The one place of this module, and of others that read files, which hands memory to the system. Calls that a signal
/// interrupted are repeated and short transfers continued; whatever else fails is an error with the path and the
/// system's own words.
package struct File: ~Copyable, Sendable {
    /// How a file is opened.
    package enum Purpose {
        case reading
        /// For a file that is already there.
        case writing
        /// For reading and writing; a file of that name must not exist yet.
        case creating
        /// The same, for its owner alone.
        case creatingPrivately
        /// For reading and writing a file that was created before.
        case resuming
        /// To lock it, whether it is there yet or not.
        case locking
        /// A folder, to make its entries durable or to lock it.
        case folder

        fileprivate var flags: CInt {
            // Workers started while the file is open must not inherit it.
            switch self {
            // A pipe without a writer must not hold up whoever opens it; ordinary files never wait.
            case .reading: O_RDONLY | O_CLOEXEC | O_NONBLOCK
            case .writing: O_WRONLY | O_CLOEXEC
            case .creating, .creatingPrivately: O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
            case .resuming: O_RDWR | O_NOFOLLOW | O_CLOEXEC
            case .locking: O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC
            case .folder: O_RDONLY | O_DIRECTORY | O_CLOEXEC
            }
        }
    }

    let path: String
    let descriptor: CInt

    /// Opens `path`. A file that is not there is `.missing`, one that cannot be created `.cannotCreate`.
    package init(_ path: String, for purpose: Purpose) throws(RunFolderError) {
        var result: CInt = -1
        var number: CInt = 0
        repeat {
            result = open(path, purpose.flags, purpose == .creatingPrivately ? 0o600 : 0o666)
            number = errno
        } while result < 0 && number == EINTR
        guard result >= 0 else {
            switch purpose {
            case .creating, .creatingPrivately, .locking:
                throw .system(.cannotCreate, path: path, doing: "create the file", number: number)
            case .reading, .writing, .resuming, .folder:
                throw .system(number == ENOENT ? .missing : .inputOutput, path: path, doing: "open", number: number)
            }
        }
        self.path = path
        descriptor = result
    }

    deinit {
        // Nothing hangs on the result: what must last was synced before.
        _ = close(descriptor)
    }

    /// The size in bytes. A pipe, a device or a folder, which have none, is `.malformed`.
    package func size() throws(RunFolderError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("read the size", errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw RunFolderError(.malformed, path: path, reason: "not a regular file")
        }
        return Int(status.st_size)
    }

    /// Who may do what with it, as the system's `st_mode` has it, and whose it is.
    package func access() throws(RunFolderError) -> (mode: UInt32, owner: UInt32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("read the permissions", errno) }
        return (status.st_mode & 0o7777, status.st_uid)
    }

    /// Throws `.missing` when the file no longer stands under its path, and `.malformed` when it has another size: it was
    /// removed, replaced or cut by somebody else.
    func expectInPlace(size: Int) throws(RunFolderError) {
        var (opened, named) = (stat(), stat())
        guard fstat(descriptor, &opened) == 0 else { throw failure("read the size", errno) }
        guard stat(path, &named) == 0, named.st_ino == opened.st_ino, named.st_dev == opened.st_dev else {
            throw RunFolderError(
                .missing, path: path, reason: "the file was removed or replaced while the run wrote to it")
        }
        guard Int(opened.st_size) == size else {
            throw RunFolderError(
                .malformed, path: path, reason: "\(opened.st_size) bytes, expected \(size): somebody has changed it")
        }
    }

    /// Sets the size; bytes beyond the old end read as zero and take no room on the disk until they are written.
    func resize(to size: Int) throws(RunFolderError) {
        var number: CInt = 0
        repeat {
            number = ftruncate(descriptor, off_t(size)) == 0 ? 0 : errno
        } while number == EINTR
        guard number == 0 else { throw failure("set the size to \(size) bytes", number) }
    }

    /// Writes all bytes of an array's elements, in the machine's order, from the byte `offset` on.
    package func write<Element: BitwiseCopyable>(_ values: [Element], at offset: Int) throws(RunFolderError) {
        let total = values.count * MemoryLayout<Element>.stride
        var done = 0
        while done < total {
            let (count, number) = values.withUnsafeBytes { bytes in
                let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
                let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
                return (count, errno)
            }
            if count < 0 && number == EINTR { continue }
            guard count > 0 else { throw failure("write", count < 0 ? number : EIO) }
            done += count
        }
    }

    /// Reads `count` elements, in the machine's byte order, from the byte `offset` on.
    /// A file that ends before that is `.malformed`.
    package func read<Element: BitwiseCopyable>(
        count: Int, at offset: Int, as type: Element.Type = Element.self
    ) throws(RunFolderError) -> [Element] {
        // Nobody sees what is in it before all of it has been read.
        var values = [Element](unsafeUninitializedCapacity: count) { $1 = count }
        let total = count * MemoryLayout<Element>.stride
        var done = 0
        while done < total {
            let (got, number) = values.withUnsafeMutableBytes { bytes in
                let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[done...])
                let got = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
                return (got, errno)
            }
            if got < 0 && number == EINTR { continue }
            guard got >= 0 else { throw failure("read", number) }
            guard got > 0 else {
                throw RunFolderError(.malformed, path: path, reason: "the file ends at byte \(offset + done)")
            }
            done += got
        }
        return values
    }

    /// Hands the whole file to `body`, in order, in pieces of at most `File.pieceSize` bytes.
    func forEachPiece(_ body: ([UInt8]) throws(RunFolderError) -> Void) throws(RunFolderError) {
        let size = try size()
        var offset = 0
        while offset < size {
            let piece: [UInt8] = try read(count: min(File.pieceSize, size - offset), at: offset)
            try body(piece)
            offset += piece.count
        }
    }

    /// Bytes read at once when a file of any size passes through memory.
    static let pieceSize = 1 << 20

    /// Returns when the content has reached the disk.
    package func sync() throws(RunFolderError) {
        try sync(fsync)
    }

    /// Returns when the content, and whatever finding it again takes, has reached the disk; the times of the file may
    /// still be on their way.
    func syncContent() throws(RunFolderError) {
        try sync(fdatasync)
    }

    private func sync(_ call: (CInt) -> CInt) throws(RunFolderError) {
        var number: CInt = 0
        repeat {
            number = call(descriptor) == 0 ? 0 : errno
        } while number == EINTR
        guard number == 0 else { throw failure("sync", number) }
    }

    /// Takes the lock of an open file or folder, which ends when it is closed or the process dies.
    /// False when somebody else holds it. A file system that knows no such locks counts as free.
    package func tryLock() -> Bool {
        var number: CInt = 0
        repeat {
            number = flock(descriptor, LOCK_EX | LOCK_NB) == 0 ? 0 : errno
        } while number == EINTR
        return number != EWOULDBLOCK
    }

    private func failure(_ action: String, _ number: CInt) -> RunFolderError {
        .system(.inputOutput, path: path, doing: action, number: number)
    }
}
