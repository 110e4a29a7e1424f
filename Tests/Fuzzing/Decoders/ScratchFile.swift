import Foundation

@testable import RunFolder

/// A file for decoders that open theirs: in memory, and this process's own.
struct ScratchFile {
    /// Where it is.
    let path: String

    /// The file of that name; one for each.
    init(_ name: String) { path = Self.folder + name }

    /// A folder that goes when the process ends as it should.
    static let folder: String = {
        let memory = "/dev/shm"
        let place = FileManager.default.isWritableFile(atPath: memory) ? memory : NSTemporaryDirectory()
        let folder = "\(place)/rrr-fuzzing-\(getpid())/"
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        atexit { try? FileManager.default.removeItem(atPath: ScratchFile.folder) }
        return folder
    }()

    /// Makes these its content, and so many zeros after them. What can't be written is no finding of a decoder, and ends the
    /// process.
    func fill(_ bytes: [UInt8], hole: Int = 0) {
        do {
            try content(bytes, hole)
        } catch {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            exit(74)
        }
    }

    private func content(_ bytes: [UInt8], _ hole: Int) throws(RunFolderError) {
        if !FileManager.default.fileExists(atPath: path) { _ = try File(path, for: .creating) }
        let file = try File(path, for: .resuming)
        try file.resize(to: bytes.count + hole)
        try file.write(bytes, at: 0)
    }

    /// Takes it away, if it is there.
    func remove() { unlink(path) }
}
