/// The memory that the machine and control groups let a process have.
enum MemoryLimit {
    /// Bytes that the process may still take: what the machine has available, and what each group on the way up to the
    /// roots has left; nil if nothing tells.
    ///
    /// - Parameters:
    ///   - memory: the text of `/proc/meminfo`.
    ///   - read: the text of a file; nil if there is none.
    static func available(memory: String, _ groups: ControlGroups, read: (String) -> String?) -> Int? {
        let left = groups.folders(of: "memory").compactMap { folder -> Int? in
            let names =
                folder.isVersion2
                ? ("memory.max", "memory.current", "inactive_file")
                : ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            func number(_ name: String) -> Int? {
                read("\(folder.path)/\(name)").flatMap { Int($0.filter { !$0.isWhitespace }) }
            }
            guard let limit = number(names.0), let used = number(names.1) else { return nil }
            // Pages of files that were read count as used, and go when somebody needs room.
            let pages = value(of: names.2, in: read(folder.path + "/memory.stat") ?? "") ?? 0
            return max(0, limit - max(0, used - pages))
        }
        let machine = value(of: "MemAvailable:", in: memory).map { $0 * 1024 }
        return (left + [machine].compactMap(\.self)).min()
    }

    /// The number behind a name at the beginning of a line.
    private static func value(of name: String, in text: String) -> Int? {
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            if fields.count >= 2, fields[0] == name { return Int(fields[1]) }
        }
        return nil
    }
}
