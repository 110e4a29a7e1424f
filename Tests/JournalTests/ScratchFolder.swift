import ContentHash
import Foundation
import Glibc

@testable import Journal

/// An empty folder that goes, with all that is in it, when its owner goes.
final class ScratchFolder {
    let path: String
    private var isMounted = false

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "journal-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit {
        if isMounted { umount2(path, Int32(MNT_DETACH)) }
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Makes the folder a disk of its own with room for so many bytes; false where only root may.
    func mount(bytes: Int) -> Bool {
        isMounted = Glibc.mount("tmpfs", path, "tmpfs", 0, "size=\(bytes)") == 0
        return isMounted
    }

    /// Whether this process may make such disks.
    static let mayMount = (try? ScratchFolder().mount(bytes: 1 << 20)) ?? false

    /// The path of a file in the folder.
    func callAsFunction(_ name: String) -> String { path + "/" + name }

    func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: self(name)))) }

    func size(_ name: String) throws -> Int { try bytes(name).count }

    func write(_ bytes: [UInt8], _ name: String) throws {
        try Data(bytes).write(to: URL(filePath: self(name)))
    }

    /// What a process killed now would leave: the files as they are.
    func copy() throws -> ScratchFolder {
        let copy = try ScratchFolder()
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            try FileManager.default.copyItem(atPath: self(name), toPath: copy(name))
        }
        return copy
    }
}

/// The error that `body` ends with; nil when it does not.
func failure(of body: () throws(JournalError) -> Void) -> JournalError? {
    do {
        try body()
        return nil
    } catch {
        return error
    }
}

/// The journal of a folder, which survives kill -9 and costs no waiting for the disk.
func openJournal(_ folder: ScratchFolder) throws(JournalError) -> Journal {
    try Journal(folder: folder.path, durability: .process)
}

func job(_ number: Int) -> JobRecord {
    let text = Array("{\"rrr\":1,\"seed\":\(number)}".utf8)
    return JobRecord(number: number, hash: SHA256.hash(of: text), text: text, submittedAt: 1.75e9 + Double(number))
}

func finished(_ job: Int, _ blocks: Range<Int>, worker: String = "w") -> [JournalEntry] {
    blocks.map { block in
        .finished(
            job: job, block: block, FinishedBlock(attempt: 1, worker: worker, seconds: 0.5, gradientEvaluations: 100))
    }
}
