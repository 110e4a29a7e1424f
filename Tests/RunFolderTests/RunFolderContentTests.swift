import ContentHash
import Testing

@testable import RunFolder

@Suite("What stands in an output folder")
struct RunFolderContentTests {
    @Test("A folder is absent, empty in spite of hidden staging, or finished")
    func sound() throws {
        let folder = try TemporaryFolder()
        #expect(try RunFolder.content(of: folder("nowhere")) == .absent)
        #expect(try RunFolder.content(of: folder.path) == .empty)
        try folder.write([1], ".samples.npy.partial")
        try folder.write([1], ".pool-12345678")
        #expect(try RunFolder.content(of: folder.path) == .empty)
        _ = try SmallRun.finish(in: folder.path)
        try folder.write([1], "picture.png")
        #expect(try RunFolder.content(of: folder.path) == .finished(jobHash: SmallRun.hash))
    }

    @Test("A file in the way of the folder is an error that names it")
    func file() throws {
        let folder = try TemporaryFolder()
        try folder.write([1], "file")
        let error = failure { () throws(RunFolderError) in _ = try RunFolder.content(of: folder("file")) }
        #expect(error?.code == .cannotCreate)
        #expect(error?.path == folder("file"))
    }

    @Test("A single other byte among the samples is damage, which the shape does not show")
    func otherByte() throws {
        let folder = try TemporaryFolder()
        _ = try SmallRun.finish(in: folder.path)
        var samples = try folder.bytes("samples.npy")
        samples[samples.count - 5] ^= 1
        try folder.write(samples, "samples.npy")
        #expect(RunFolder.isComplete(folder.path, jobHash: SmallRun.hash))
        guard case .damaged(SmallRun.hash, let reason) = try RunFolder.content(of: folder.path) else {
            Issue.record("not told as damaged")
            return
        }
        #expect(reason.contains(folder("samples.npy")) && reason.contains("SHA-256"))
    }

    @Test("Any other byte in any file is damage, of the job that it was", arguments: SmallRun.finalNames)
    func anyOtherByte(name: String) throws {
        let folder = try TemporaryFolder()
        _ = try SmallRun.finish(in: folder.path)
        let sound = try folder.bytes(name)
        for place in sound.indices {
            var bytes = sound
            bytes[place] ^= 1
            try folder.write(bytes, name)
            guard case .damaged(SmallRun.hash, let reason) = try RunFolder.content(of: folder.path) else {
                Issue.record("byte \(place) is not told as damaged")
                return
            }
            #expect(reason.contains(folder(name)), "byte \(place)")
        }
        try folder.write(sound, name)
        #expect(try RunFolder.content(of: folder.path) == .finished(jobHash: SmallRun.hash))
    }

    @Test("What a program left that sealed no text and told no hash of the statistics is finished")
    func older() throws {
        let folder = try TemporaryFolder()
        var summary = try SmallRun.finish(in: folder.path)
        summary.statisticsSHA256 = nil
        let lines = summary.json.split(separator: "\n").filter { !$0.contains("content_sha256") }
        let text = lines.joined(separator: "\n").replacing(
            "\(summary.samplesSHA256)\",", with: "\(summary.samplesSHA256)\"")
        try folder.write(Array(text.utf8), "summary.json")
        try folder.write(Array("{}\n".utf8), "provenance.json")
        #expect(try RunFolder.content(of: folder.path) == .finished(jobHash: SmallRun.hash))
        try folder.write(try folder.bytes("statistics.npz").dropLast(3), "statistics.npz")
        guard case .damaged(SmallRun.hash, let reason) = try RunFolder.content(of: folder.path) else {
            Issue.record("not told as damaged")
            return
        }
        #expect(reason.contains("cut off"))
    }

    @Test("A missing or cut file is damage", arguments: SmallRun.finalNames.filter { $0 != "summary.json" })
    func missing(name: String) throws {
        let folder = try TemporaryFolder()
        _ = try SmallRun.finish(in: folder.path)
        if name == "samples.npy" {
            try folder.write(try folder.bytes(name).dropLast(), name)
        } else {
            try Folder.removeFile(folder(name))
        }
        func expectDamage() throws {
            guard case .damaged(SmallRun.hash, let reason) = try RunFolder.content(of: folder.path) else {
                Issue.record("not told as damaged")
                return
            }
            #expect(reason.contains(folder(name)))
        }
        try expectDamage()
        try folder.write([], name)
        try expectDamage()
        try folder.write([UInt8](repeating: 7, count: 40), name)
        if name == "statistics.npz" { try expectDamage() }
    }

    @Test("A summary that can't be read is damage of the job whose text stands beside it")
    func unreadableSummary() throws {
        let folder = try TemporaryFolder()
        _ = try SmallRun.finish(in: folder.path)
        try folder.write(Array("{".utf8), "summary.json")
        let hash = SHA256.hash(of: SmallRun.description.canonicalJob).hex
        guard case .damaged(hash, _) = try RunFolder.content(of: folder.path) else {
            Issue.record("not told as damaged")
            return
        }
    }

    @Test("Somebody's files without a summary are foreign; those of a run that was killed at its end are not")
    func foreign() throws {
        let folder = try TemporaryFolder()
        try folder.write([1], "samples.npy")
        try folder.write([1], "notes.txt")
        #expect(try RunFolder.content(of: folder.path) == .foreign(["notes.txt", "samples.npy"]))
        try folder.write([1], ".summary.json.partial")
        #expect(try RunFolder.content(of: folder.path) == .foreign(["notes.txt"]))
        try Folder.removeFile(folder("notes.txt"))
        #expect(try RunFolder.content(of: folder.path) == .empty)
    }
}
