/// Processors as the kernel lists them: `0-3,8,10-11`.
enum ProcessorList {
    /// Numbers beyond this are not believed.
    private static let most = 1 << 20

    /// Reads a list; nil for what is none.
    static func read(_ text: some StringProtocol) -> Set<Int>? {
        var processors: Set<Int> = []
        for part in text.split(separator: ",") {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map {
                Int(String($0.filter { !$0.isWhitespace }))
            }
            guard ends.count <= 2, let first = ends[0], let last = ends[ends.count - 1],
                0 <= first, first <= last, last < most
            else { return nil }
            processors.formUnion(first...last)
        }
        return processors.isEmpty ? nil : processors
    }

    /// The processors of a process's affinity mask, from its `/proc/self/status`; nil if that does not tell.
    static func allowed(status: String) -> Set<Int>? {
        let name = "Cpus_allowed_list:"
        return status.split(separator: "\n").first { $0.hasPrefix(name) }.flatMap { read($0.dropFirst(name.count)) }
    }
}
