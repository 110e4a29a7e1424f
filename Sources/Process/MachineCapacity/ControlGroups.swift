/// The control groups, of version 1 or 2, that a process belongs to.
struct ControlGroups {
    /// A folder that tells of a group's limits.
    struct Folder {
        let path: String
        let isVersion2: Bool
    }

    private let memberships: [Substring]
    private let mounts: [Substring]

    /// What can't be understood limits nothing.
    ///
    /// - Parameters:
    ///   - groups: the text of `/proc/self/cgroup`.
    ///   - mounts: the text of `/proc/self/mountinfo`.
    init(groups: String, mounts: String) {
        memberships = groups.split(separator: "\n")
        self.mounts = mounts.split(separator: "\n")
    }

    /// The folders of the process's groups and all above them, as far as they can be seen, that a controller such as
    /// `cpu` or `memory` may limit.
    func folders(of controller: String) -> [Folder] {
        let hierarchies = mounts.compactMap { Hierarchy($0, of: controller) }
        return memberships.flatMap { line -> [Folder] in
            // number:controllers:path, no controllers for version 2
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return [] }
            let limits = fields[1].split(separator: ",").contains(Substring(controller))
            return hierarchies.filter { $0.isVersion2 ? fields[1].isEmpty : limits }.flatMap { hierarchy in
                hierarchy.folders(of: String(fields[2])).map { Folder(path: $0, isVersion2: hierarchy.isVersion2) }
            }
        }
    }

    /// A mounted tree of groups.
    private struct Hierarchy {
        let isVersion2: Bool
        /// The group that is seen at the mount point.
        private let root: String
        private let mountPoint: String

        /// Reads a line of mountinfo; nil for a mount of another kind, or of other controllers.
        init?(_ line: Substring, of controller: String) {
            // id parent major:minor root mount-point options [tags…] - type source super-options
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 3 else { return nil }
            switch fields[dash + 1] {
            case "cgroup2": isVersion2 = true
            case "cgroup" where fields[dash + 3].split(separator: ",").contains(Substring(controller)):
                isVersion2 = false
            default: return nil
            }
            root = String(fields[3])
            mountPoint = String(fields[4])
        }

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
    }
}
