import Foundation
import GRDB
import Glibc
import Testing

@testable import Journal

@Suite("The journal when things go wrong")
struct JournalFailureTests {
    @Test("Whatever append returned for is in the files at once", arguments: [Journal.Durability.power, .process])
    func atOnce(durability: Journal.Durability) throws {
        let folder = try ScratchFolder()
        let journal = try Journal(folder: folder.path, durability: durability)
        try journal.append([.accepted(job(1))])
        for batch in 0..<5 {
            try journal.append(finished(1, batch * 10..<(batch + 1) * 10))
            let left = try folder.copy()
            #expect(try openJournal(left).recover()[0].finishedBlocks == [0..<(batch + 1) * 10])
        }
    }

    #if compiler(>=6.3)
        @Test("A process that is killed within append leaves whole batches, and all that it was told of")
        func killed() async throws {
            let folder = try ScratchFolder()
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = folder.path as String] in
                let journal = try Journal(folder: path, durability: .process)
                let told = path + "/told"
                try Data().write(to: URL(filePath: told))
                let handle = try FileHandle(forWritingTo: URL(filePath: told))
                Thread.detachNewThread {
                    var status = stat()
                    while stat(told, &status) == 0, status.st_size < 300 { usleep(20) }
                    kill(getpid(), SIGKILL)
                }
                try journal.append([.accepted(job(1))])
                for batch in 0... {
                    try journal.append(finished(1, batch * 10..<(batch + 1) * 10))
                    try handle.write(contentsOf: [1])
                }
            }
            let told = try folder.size("told")
            #expect(told >= 300)
            let blocks = try openJournal(folder).recover()[0].finishedBlocks
            #expect(blocks == [0..<told * 10] || blocks == [0..<(told + 1) * 10])
        }
    #endif

    @Test("A log that was cut short loses whole batches from its end")
    func cutLog() throws {
        let folder = try ScratchFolder()
        let journal = try openJournal(folder)
        try journal.append([.accepted(job(1))])
        var sizes: [Int] = []
        for batch in 0..<4 {
            try journal.append(finished(1, batch * 10..<(batch + 1) * 10))
            sizes.append(try folder.size("journal.sqlite-wal"))
        }
        let left = try folder.copy()
        let log = try left.bytes("journal.sqlite-wal")
        for (batches, cut) in [(4, 0), (3, 1), (3, sizes[3] - sizes[2]), (2, sizes[3] - sizes[2] + 1)] {
            let copy = try left.copy()
            try copy.write(log.dropLast(cut), "journal.sqlite-wal")
            #expect(try openJournal(copy).recover()[0].finishedBlocks == [0..<batches * 10])
        }
    }

    @Test("Once there is room again the journal goes on after a full disk", .enabled(if: ScratchFolder.mayMount))
    func fullDisk() throws {
        let folder = try ScratchFolder()
        #expect(folder.mount(bytes: 1 << 20))
        try folder.write(Array(repeating: 1, count: 300_000), "ballast")
        let journal = try Journal(folder: folder.path, durability: .power)
        try journal.append([.accepted(job(1))])
        var batches = 0
        var error: JournalError?
        while error == nil, batches < 1000 {
            error = failure { () throws(JournalError) in
                try journal.append(finished(1, batches * 1000..<(batches + 1) * 1000))
            }
            if error == nil { batches += 1 }
        }
        #expect(error?.code == .full)
        #expect(error?.exitStatus == 74)
        #expect(batches > 5)
        #expect(try journal.recover()[0].finishedBlocks == [0..<batches * 1000])
        // Still full.
        #expect(
            failure { () throws(JournalError) in
                try journal.append(finished(1, batches * 1000..<(batches + 10) * 1000))
            }?.code == .full)

        try FileManager.default.removeItem(atPath: folder("ballast"))
        for _ in 0..<3 {
            try journal.append(finished(1, batches * 1000..<(batches + 1) * 1000))
            batches += 1
        }
        #expect(try journal.recover()[0].finishedBlocks == [0..<batches * 1000])
        journal.close()
        #expect(try openJournal(folder).recover()[0].finishedBlocks == [0..<batches * 1000])
    }

    @Test("A full disk when the journal is opened is told", .enabled(if: ScratchFolder.mayMount))
    func fullAtOnce() throws {
        let folder = try ScratchFolder()
        #expect(folder.mount(bytes: 1 << 17))
        _ = try? folder.write(Array(repeating: 1, count: 1 << 17), "ballast")
        #expect(failure { () throws(JournalError) in _ = try openJournal(folder) }?.code == .full)
        try FileManager.default.removeItem(atPath: folder("ballast"))
        #expect(try openJournal(folder).recover() == [])
    }

    @Test(
        "A full disk is told from other failures of the system, whatever call it stopped",
        arguments: [
            (ResultCode.SQLITE_FULL, CInt(0), JournalError.Code.full), (.SQLITE_IOERR_FSYNC, ENOSPC, .full),
            (.SQLITE_IOERR_WRITE, EDQUOT, .full), (.SQLITE_CANTOPEN, ENOSPC, .full),
            (.SQLITE_IOERR_WRITE, EIO, .inputOutput), (.SQLITE_CANTOPEN, EACCES, .cannotCreate),
            (.SQLITE_CORRUPT, ENOSPC, .malformed), (.SQLITE_NOMEM, 0, .inputOutput),
        ])
    func causes(result: ResultCode, number: CInt, code: JournalError.Code) {
        let error = JournalError(DatabaseError(resultCode: result), path: "journal.sqlite", number: number)
        #expect(error.code == code)
        #expect(error.description.hasPrefix("journal.sqlite: "))
    }

    @Test("The log does not grow without bound, and is cut after a long batch")
    func boundedLog() throws {
        let folder = try ScratchFolder()
        let journal = try openJournal(folder)
        try journal.append([.accepted(job(1))])
        let state = [UInt8](repeating: 7, count: 1 << 20)
        func checkpoint(_ block: Int, _ steps: Int) -> JournalEntry {
            .checkpoint(job: 1, block: block, StoredCheckpoint(attempt: 1, stepsDone: steps, state: state))
        }
        try journal.append((0..<40).map { checkpoint($0, 1) })
        #expect(try folder.size("journal.sqlite-wal") > 40 << 20)
        for steps in 2..<50 { try journal.append([checkpoint(0, steps)]) }
        #expect(try folder.size("journal.sqlite-wal") <= 17 << 20)
        #expect(try folder.size("journal.sqlite") < 45 << 20)
    }

    @Test("Two at once: the second is refused, and can open the journal once the first is closed")
    func twice() throws {
        let folder = try ScratchFolder()
        do {
            let journal = try openJournal(folder)
            let error = failure { () throws(JournalError) in _ = try openJournal(folder) }
            #expect(error?.code == .inUse)
            #expect(error?.exitStatus == 75)
            #expect(error?.path == folder.path)
            try journal.append([.accepted(job(1))])
        }
        #expect(try openJournal(folder).recover().count == 1)
    }

    @Test("A file that is no SQLite file is malformed, and left as it is")
    func otherFile() throws {
        let folder = try ScratchFolder()
        let content = Array(repeating: UInt8(ascii: "x"), count: 10_000)
        try folder.write(content, Journal.fileName)
        let error = failure { () throws(JournalError) in _ = try openJournal(folder) }
        #expect(error?.code == .malformed)
        #expect(error?.exitStatus == 65)
        #expect(error?.path == folder(Journal.fileName))
        #expect(try folder.bytes(Journal.fileName) == content)
    }

    @Test("An SQLite file of another program is malformed, and left as it is")
    func otherDatabase() throws {
        let folder = try ScratchFolder()
        let other = try DatabaseQueue(path: folder(Journal.fileName))
        try other.write { try $0.execute(sql: "CREATE TABLE t (x)") }
        try other.close()
        let content = try folder.bytes(Journal.fileName)
        let error = failure { () throws(JournalError) in _ = try openJournal(folder) }
        #expect(error?.code == .malformed)
        #expect(error?.reason == "an SQLite file, but not a journal of rrr-coordinator")
        #expect(try folder.bytes(Journal.fileName) == content)
    }

    @Test("Damaged pages are malformed, and never taken for numbers", arguments: 0..<8)
    func damagedPage(eighth: Int) throws {
        let folder = try ScratchFolder()
        let journal = try openJournal(folder)
        try journal.append([.accepted(job(1))] + finished(1, 0..<5000))
        journal.close()
        var bytes = try folder.bytes(Journal.fileName)
        // From the second page on: the tables. The first byte of each page tells what it is.
        let pages = bytes.count / 4096
        let page = 1 + eighth * (pages - 1) / 8
        for index in page * 4096..<min(bytes.count, (page + 1 + pages / 8) * 4096) { bytes[index] = 0xA5 }
        try folder.write(bytes, Journal.fileName)
        let error = failure { () throws(JournalError) in
            let journal = try openJournal(folder)
            _ = try journal.recover()
        }
        #expect(error?.code == .malformed)
    }

    @Test("A file that was cut in the middle is malformed")
    func cutFile() throws {
        let folder = try ScratchFolder()
        let journal = try openJournal(folder)
        try journal.append([.accepted(job(1))] + finished(1, 0..<5000))
        journal.close()
        let bytes = try folder.bytes(Journal.fileName)
        for size in [bytes.count / 2, 4096, 50] {
            try folder.write(Array(bytes.prefix(size)), Journal.fileName)
            let error = failure { () throws(JournalError) in
                let journal = try openJournal(folder)
                _ = try journal.recover()
            }
            #expect(error?.code == .malformed)
        }
    }

    @Test("An older version is brought up to date with all that is in it, a newer one is refused and left as it is")
    func versions() throws {
        let folder = try ScratchFolder()
        let journal = try openJournal(folder)
        try journal.append([.accepted(job(1))] + finished(1, 0..<3))
        journal.close()
        let later = Schema.steps + ["CREATE TABLE note (text TEXT)", "ALTER TABLE job ADD COLUMN note TEXT"]
        let migrated = try Journal(folder: folder.path, durability: .process, steps: later)
        #expect(try migrated.recover()[0].finishedBlocks == [0..<3])
        migrated.close()

        let content = try folder.bytes(Journal.fileName)
        do {
            let queue = try DatabaseQueue(path: folder(Journal.fileName))
            #expect(try queue.read { try Int.fetchOne($0, sql: "PRAGMA user_version") } == later.count)
            #expect(try queue.read { try $0.columns(in: "job").contains { $0.name == "note" } })
        }
        let error = failure { () throws(JournalError) in _ = try openJournal(folder) }
        #expect(error?.code == .newer)
        #expect(error?.exitStatus == 65)
        #expect(error?.reason.hasPrefix("version \(later.count) of the journal, of which this program knows") == true)
        #expect(try folder.bytes(Journal.fileName) == content)
    }

    @Test("A migration that fails changes nothing")
    func failedMigration() throws {
        let folder = try ScratchFolder()
        try openJournal(folder).append([.accepted(job(1))])
        let wrong = Schema.steps + ["CREATE TABLE note (text TEXT)", "ALTER TABLE nothing ADD COLUMN x"]
        let error = failure { () throws(JournalError) in
            _ = try Journal(folder: folder.path, durability: .process, steps: wrong)
        }
        #expect(error?.code == .malformed)
        #expect(try openJournal(folder).recover().count == 1)
    }

    @Test("A folder cannot be made below a file, nor a journal where a folder is")
    func inTheWay() throws {
        let folder = try ScratchFolder()
        try folder.write([1], "file")
        let below = failure { () throws(JournalError) in
            _ = try Journal(folder: folder("file/below"), durability: .process)
        }
        #expect(below?.code == .cannotCreate)
        #expect(below?.exitStatus == 73)
        try FileManager.default.createDirectory(atPath: folder(Journal.fileName), withIntermediateDirectories: false)
        #expect(failure { () throws(JournalError) in _ = try openJournal(folder) }?.code == .cannotCreate)
    }
}
