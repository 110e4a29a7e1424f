import Glibc

/// What shows that a file was changed or replaced, without reading it: its size, which file it is, and when its content and
/// its status were last changed. Of these no program can set the last.
package struct FileStamp: Sendable, Equatable {
    /// In bytes.
    package let size: Int
    private let node: UInt64
    private let device: UInt64
    /// Nanoseconds since 1970.
    private let contentChanged: Int
    private let statusChanged: Int

    /// The stamp of the file at `path`; nil if there is none.
    package init?(of path: String) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        func nanoseconds(_ time: timespec) -> Int { time.tv_sec * 1_000_000_000 + time.tv_nsec }
        size = Int(status.st_size)
        (node, device) = (UInt64(status.st_ino), UInt64(status.st_dev))
        (contentChanged, statusChanged) = (nanoseconds(status.st_mtim), nanoseconds(status.st_ctim))
    }
}
