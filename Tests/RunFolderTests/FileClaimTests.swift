import Testing

@testable import RunFolder

@Suite("Claims of files")
struct FileClaimTests {
    @Test("A file is claimed once, and again when the claim is gone, which leaves nothing")
    func exclusive() throws {
        let folder = try TemporaryFolder()
        do {
            let claim = try FileClaim(folder("model"))
            let second = failure { () throws(RunFolderError) in _ = try FileClaim(folder("model")) }
            #expect(second?.code == .inUse)
            #expect(second?.exitStatus == 75)
            #expect(second?.path == folder("model"))
            #expect(throws: Never.self) { try FileClaim(folder("other")) }
            withExtendedLifetime(claim) {}
        }
        #expect(try folder.names == [])
        // What a killed process leaves is a file without a lock.
        try folder.write([], "model.lock")
        #expect(throws: Never.self) { try FileClaim(folder("model")) }
        #expect(try folder.names == [])
    }

    @Test("A claim that can't be made is told")
    func impossible() throws {
        let folder = try TemporaryFolder()
        let error = failure { () throws(RunFolderError) in _ = try FileClaim(folder("none/model")) }
        #expect(error?.code == .cannotCreate)
    }
}
