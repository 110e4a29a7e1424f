import ContentHash
import Foundation
import Testing

@testable import RunFolder

@Suite("A run while it grows")
struct GrowingRunTests {
    @Test("The hash that grows along is that of the whole file, in whatever order blocks come and are synced")
    func growingHash() throws {
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
            let folder = try TemporaryFolder()
            let run = try RunStaging(folder: folder.path, description: SmallRun.description)
            for index in order {
                try run.record(SmallRun.blocks[index])
                try run.sync()
            }
            let summary = try run.finish(provenance: SmallRun.provenance, conclusion: SmallRun.conclusion)
            let samples = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder("samples.npy"))))
            #expect(summary.samplesSHA256 == SHA256.hash(of: samples).hex)
        }
    }

    @Test("A prefix hash takes in what has grown since, a part at a time")
    func prefixHash() throws {
        let folder = try TemporaryFolder()
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 131 >> 3) }
        try folder.write(bytes, "file")
        let hash = PrefixHash(ofFile: folder("file"))
        for size in [0, 4, 1_048_576, 1_048_580, 2_500_000] { hash.advance(to: size) }
        #expect(try hash.finish(size: bytes.count).hash == SHA256.hash(of: bytes))
        // Asked again, as after a full disk, it says the same.
        #expect(try hash.finish(size: bytes.count).hash == SHA256.hash(of: bytes))
    }

    @Test("Neighbouring blocks are joined in the order of their chains, up to a size, and leave the same files")
    func joinedBlocks() throws {
        let blocks = SmallRun.blocks
        let joined = BlockRecord.joined([blocks[2], blocks[0], blocks[1]], upTo: 1_000)
        #expect(joined.count == 1 && joined[0].firstChain == 0 && joined[0].chains == 10)
        #expect(BlockRecord.joined([blocks[2], blocks[0]], upTo: 1_000) == [blocks[0], blocks[2]])
        #expect(BlockRecord.joined(blocks, upTo: 1) == blocks)

        let (whole, parts) = (try TemporaryFolder(), try TemporaryFolder())
        let run = try RunStaging(folder: whole.path, description: SmallRun.description)
        try run.record(joined[0])
        let summary = try run.finish(provenance: SmallRun.provenance, conclusion: SmallRun.conclusion)
        #expect(try summary == SmallRun.finish(in: parts.path))
        #expect(try TemporaryFolder.contents(of: whole.path) == TemporaryFolder.contents(of: parts.path))
    }
}
