package import Pictures

extension PNGImage {
    /// The most bytes of a file that is read.
    private static let mostFileBytes = 1 << 28

    /// Reads a PNG file.
    ///
    /// Throws `.missing` or `.inputOutput` when it cannot be read, `.malformed` when it is no PNG file, is damaged, has more than 8
    /// bits a channel or more than 2^28 bytes.
    package init(file path: String) throws(RunFolderError) {
        let file = try File(path, for: .reading)
        let size = try file.size()
        guard size <= Self.mostFileBytes else {
            throw RunFolderError(.malformed, path: path, reason: "\(size) bytes are more than are read")
        }
        let bytes: [UInt8] = try file.read(count: size, at: 0)
        do {
            try self.init(decoding: bytes)
        } catch {
            throw RunFolderError(.malformed, path: path, reason: error.description)
        }
    }

    /// The bytes of its file. Throws `.inputOutput`, naming `path`, when there is no memory for them.
    func fileBytes(path: String) throws(RunFolderError) -> [UInt8] {
        do {
            return try encoded()
        } catch {
            throw RunFolderError(.inputOutput, path: path, reason: error.description)
        }
    }
}
