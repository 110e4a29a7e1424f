import ContentHash
import Glibc

/// Pieces of a finished file, for sending it elsewhere.
package enum FileSlice {
    /// Up to `length` bytes from `offset` on, and the size of the whole file.
    ///
    /// Throws `.missing` when there is no such file, `.inputOutput` when it cannot be read.
    package static func read(
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
package final class IncomingFile {
    private var staged: StagedFile
    private var digest = SHA256()
    private let folder: String

    /// Makes the folder, if need be, and a hidden file in it.
    package init(folder: String, name: String) throws(RunFolderError) {
        try Folder.create(folder)
        staged = try StagedFile(folder: folder, name: name)
        self.folder = folder
    }

    /// SHA-256 of what was written, in hexadecimal digits.
    package var hash: String { digest.finalize().hex }

    /// All that was written.
    package func content() throws(RunFolderError) -> [UInt8] {
        try staged.file.read(count: try staged.file.size(), at: 0)
    }

    /// Writes the next piece, at its place.
    package func write(_ bytes: [UInt8], at offset: Int) throws(RunFolderError) {
        digest.update(bytes)
        try staged.file.write(bytes, at: offset)
    }

    /// Brings the file to the disk and gives it its name.
    package func publish() throws(RunFolderError) {
        try staged.file.sync()
        try staged.publish()
        try Folder.sync(folder)
    }
}

extension RunFolder {
    /// The files of every run, the summary last: where it stands, the others do.
    package static let fileNames = [samplesName, jobName, statisticsName, provenanceName, summaryName]

    /// All names that a run takes for itself, whether it has a picture or not.
    package static let ownNames = [pictureName] + fileNames

    /// Takes the mark of completeness away, before anything else of a folder is replaced.
    package static func removeSummary(in folder: String) throws(RunFolderError) {
        try Folder.removeFile(Folder.path(folder, summaryName))
        try Folder.sync(folder)
    }
}

/// The right to write an output folder: made before any work starts, so that a folder that cannot be
/// written, or that another run is writing, is known at once.
package final class FolderClaim {
    private let path: String
    private let lock: File

    /// Makes the folder, if need be, and locks it.
    ///
    /// Throws `.cannotCreate` when it cannot be made or written, `.inUse` when another run writes there.
    package init(_ path: String) throws(RunFolderError) {
        try Folder.create(path)
        self.path = path
        lock = try File(path, for: .folder)
        guard lock.tryLock() else {
            throw RunFolderError(.inUse, path: path, reason: "another run is writing to this folder")
        }
        // Dropped at once, which removes it.
        _ = try StagedFile(folder: path, name: "claim")
    }

    deinit {
        // Goes only if it is empty: a run that came to nothing leaves nothing.
        _ = rmdir(path)
    }
}
