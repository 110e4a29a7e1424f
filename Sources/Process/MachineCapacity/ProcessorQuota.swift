/// The processor time that control groups let a process have.
enum ProcessorQuota {
    /// The narrowest quota on the way from the process's groups up to the roots, in processors; nil if there is none.
    ///
    /// - Parameter read: the text of a file; nil if there is none.
    static func processors(_ groups: ControlGroups, read: (String) -> String?) -> Double? {
        groups.folders(of: "cpu").compactMap { quota($0, read) }.min()
    }

    /// The quota of one group, in processors.
    private static func quota(_ folder: ControlGroups.Folder, _ read: (String) -> String?) -> Double? {
        let texts: [Substring]
        if folder.isVersion2 {
            // "200000 100000", or "max 100000"
            texts = read(folder.path + "/cpu.max")?.split(whereSeparator: \.isWhitespace) ?? []
        } else {
            // -1 for none
            texts = ["/cpu.cfs_quota_us", "/cpu.cfs_period_us"].compactMap {
                read(folder.path + $0)?.split(whereSeparator: \.isWhitespace).first
            }
        }
        guard texts.count == 2, let quota = Double(texts[0]), let period = Double(texts[1]), quota > 0, period > 0
        else { return nil }
        return quota / period
    }
}
