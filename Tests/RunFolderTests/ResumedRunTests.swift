import Foundation
import Testing

@testable import RunFolder

@Suite("Output folders of runs that are taken up again")
struct ResumedRunTests {
    private static let hidden = [
        ".acceptance.npy.partial", ".divergences.npy.partial", ".job.json.partial", ".log_density.npy.partial",
        ".samples.npy.partial", ".size.npy.partial",
    ]

    /// A folder where a run was let go of after these blocks of the small run.
    private func suspended(after blocks: [Int]) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let run = try RunStaging(folder: folder.path, description: SmallRun.description)
        for block in blocks { try run.record(SmallRun.blocks[block]) }
        try run.sync()
        run.suspend()
        return folder
    }

    private func resume(
        _ folder: String, blocks: [Int], description: RunDescription = SmallRun.description
    ) throws(RunFolderError) -> RunStaging {
        let records = blocks.map { SmallRun.blocks[$0] }
        return try RunStaging(
            resuming: folder, description: description,
            from: SuspendedRun(
                recordedChains: records.map { $0.firstChain..<($0.firstChain + $0.chains) },
                gradientEvaluations: records.map(\.gradientEvaluations).reduce(0, +), of: description, folder: folder))
    }

    /// All files of the small run when nothing disturbs it.
    private func undisturbed() throws -> [String: [UInt8]] {
        let folder = try TemporaryFolder()
        _ = try SmallRun.finish(in: folder.path)
        return try TemporaryFolder.contents(of: folder.path)
    }

    @Test(
        "A run that was let go of goes on to the same bytes",
        arguments: [[], [1], [2], [0, 2], [2, 1], [1, 0, 2]] as [[Int]])
    func sameBytes(before: [Int]) throws {
        let folder = try suspended(after: before)
        #expect(try folder.names == Self.hidden)
        let run = try resume(folder.path, blocks: before)
        #expect(run.recordedChains == before.map { SmallRun.blocks[$0].chains }.reduce(0, +))
        for block in 0..<3 where !before.contains(block) { try run.record(SmallRun.blocks[block]) }
        _ = try run.finish(provenance: SmallRun.provenance, conclusion: SmallRun.conclusion)
        #expect(try TemporaryFolder.contents(of: folder.path) == undisturbed())
    }

    @Test("A run that was killed goes on to the same bytes; rows nobody vouches for are written again")
    func killed() throws {
        let (folder, copy) = (try TemporaryFolder(), try TemporaryFolder())
        let run = try RunStaging(folder: folder.path, description: SmallRun.description)
        try run.record(SmallRun.blocks[2])
        try run.sync()
        var spoilt = SmallRun.blocks[0]
        spoilt.samples = spoilt.samples.map { ~$0 }
        spoilt.statistics["divergences"] = [Int32](repeating: 9, count: 4).littleEndianBytes
        try run.record(spoilt)
        // What a killed process leaves is what the files hold now.
        try FileManager.default.copyItem(atPath: folder.path, toPath: copy("killed"))

        let second = try resume(copy("killed"), blocks: [2])
        #expect(second.recordedChains == 2)
        try second.record(SmallRun.blocks[0])
        try second.record(SmallRun.blocks[1])
        _ = try second.finish(provenance: SmallRun.provenance, conclusion: SmallRun.conclusion)
        #expect(try TemporaryFolder.contents(of: copy("killed")) == undisturbed())
    }

    @Test(
        "A run that was killed while it was finished is finished again",
        arguments: [
            ["samples.npy"], ["samples.npy", "statistics.npz"], ["samples.npy", "statistics.npz", "job.json"],
        ])
    func killedAtTheEnd(published: [String]) throws {
        let folder = try suspended(after: [0, 1, 2])
        for name in published {
            if name == "statistics.npz" {
                try folder.write([1, 2, 3], name)
            } else {
                try FileManager.default.moveItem(atPath: folder(".\(name).partial"), toPath: folder(name))
            }
        }
        let run = try resume(folder.path, blocks: [0, 1, 2])
        _ = try run.finish(provenance: SmallRun.provenance, conclusion: SmallRun.conclusion)
        #expect(try TemporaryFolder.contents(of: folder.path) == undisturbed())
    }

    @Test("Samples of an earlier, finished run are not taken for those of the run that was killed")
    func earlierRun() throws {
        let folder = try suspended(after: [0])
        try FileManager.default.removeItem(atPath: folder(".samples.npy.partial"))
        let other = try TemporaryFolder()
        _ = try SmallRun.finish(in: other.path)
        for name in SmallRun.finalNames {
            try FileManager.default.copyItem(atPath: other(name), toPath: folder(name))
        }
        let error = failure { () throws(RunFolderError) in _ = try resume(folder.path, blocks: [0]) }
        #expect(error?.code == .missing)
        #expect(RunFolder.isComplete(folder.path, jobHash: SmallRun.hash))
    }

    @Test("Recorded chains are refused when they come again")
    func recordedSet() throws {
        let folder = try suspended(after: [1])
        let run = try resume(folder.path, blocks: [1])
        let error = failure { () throws(RunFolderError) in try run.record(SmallRun.blocks[1]) }
        #expect(error?.reason == "chain 4 is recorded already")
        #expect(run.recordedChains == 4)
    }

    @Test("A missing staging file is told, and the others stay", arguments: hidden)
    func missing(name: String) throws {
        let folder = try suspended(after: [1])
        try FileManager.default.removeItem(atPath: folder(name))
        let error = failure { () throws(RunFolderError) in _ = try resume(folder.path, blocks: [1]) }
        #expect(error?.code == .missing)
        #expect(error?.path == folder(name))
        #expect(try folder.names == Self.hidden.filter { $0 != name })
        // From nothing, the run can start all the same.
        _ = try SmallRun.finish(in: folder.path)
        #expect(try TemporaryFolder.contents(of: folder.path) == undisturbed())
    }

    @Test("A staging file that is too short, too long, empty or has another header is refused", arguments: hidden)
    func damaged(name: String) throws {
        let folder = try suspended(after: [1])
        let bytes = try folder.bytes(name)
        for content in [Array(bytes.dropLast()), bytes + [0], [], [bytes[0] ^ 1] + bytes.dropFirst()] {
            try folder.write(content, name)
            let error = failure { () throws(RunFolderError) in _ = try resume(folder.path, blocks: [1]) }
            #expect(error?.code == .malformed)
            #expect(error?.path == folder(name))
            #expect(try folder.names == Self.hidden)
        }
    }

    @Test("The staging files of another job are refused, though its arrays have the same shapes")
    func foreignJob() throws {
        let folder = try suspended(after: [1])
        let small = SmallRun.description
        let description = RunDescription(
            canonicalJob: Array("{\"rrr\":2}".utf8), jobHash: "5eee", name: "small", chains: small.chains,
            draws: small.draws, shape: small.shape, levels: small.levels, block: small.block,
            statistics: small.statistics)
        let error = failure { () throws(RunFolderError) in
            _ = try resume(folder.path, blocks: [1], description: description)
        }
        #expect(error?.code == .malformed)
        #expect(error?.reason == "the staging files are those of another job")
        #expect(try folder.names == Self.hidden)
    }

    @Test(
        "Chains that are not of the run, or named twice, are refused", arguments: [[0..<11], [-1..<2], [0..<4, 3..<5]])
    func wrongChains(ranges: [Range<Int>]) throws {
        let folder = try suspended(after: [0, 1, 2])
        let error = failure { () throws(RunFolderError) in
            _ = try SuspendedRun(
                recordedChains: ranges, gradientEvaluations: 0, of: SmallRun.description, folder: folder.path)
        }
        #expect(error?.code == .invalidValue)
        #expect(try folder.names == Self.hidden)
    }

    @Test("A run that goes on holds its folder, and dropped without being let go of it leaves none of its files")
    func ownership() throws {
        let folder = try suspended(after: [1])
        do {
            let run = try resume(folder.path, blocks: [1])
            let second = failure { () throws(RunFolderError) in _ = try resume(folder.path, blocks: [1]) }
            #expect(second?.code == .inUse)
            #expect(failure { () throws(RunFolderError) in try RunStaging.discard(in: folder.path) }?.code == .inUse)
            #expect(try folder.names == Self.hidden)
            #expect(run.recordedChains == 4)
        }
        #expect(try folder.names == [])
    }

    @Test("What a failed sync may have lost counts as not recorded, and can come again")
    func failedSync() throws {
        let folder = try TemporaryFolder()
        let run = try RunStaging(folder: folder("out"), description: SmallRun.description)
        try run.record(SmallRun.blocks[1])
        try FileManager.default.moveItem(atPath: folder("out"), toPath: folder("away"))
        let error = failure { () throws(RunFolderError) in try run.sync() }
        #expect(error?.code == .missing)
        #expect(run.recordedChains == 0)

        try FileManager.default.moveItem(atPath: folder("away"), toPath: folder("out"))
        try run.record(SmallRun.blocks[1])
        try run.sync()
        #expect(run.recordedChains == 4)
        try run.record(SmallRun.blocks[0])
        try run.record(SmallRun.blocks[2])
        _ = try run.finish(provenance: SmallRun.provenance, conclusion: SmallRun.conclusion)
        #expect(try TemporaryFolder.contents(of: folder("out")) == undisturbed())
    }

    @Test("What was recorded before a pause and is not on the disk is lost by a sync that fails after the pause")
    func failedSyncAfterPause() throws {
        let folder = try TemporaryFolder()
        let run = try RunStaging(folder: folder("out"), description: SmallRun.description)
        try run.record(SmallRun.blocks[0])
        try run.sync()
        try run.record(SmallRun.blocks[1])
        let suspended = run.suspend()
        #expect(suspended.recordedRanges == [0..<8])
        // The first one holds the folder still.
        try FileManager.default.moveItem(atPath: folder("out"), toPath: folder("held"))
        try FileManager.default.copyItem(atPath: folder("held"), toPath: folder("out"))

        let next = try RunStaging(resuming: folder("out"), description: SmallRun.description, from: suspended)
        try FileManager.default.moveItem(atPath: folder("out"), toPath: folder("away"))
        #expect(failure { () throws(RunFolderError) in try next.sync() }?.code == .missing)
        #expect(next.recordedRanges == [0..<4])

        try FileManager.default.moveItem(atPath: folder("away"), toPath: folder("out"))
        try next.record(SmallRun.blocks[1])
        try next.record(SmallRun.blocks[2])
        _ = try next.finish(provenance: SmallRun.provenance, conclusion: SmallRun.conclusion)
        #expect(try TemporaryFolder.contents(of: folder("out")) == undisturbed())
    }

    @Test("Nothing can be recorded or synced once the run is let go of")
    func closed() throws {
        let folder = try TemporaryFolder()
        let run = try RunStaging(folder: folder.path, description: SmallRun.description)
        run.suspend()
        #expect(
            failure { () throws(RunFolderError) in try run.record(SmallRun.blocks[0]) }?.code == .invalidValue)
        #expect(failure { () throws(RunFolderError) in try run.sync() }?.code == .invalidValue)
    }

    @Test("What a run left that nobody goes on with can be removed")
    func discarded() throws {
        let folder = try suspended(after: [1])
        try folder.write([1], "other")
        try RunStaging.discard(in: folder.path)
        #expect(try folder.names == ["other"])
        try RunStaging.discard(in: folder("not there"))
    }
}
