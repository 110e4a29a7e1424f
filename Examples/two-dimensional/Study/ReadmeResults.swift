import Foundation

/// The places in a README that hold the study's results, so that a new run can renew them.
///
/// A place is what stands between `<!-- NAME -->` and `<!-- end -->`, each on a line of its own; its name is
/// `product-exact` for that table, and so on, or `populations`.
enum ReadmeResults {
    /// The text with new content in those of its places that `contents` has.
    static func renewed(_ text: String, with contents: [String: String]) -> String {
        var lines: [Substring] = []
        var place: String?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line == "<!-- end -->" { place = nil }
            if place == nil { lines.append(line) }
            guard line.hasPrefix("<!-- "), line.hasSuffix(" -->"),
                let content = contents[String(line.dropFirst(5).dropLast(4))]
            else { continue }
            place = String(line)
            lines += content.split(separator: "\n", omittingEmptySubsequences: false)
        }
        return lines.joined(separator: "\n")
    }

    /// Every place's content.
    static func contents(_ experiments: [Experiment]) -> [String: String] {
        var contents = Dictionary(
            uniqueKeysWithValues: experiments.map {
                ("\($0.task.rawValue)-\($0.models.rawValue)", ResultTables.table(of: $0))
            })
        contents["populations"] = ResultTables.populationTable(experiments)
        return contents
    }

    /// Renews a README and, beside it, those pictures that it shows.
    ///
    /// - Parameter pictures: the SVG texts by file name.
    static func renew(_ path: String, _ experiments: [Experiment], pictures: [String: String]) throws {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try Data(renewed(text, with: contents(experiments)).utf8).write(
            to: URL(fileURLWithPath: path), options: .atomic)
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        for (name, svg) in pictures where text.contains("](\(name))") {
            try Data(svg.utf8).write(to: folder.appendingPathComponent(name), options: .atomic)
        }
    }
}
