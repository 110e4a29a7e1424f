import Foundation
import Testing

@testable import RunFolder

@Suite("Staged rows that are not what they were")
struct DamagedRunTests {
    private static let checksums: [UInt64?] = SmallRun.blocks.map(\.checksum)

    private func recorded(in folder: TemporaryFolder) throws -> RunStaging {
        let run = try RunStaging(folder: folder.path, description: SmallRun.description)
        for block in SmallRun.blocks { try run.record(block) }
        try run.sync()
        return run
    }

    /// Changes a byte of a hidden file, counted from its end.
    private func spoil(_ name: String, fromEnd: Int, in folder: TemporaryFolder) throws {
        let file = try FileHandle(forUpdating: URL(filePath: folder(".\(name).npy.partial")))
        let end = try file.seekToEnd()
        try file.seek(toOffset: end - UInt64(fromEnd))
        let byte = try #require(try file.read(upToCount: 1)?.first)
        try file.seek(toOffset: end - UInt64(fromEnd))
        try file.write(contentsOf: Data([byte ^ 0x40]))
    }

    @Test("Rows that are as they came are no damage, and what has no checksum counts as sound")
    func sound() throws {
        let folder = try TemporaryFolder()
        let run = try recorded(in: folder)
        #expect(try run.damagedBlocks(among: 0..<3, checksums: Self.checksums) == [])
        #expect(try run.damagedBlocks(among: 1..<2, checksums: [nil]) == [])
        #expect(try run.damagedBlocks(among: 0..<3, checksums: [1, nil, Self.checksums[2]]) == [0])
    }

    @Test(
        "A byte of the samples or of any statistic that is another one damages its block alone",
        arguments: [
            ("samples", 1, 2), ("acceptance", 25, 1), ("log_density", 80, 0), ("divergences", 9, 1), ("size", 1, 2),
        ])
    func damaged(name: String, fromEnd: Int, block: Int) throws {
        let folder = try TemporaryFolder()
        let run = try recorded(in: folder)
        try spoil(name, fromEnd: fromEnd, in: folder)
        #expect(try run.damagedBlocks(among: 0..<3, checksums: Self.checksums) == [block])
    }

    @Test("Blocks that were forgotten come again, and the folder has the bytes of an undisturbed run")
    func forgotten() throws {
        let (folder, calm) = (try TemporaryFolder(), try TemporaryFolder())
        let run = try recorded(in: folder)
        try spoil("samples", fromEnd: 240, in: folder)
        #expect(try run.damagedBlocks(among: 0..<3, checksums: Self.checksums) == [0])
        try run.forget(0..<4, gradientEvaluations: SmallRun.blocks[0].gradientEvaluations)
        #expect(!run.isReadyToFinish && run.recordedRanges == [4..<10])
        try run.record(SmallRun.blocks[0])
        let summary = try run.finish(provenance: SmallRun.provenance, conclusion: SmallRun.conclusion)
        #expect(try summary == SmallRun.finish(in: calm.path))
        #expect(try TemporaryFolder.contents(of: folder.path) == TemporaryFolder.contents(of: calm.path))
    }

    @Test("Staging files that were removed, replaced or cut are noticed", arguments: ["removed", "replaced", "cut"])
    func notInPlace(how: String) throws {
        for name in ["samples", "divergences"] {
            let folder = try TemporaryFolder()
            let run = try recorded(in: folder)
            try run.expectFilesInPlace()
            let hidden = ".\(name).npy.partial"
            let bytes = try folder.bytes(hidden)
            switch how {
            case "cut": #expect(truncate(folder(hidden), 200) == 0)
            case "replaced":
                try Folder.removeFile(folder(hidden))
                try folder.write(bytes, hidden)
            default: try Folder.removeFile(folder(hidden))
            }
            let error = failure { () throws(RunFolderError) in try run.expectFilesInPlace() }
            #expect(error?.code == (how == "cut" ? .malformed : .missing))
            #expect(error?.path == folder(hidden))
        }
    }

    @Test("The checksum is XXH64 of one array, seeded with that of those before it")
    func reference() {
        // Computed by the reference implementation.
        func checksum(_ bytes: [UInt8]) -> UInt64 {
            var checksum = BlockChecksum()
            checksum.update(bytes[...])
            return checksum.value
        }
        #expect(checksum([]) == 0xEF46_DB37_51D8_E999)
        #expect(checksum(Array("a".utf8)) == 0xD24E_C4F1_A98C_6E5B)
        #expect(checksum(Array("abc".utf8)) == 0x44BC_2CF5_AD77_0999)
        #expect(checksum(Array("Nobody inspects the spammish repetition".utf8)) == 0xFBCE_A83C_8A37_8BF1)
    }
}

@Suite("Draws that are not finite")
struct NonFiniteDrawsTests {
    private func run(_ spoil: (inout [Float]) -> Void) throws -> (run: RunStaging, folder: TemporaryFolder) {
        let folder = try TemporaryFolder()
        let run = try RunStaging(folder: folder.path, description: SmallRun.description)
        for var block in SmallRun.blocks {
            var values = [Float](repeating: 0.5, count: block.samples.count / 4)
            if block.firstChain == 4 { spoil(&values) }
            block.samples = values.littleEndianBytes
            try run.record(block)
        }
        return (run, folder)
    }

    @Test("A draw counts once, whatever number of its coordinates is infinite or no number")
    func counted() throws {
        // Draws have 3 coordinates.
        let (run, folder) = try run {
            ($0[0], $0[2], $0[3], $0[9], $0[11]) = (.infinity, .nan, -.infinity, .greatestFiniteMagnitude, .nan)
        }
        let summary = try run.finish(provenance: SmallRun.provenance, conclusion: SmallRun.conclusion)
        #expect(summary.nonFiniteDraws == 3)
        #expect(try RunFolder.content(of: folder.path) == .finished(jobHash: SmallRun.hash))
        #expect(summary.json.contains("\"non_finite_draws\": 3"))
        #expect(try RunSummary(json: Array(summary.json.utf8)) == summary)
    }

    @Test("A run of which no draw is finite has no result; one finite draw is enough")
    func none() throws {
        for isOneLeft in [false, true] {
            let folder = try TemporaryFolder()
            let run = try RunStaging(folder: folder.path, description: SmallRun.description)
            for var block in SmallRun.blocks {
                var values = [Float](repeating: .nan, count: block.samples.count / 4)
                if isOneLeft, block.firstChain == 8 { (values[0], values[1], values[2]) = (1, 2, 3) }
                block.samples = values.littleEndianBytes
                try run.record(block)
            }
            if isOneLeft {
                let summary = try run.finish(provenance: SmallRun.provenance, conclusion: SmallRun.conclusion)
                #expect(summary.nonFiniteDraws == 19)
            } else {
                let error = failure { () throws(RunFolderError) in
                    _ = try run.finish(provenance: SmallRun.provenance, conclusion: SmallRun.conclusion)
                }
                #expect(error?.code == .notFinite && error?.exitStatus == 2)
                #expect(try RunFolder.content(of: folder.path) == .empty)
            }
        }
    }

    @Test("A summary of an earlier version, which did not count them, is read")
    func earlier() throws {
        let folder = try TemporaryFolder()
        var summary = try SmallRun.finish(in: folder.path)
        summary.statisticsSHA256 = nil
        // Such a version didn't seal it either.
        let lines = summary.json.replacing("\",\n  \"content_sha256\"", with: "\"\n\"content_sha256\"")
            .split(separator: "\n").filter { !$0.contains("non_finite_draws") && !$0.contains("content_sha256") }
        #expect(try RunSummary(json: Array(lines.joined(separator: "\n").utf8)).nonFiniteDraws == 0)
    }
}
