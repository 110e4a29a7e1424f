package import ContentHash
import Foundation

/// The content of an output folder, but for what may differ from run to run: `provenance.json`, and hidden files,
/// which a submitter that was killed leaves behind.
package struct OutputContent: Sendable, Equatable {
    /// SHA-256 of each file by its path in the folder.
    package let files: [String: Digest]

    /// - Throws: `UnreadableFile`; a folder that is not there has no files.
    package init(folder: String) throws(UnreadableFile) {
        let names = FileManager.default.subpaths(atPath: folder) ?? []
        var files: [String: Digest] = [:]
        for name in names where name != "provenance.json" {
            let hidden = name.split(separator: "/").contains { $0.hasPrefix(".") }
            var isFolder: ObjCBool = false
            let exists = FileManager.default.fileExists(atPath: folder + "/" + name, isDirectory: &isFolder)
            guard exists, !hidden, !isFolder.boolValue else { continue }
            files[name] = try SHA256.hash(ofFile: folder + "/" + name)
        }
        self.files = files
    }

    /// The files that are not the same in both, sorted; those that one lacks among them.
    package func differences(from other: OutputContent) -> [String] {
        Set(files.keys).union(other.files.keys).filter { files[$0] != other.files[$0] }.sorted()
    }
}
