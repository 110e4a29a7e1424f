/// Finds what a misspelt name was meant to be.
package enum Spelling {
    /// Names beyond this length, in bytes, are not compared: the time grows with its square.
    private static let longest = 64
    /// A job may have thousands of models; a message names a few.
    private static let listed = 16

    /// `did you mean "x"? Known: …`, or only what is known.
    package static func suggestion(for name: String, among known: [String]) -> String {
        let more = known.count > listed ? " and \(known.count - listed) more" : ""
        let list = known.prefix(listed).map { "\"\($0)\"" }.joined(separator: ", ") + more
        guard name.utf8.count <= longest else { return "known: \(list)" }
        let nearest = known.filter { $0.utf8.count <= longest }.map { (distance($0, name), $0) }.min { $0.0 < $1.0 }
        guard let nearest, nearest.0 <= max(2, name.count / 2) else { return "known: \(list)" }
        return "did you mean \"\(nearest.1)\"? Known: \(list)"
    }

    /// The names that are most like one, the nearest first, in quotes; all of them where there are few.
    package static func nearest(to name: String, among known: [String], most: Int = 3) -> String {
        let distances = known.map { max(name.utf8.count, $0.utf8.count) > longest ? Int.max : distance($0, name) }
        return zip(distances, known).enumerated().sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }
            .prefix(most).map { "\"\($0.element.1)\"" }.joined(separator: ", ")
    }

    /// Levenshtein's: insertions, deletions and replacements.
    private static func distance(_ a: String, _ b: String) -> Int {
        let b = Array(b.utf8)
        var row = Array(0...b.count)
        for (i, x) in a.utf8.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let replaced = diagonal + (x == y ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
            }
        }
        return row[b.count]
    }
}
