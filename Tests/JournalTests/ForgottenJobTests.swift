import Testing

@testable import Journal

@Suite("Jobs that are forgotten")
struct ForgottenJobTests {
    @Test("The journal of a thousand jobs that were forgotten is as long as that of the jobs that are left")
    func room() throws {
        let folder = try ScratchFolder()
        let journal = try openJournal(folder)
        func accept(_ numbers: ClosedRange<Int>) throws {
            for number in numbers {
                var record = job(number)
                record.text += [UInt8](repeating: 32, count: 8_000)
                try journal.append([.accepted(record)])
            }
        }
        try accept(1...10)
        try accept(11...1_000)
        for number in 11...1_000 { try journal.append([.forgotten(job: number)]) }
        #expect(try folder.size(Journal.fileName) + folder.size(Journal.fileName + "-wal") < 8 << 20)
        #expect(try journal.jobNumbers() == Array(1...10))
        try accept(1_001...1_001)
        journal.close()
        // Eleven jobs of three pages each, the tables, and 32 pages that others will need.
        #expect(try folder.size(Journal.fileName) < 512 << 10)
        #expect(try openJournal(folder).jobNumbers() == Array(1...10) + [1_001])
    }

    @Test("A number is not used again, and whose job it was is remembered")
    func record() throws {
        let folder = try ScratchFolder()
        let journal = try openJournal(folder)
        var pilot = job(2)
        pilot.isPreliminary = true
        try journal.append([.accepted(job(1)), .accepted(pilot), .accepted(job(3)), .forgotten(job: 3)])
        #expect(try journal.recover().map(\.record.isPreliminary) == [false, true])
        #expect(try journal.lastJobNumber() == 3)
    }
}
