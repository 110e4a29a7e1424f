/// The processor time that control groups, of version 1 or 2, let a process have.
enum ProcessorQuota {
    /// The narrowest quota on the way from the process's groups up to the roots, in processors; nil if there is none.
    ///
    /// What can't be understood limits nothing.
    ///
    /// - Parameters:
    ///   - groups: the text of `/proc/self/cgroup`.
    ///   - mounts: the text of `/proc/self/mountinfo`.
    ///   - read: the text of a file; nil if there is none.
    static func processors(groups: String, mounts: String, read: (String) -> String?) -> Double? {
        let hierarchies = mounts.split(separator: "\n").compactMap(Hierarchy.init)
        let quotas = groups.split(separator: "\n").flatMap { line -> [Double] in
            // number:controllers:path, no controllers for version 2
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return [] }
            let controllers = fields[1].split(separator: ",")
            let limiting = hierarchies.filter { $0.isVersion2 ? fields[1].isEmpty : controllers.contains("cpu") }
            return limiting.flatMap { hierarchy in
                hierarchy.folders(of: String(fields[2])).compactMap { hierarchy.quota($0, read) }
            }
        }
        return quotas.min()
    }

    /// A mounted tree of groups that may limit processors.
    private struct Hierarchy {
        let isVersion2: Bool
        /// The group that is seen at the mount point.
        let root: String
        let mountPoint: String

        /// Reads a line of mountinfo; nil for a mount of another kind.
        init?(_ line: Substring) {
            // id parent major:minor root mount-point options [tags…] - type source super-options
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 3 else { return nil }
            switch fields[dash + 1] {
            case "cgroup2": isVersion2 = true
            case "cgroup" where fields[dash + 3].split(separator: ",").contains("cpu"): isVersion2 = false
            default: return nil
            }
            root = String(fields[3])
            mountPoint = String(fields[4])
        }

        /// The folders of a group and all above it, as far as they can be seen.
        func folders(of group: String) -> [String] {
            let base = root == "/" ? "" : root
            // A group outside the part that is mounted, as containers without a namespace of groups may have.
            guard base.isEmpty || group == base || group.hasPrefix(base + "/") else { return [mountPoint] }
            var names = group.dropFirst(base.count).split(separator: "/")
            guard !names.contains("..") else { return [mountPoint] }
            var folders: [String] = []
            while true {
                folders.append(([mountPoint] + names.map(String.init)).joined(separator: "/"))
                guard names.popLast() != nil else { return folders }
            }
        }

        /// The quota of one group, in processors.
        func quota(_ folder: String, _ read: (String) -> String?) -> Double? {
            let texts: [Substring]
            if isVersion2 {
                // "200000 100000", or "max 100000"
                texts = read(folder + "/cpu.max")?.split(whereSeparator: \.isWhitespace) ?? []
            } else {
                // -1 for none
                texts = ["/cpu.cfs_quota_us", "/cpu.cfs_period_us"].compactMap {
                    read(folder + $0)?.split(whereSeparator: \.isWhitespace).first
                }
            }
            guard texts.count == 2, let quota = Double(texts[0]), let period = Double(texts[1]), quota > 0, period > 0
            else { return nil }
            return quota / period
        }
    }
}
