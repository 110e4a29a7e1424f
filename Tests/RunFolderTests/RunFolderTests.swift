import Testing

@testable import RunFolder

@Suite("Finished folders")
struct RunFolderTests {
    @Test("A folder is complete for its own job alone, and with all of its files")
    func complete() throws {
        let folder = try TemporaryFolder()
        #expect(!RunFolder.isComplete(folder.path, jobHash: SmallRun.hash))
        #expect(!RunFolder.isComplete(folder("nowhere"), jobHash: SmallRun.hash))
        _ = try SmallRun.finish(in: folder.path)
        #expect(RunFolder.isComplete(folder.path, jobHash: SmallRun.hash))
        #expect(RunFolder.isComplete(folder.path + "/", jobHash: SmallRun.hash))
        #expect(!RunFolder.isComplete(folder.path, jobHash: "5eee"))
    }

    @Test("A folder that lacks a file is not complete", arguments: SmallRun.finalNames)
    func lacking(name: String) throws {
        let folder = try TemporaryFolder()
        _ = try SmallRun.finish(in: folder.path)
        try Folder.removeFile(folder(name))
        #expect(!RunFolder.isComplete(folder.path, jobHash: SmallRun.hash))
    }

    @Test("Samples that were cut or are of another shape are not complete")
    func cutSamples() throws {
        let folder = try TemporaryFolder()
        _ = try SmallRun.finish(in: folder.path)
        try folder.write(try folder.bytes("samples.npy").dropLast(), "samples.npy")
        #expect(!RunFolder.isComplete(folder.path, jobHash: SmallRun.hash))
        let other = try NpyHeader(elementType: .float32, shape: [10, 3, 2]).bytes + Array(repeating: 0, count: 240)
        try folder.write(other, "samples.npy")
        #expect(!RunFolder.isComplete(folder.path, jobHash: SmallRun.hash))
    }

    @Test("A run over an earlier one replaces all of its files")
    func replaced() throws {
        let folder = try TemporaryFolder()
        for name in SmallRun.finalNames { try folder.write([1, 2, 3], name) }
        let summary = try SmallRun.finish(in: folder.path)
        #expect(try folder.names == SmallRun.finalNames)
        #expect(try RunFolder.summary(in: folder.path) == summary)
    }

    @Test("The summary of an empty folder is missing")
    func noSummary() throws {
        let folder = try TemporaryFolder()
        let error = failure { () throws(RunFolderError) in _ = try RunFolder.summary(in: folder.path) }
        #expect(error?.code == .missing)
    }
}
