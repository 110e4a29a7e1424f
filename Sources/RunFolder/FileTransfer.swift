/// Pieces of a finished file, for sending it elsewhere.
public enum FileSlice {
    /// Up to `length` bytes from `offset` on, and the size of the whole file.
    ///
    /// Throws `.missing` when there is no such file, `.inputOutput` when it cannot be read.
    public static func read(
        _ path: String, offset: Int, length: Int
    ) throws(RunFolderError) -> (bytes: [UInt8], total: Int) {
        let file = try File(path, for: .reading)
        let total = try file.size()
        guard offset >= 0, length >= 0, offset <= total else {
            throw RunFolderError(.invalidValue, path: path, reason: "has no bytes at \(offset), only \(total) in all")
        }
        return (try file.read(count: min(length, total - offset), at: offset), total)
    }
}

/// A file that comes in pieces and takes its name when it is whole.
public struct IncomingFile: ~Copyable {
    private var staged: StagedFile
    private let folder: String

    /// Makes the folder, if need be, and a hidden file in it.
    public init(folder: String, name: String) throws(RunFolderError) {
        try Folder.create(folder)
        staged = try StagedFile(folder: folder, name: name)
        self.folder = folder
    }

    /// Writes a piece at its place.
    public func write(_ bytes: [UInt8], at offset: Int) throws(RunFolderError) {
        try staged.file.write(bytes, at: offset)
    }

    /// Brings the file to the disk and gives it its name.
    public mutating func publish() throws(RunFolderError) {
        try staged.file.sync()
        try staged.publish()
        try Folder.sync(folder)
    }
}

extension RunFolder {
    /// All files of a run, the summary last: where it stands, the others do.
    public static let fileNames = [jobName, samplesName, statisticsName, provenanceName, summaryName]
}
