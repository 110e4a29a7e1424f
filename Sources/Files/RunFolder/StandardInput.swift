import Glibc

extension NpyReader {
    /// Opens standard input, which is read to its end and kept in a file without a name, as rows are read from anywhere.
    ///
    /// Throws what `init(path:)` does, and `.malformed` beyond a gibibyte.
    package init(standardInput: Void) throws(RunFolderError) {
        let file = try File(namelessAs: "standard input")
        try file.append(from: STDIN_FILENO, most: 1 << 30)
        try self.init(file)
    }
}

extension File {
    /// A file without a name, which goes when it is closed. - Parameter name: what errors call it.
    fileprivate init(namelessAs name: String) throws(RunFolderError) {
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(folder)/rrr-input-XXXXXX".utf8CString)
        let made = mkstemp(&template)
        guard made >= 0 else {
            throw .system(.cannotCreate, path: folder, doing: "create a temporary file", number: errno)
        }
        unlink(template)
        path = name
        descriptor = made
    }

    /// Writes all that a pipe or a terminal holds.
    ///
    /// - Parameters:
    ///   - source: read to its end; stays open.
    ///   - most: more bytes than this are `.malformed`.
    fileprivate func append(from source: CInt, most: Int) throws(RunFolderError) {
        var piece = [UInt8](repeating: 0, count: File.pieceSize)
        var total = 0
        while true {
            let (count, number) = piece.withUnsafeMutableBytes { bytes in
                (Glibc.read(source, bytes.baseAddress, bytes.count), errno)
            }
            if count < 0 && number == EINTR { continue }
            guard count >= 0 else { throw .system(.inputOutput, path: path, doing: "read", number: number) }
            guard count > 0 else { return }
            try write(Array(piece[..<count]), at: total)
            total += count
            guard total <= most else {
                throw RunFolderError(
                    .malformed, path: path, reason: "is longer than \(most) bytes; give a larger array as a file")
            }
        }
    }
}
