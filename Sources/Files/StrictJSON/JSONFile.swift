import Foundation

/// A JSON file, read whole: its text, and what messages call it.
package struct JSONFile: Sendable {
    /// What stands for standard input where a file is asked for.
    package static let standardInput = "-"

    /// The file as the user named it; `standard input`, if it is that.
    package let name: String
    /// What names within the text are relative to: empty, or a folder with a slash at its end.
    package let folder: String
    /// All bytes; one more than `most` tells that there are more.
    package let text: [UInt8]

    /// There is no such file, or it can't be read.
    package struct Unreadable: Error, Sendable, Equatable {
        /// The file as the user named it.
        package let name: String
        /// Why, and what to look at.
        package let message: String
    }

    /// Reads a file, or standard input for ``standardInput``.
    /// - Parameter most: bytes that the text may have; a device has no end.
    package init(path: String, most: Int) throws(Unreadable) {
        let isInput = path == Self.standardInput
        name = isInput ? "standard input" : path
        folder = isInput ? "" : path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        let handle = isInput ? FileHandle.standardInput : FileHandle(forReadingAtPath: path)
        guard let handle, let data = try? handle.read(upToCount: most + 1) ?? Data() else {
            let exists = isInput || FileManager.default.fileExists(atPath: path)
            throw Unreadable(
                name: name,
                message: exists
                    ? "this can't be read as a file; check what it is and its permissions" : "no such file")
        }
        text = Array(data)
    }
}
