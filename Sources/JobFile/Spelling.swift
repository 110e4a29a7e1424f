/// Finds what a misspelt name was meant to be.
enum Spelling {
    /// `did you mean "x"? Known: …`, or only what is known.
    static func suggestion(for name: String, among known: [String]) -> String {
        let list = known.map { "\"\($0)\"" }.joined(separator: ", ")
        let nearest = known.map { (distance($0, name), $0) }.min { $0.0 < $1.0 }
        guard let nearest, nearest.0 <= max(2, name.count / 2) else { return "known: \(list)" }
        return "did you mean \"\(nearest.1)\"? Known: \(list)"
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
