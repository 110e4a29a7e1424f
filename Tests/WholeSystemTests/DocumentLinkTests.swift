import Foundation
import Testing

@Suite("Documents")
struct DocumentLinkTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static let documents: [String] = {
        let folders = ["", "docs/", "cluster/", "Examples/", "Examples/digits/", "Examples/two-dimensional/"]
        return folders.flatMap { folder in
            let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path + "/" + folder)) ?? []
            return names.filter { $0.hasSuffix(".md") }.sorted().map { folder + $0 }
        }
    }()

    /// What a link to a heading is called.
    private static func anchor(_ heading: String) -> String {
        String(
            heading.lowercased().filter { $0.isLetter || $0.isNumber || " -_".contains($0) }
                .map { $0 == " " ? "-" : $0 })
    }

    private static func text(_ document: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(document), encoding: .utf8)
    }

    private static func anchors(_ document: String) throws -> Set<String> {
        var isCode = false
        let headings = try text(document).split(separator: "\n").filter { line in
            if line.hasPrefix("```") { isCode.toggle() }
            return !isCode && line.hasPrefix("#")
        }
        return Set(headings.map { anchor(String($0.drop { $0 == "#" }.dropFirst())) })
    }

    @Test("Every link of every document leads to a file, and to a heading of it", arguments: documents)
    func links(document: String) throws {
        let targets = try Self.text(document).matches(of: /\]\(([^)\s]+)\)/).map { String($0.output.1) }
        for target in targets where !target.contains("://") {
            let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let folder = Self.root.appendingPathComponent(document).deletingLastPathComponent()
            let file = parts[0].isEmpty ? document : parts[0]
            let path = (parts[0].isEmpty ? Self.root : folder).appendingPathComponent(file).standardizedFileURL.path
            #expect(FileManager.default.fileExists(atPath: path), "\(document): \(target)")
            guard parts.count > 1 else { continue }
            let name = String(path.dropFirst(Self.root.path.count + 1))
            #expect(try Self.anchors(name).contains(parts[1]), "\(document): \(target)")
        }
    }

    @Test("There are documents, and they have links that are looked at")
    func many() throws {
        #expect(Self.documents.count > 8)
        #expect(try Self.text("README.md").contains("](docs/jobs.md)"))
    }
}
