import Foundation

/// What the system tells of folders and of this process's memory.
enum FileSystem {
    /// Whether a folder's files are kept in memory: tmpfs or ramfs.
    static func isInMemory(_ folder: String) throws -> Bool {
        let path = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
        // Device, mount point, type, ...; a later mount hides an earlier one at the same place.
        let mounts = try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8).split(separator: "\n")
            .map { $0.split(separator: " ") }.filter { $0.count > 2 }
        let holding = mounts.filter { $0[1] == "/" || path == $0[1] || path.hasPrefix($0[1] + "/") }
        let nearest = holding.reversed().max { $0[1].count < $1[1].count }
        return ["tmpfs", "ramfs"].contains(nearest?[2] ?? "")
    }

    /// Bytes in which memory is told.
    static let pageSize = sysconf(Int32(_SC_PAGESIZE))

    /// The memory that this process has now, in bytes.
    static func residentBytes() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/statm", encoding: .ascii)
        let fields = text.split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else {
            throw BenchmarkError.unknownMemory("/proc/self/statm")
        }
        return pages * pageSize
    }
}
