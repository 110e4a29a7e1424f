import Foundation
import Testing

@testable import RunFolder

@Suite("Finished runs, read again")
struct FinishedRecordsTests {
    @Test("Samples and statistics are those that were recorded")
    func content() throws {
        let folder = try TemporaryFolder()
        let summary = try SmallRun.finish(in: folder.path)
        let run = try FinishedRecords(folder.path)
        #expect(run.summary == summary)
        #expect(run.canonicalJob == SmallRun.text)
        #expect(run.selection == nil)
        let samples = try run.samples(ofRows: 3..<7)
        let expected: [UInt8] = (72..<168).map { UInt8(truncatingIfNeeded: $0 * 31) }
        #expect(samples.littleEndianBytes == expected)
        var densities: [Double] = []
        try run.forEachRows(of: RunStatistic.logDensity, as: Double.self) { densities += $0 }
        #expect(densities == (0..<10).map(SmallRun.logDensity))
        var rates: [Float] = []
        try run.forEachRows(of: RunStatistic.acceptance, as: Float.self) { rates += $0 }
        #expect(rates.count == 30 && rates[4] == SmallRun.acceptance(1, 1))
        try run.forEachRows(of: "none", as: Double.self) { _ in Issue.record("there is none") }
    }

    @Test("The run before it is finished reads the same, selected samples too")
    func staged() throws {
        let folder = try TemporaryFolder()
        let run = try RunStaging(folder: folder.path, description: SmallRun.description)
        for block in SmallRun.blocks { try run.record(block) }
        let all = try StagedRecords(run, selection: nil).samples(ofRows: 0..<10)
        let selected = StagedRecords(run, selection: [1, 1, 4, 9])
        #expect(try selected.samples(ofRows: 1..<4) == Array(all[6..<12] + all[24..<30] + all[54..<60]))
        var densities: [Double] = []
        try selected.forEachRows(of: RunStatistic.logDensity, as: Double.self) { densities += $0 }
        #expect(densities.count == 10)
    }

    @Test("A folder without a finished run, and one with a damaged run, are told of")
    func refusals() throws {
        let folder = try TemporaryFolder()
        func code(_ path: String) -> RunFolderError.Code? {
            failure { () throws(RunFolderError) in _ = try FinishedRecords(path) }?.code
        }
        #expect(code(folder.path) == .missing)
        #expect(code(folder.path + "/none") == .missing)
        _ = try SmallRun.finish(in: folder.path)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/samples.npy"))
        bytes[bytes.count - 1] ^= 1
        try bytes.write(to: URL(fileURLWithPath: folder.path + "/samples.npy"))
        #expect(code(folder.path) == .malformed)
    }

    @Test("An archive with a byte changed anywhere is read or refused, and never brings the reader down")
    func damagedArchives() throws {
        let folder = try TemporaryFolder()
        _ = try SmallRun.finish(in: folder.path)
        let path = folder.path + "/statistics.npz"
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        func read() {
            guard let archive = try? NpzReader(path: path) else { return }
            for name in archive.names { _ = try? archive.array(name).header }
        }
        for place in whole.indices where place > whole.count - 300 || place % 17 == 0 {
            for flip: UInt8 in [0xFF, 0x01] {
                var bytes = whole
                bytes[place] ^= flip
                try bytes.write(to: URL(fileURLWithPath: path))
                read()
            }
        }
        for size in stride(from: 0, to: whole.count, by: 41) {
            try whole.prefix(size).write(to: URL(fileURLWithPath: path))
            #expect(throws: RunFolderError.self) { try NpzReader(path: path) }
        }
    }

    @Test("An archive with 64-bit numbers is read")
    func wide() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/wide.npz"
        do {
            let file = try File(path, for: .creating)
            var writer = ZipWriter(zip64Threshold: 300)
            for (name, value) in [("a", 1.5), ("b", 2.5)] {
                let array = try ArrayStaging(
                    folder: folder.path, name: name + ".npy", elementType: .float64, shape: [40])
                try array.write([Double](repeating: value, count: 40), atRow: 0)
                try writer.add(name + ".npy", array, to: file)
            }
            try writer.finish(to: file)
        }
        let archive = try NpzReader(path: path)
        #expect(archive.names == ["a", "b"])
        let numbers: [Double] = try archive.array("b").all()
        #expect(numbers == [Double](repeating: 2.5, count: 40))
        #expect(throws: RunFolderError.self) { _ = try archive.array("c").header }
    }
}
