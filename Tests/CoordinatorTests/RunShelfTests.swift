import Foundation
import JobFile
import RunFolder
import Sampling
import StrictJSON
import Testing

@testable import Coordinator
@testable import CoordinatorCore

/// The files of the jobs that are under way.
final class RunShelfTests {
    private let folder = FileManager.default.temporaryDirectory.path + "/rrr-shelf-\(UUID().uuidString.prefix(8))"
    private let job: Job

    init() throws { job = try SmallJobs.job(#""kind": "mala", "transitions": 2, "step_size": 0.01"#) }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func place(_ number: Int) -> String { "\(folder)/\(number)" }

    /// Whether nobody has the files of a job open.
    private func isClosed(_ number: Int) throws -> Bool { try File(place(number), for: .folder).tryLock() }

    private func names(_ number: Int) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: place(number))
    }

    /// A shelf with three jobs on it, of which few may be open at a time.
    private func shelf(open: Int) throws -> RunShelf {
        var shelf = RunShelf(fileLimit: 64 + 16 * open)
        for number in 1...3 {
            try shelf.create(number, folder: place(number), job.description, isDurable: false)
            #expect(try isClosed(number), "a job that waits holds no file")
        }
        return shelf
    }

    @Test func `Only so many jobs have their files open, those used last, and none loses a row by that`() throws {
        var shelf = try shelf(open: 2)
        let records = try (0..<job.blocks).map { try SmallJobs.record(of: job, block: $0) }
        for record in records {
            for number in 1...3 {
                let run = try shelf.open(number)
                try run.record(record)
                try run.sync()
            }
        }
        #expect(try (1...3).map(isClosed) == [true, false, false])
        #expect((1...3).map { shelf.recorded(in: $0) } == [[0..<16], [0..<16], [0..<16]])
        var files: [Data] = []
        for number in 1...3 {
            let run = try shelf.open(number)
            _ = try run.finish(
                provenance: [("job", .integer(number))], conclusion: try run.conclusion(of: job, after: []))
            shelf.remove(number, keepsFiles: true)
            for name in ["samples.npy", "statistics.npz", "summary.json"] {
                files.append(try Data(contentsOf: URL(filePath: "\(place(number))/\(name)")))
            }
        }
        #expect(Array(files[0..<3]) == Array(files[3..<6]) && Array(files[0..<3]) == Array(files[6..<9]))
        #expect(!shelf.contains(1))
    }

    @Test(arguments: [true, false])
    func `The files of a job that goes are kept or removed, whether they are open or not`(keepsFiles: Bool) throws {
        var shelf = try shelf(open: 1)
        _ = try shelf.open(1)
        for number in 1...2 {
            shelf.remove(number, keepsFiles: keepsFiles)
            #expect(try names(number).isEmpty == !keepsFiles)
            #expect(try isClosed(number))
            #expect(!shelf.contains(number) && shelf.recorded(in: number).isEmpty)
        }
        #expect(throws: RunFolderError.self) { try shelf.open(1) }
        shelf.close()
        #expect(try !names(3).isEmpty && isClosed(3))
    }

    @Test func `Files that are made anew hold nothing; those that somebody has removed are missed`() throws {
        var shelf = try shelf(open: 1)
        try shelf.open(1).record(try SmallJobs.record(of: job, block: 0))
        try shelf.create(1, folder: place(1), job.description, isDurable: true)
        #expect(shelf.recorded(in: 1).isEmpty)
        try shelf.open(1).record(try SmallJobs.record(of: job, block: 0))
        #expect(shelf.recorded(in: 1) == [0..<4])
        for isOpen in [true, false] {
            if !isOpen { shelf.closeFiles(of: 1) }
            try FileManager.default.removeItem(atPath: place(1) + "/.samples.npy.partial")
            let error = #expect(throws: RunFolderError.self) { try shelf.open(1) }
            #expect(error?.code == .missing)
            try shelf.create(1, folder: place(1), job.description, isDurable: false)
            _ = try shelf.open(1)
        }
    }
}
