import Foundation
import Testing

@testable import RunFolder

@Suite("Files")
struct FileTests {
    @Test("A full disk is told from other failures", .enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
    func fullDisk() throws {
        let file = try File("/dev/full", for: .writing)
        let error = failure { () throws(RunFolderError) in try file.write([1, 2, 3] as [UInt8], at: 0) }
        #expect(error?.code == .full)
        #expect(error?.exitStatus == 74)
        #expect(error?.description.hasPrefix("/dev/full: cannot write: ") == true)
    }

    @Test("An atomic write replaces the file and leaves no other")
    func atomicWrite() throws {
        let folder = try TemporaryFolder()
        try AtomicFile.write(Array("first".utf8), to: folder("a.json"))
        try AtomicFile.write(Array("second".utf8), to: folder("a.json"))
        #expect(try folder.names == ["a.json"])
        #expect(try folder.bytes("a.json") == Array("second".utf8))
    }

    @Test("An atomic write into a folder that is not there cannot create the file")
    func atomicWriteWithoutFolder() throws {
        let folder = try TemporaryFolder()
        let error = failure { () throws(RunFolderError) in try AtomicFile.write([1], to: folder("no/a.json")) }
        #expect(error?.code == .cannotCreate)
        #expect(error?.exitStatus == 73)
    }

    @Test("An atomic write over a folder fails and leaves no staging file")
    func atomicWriteOverFolder() throws {
        let folder = try TemporaryFolder()
        try Folder.create(folder("a.json/b"))
        let error = failure { () throws(RunFolderError) in try AtomicFile.write([1], to: folder("a.json")) }
        #expect(error?.code == .cannotCreate)
        #expect(try folder.names == ["a.json"])
    }

    @Test("Names in a folder come out as they are, however long they are and however many")
    func names() throws {
        let folder = try TemporaryFolder()
        var expected: Set = [".", ".."]
        for length in 1...255 {
            for letter in ["a", "ü"] {
                let name = String(repeating: letter, count: length / letter.utf8.count)
                guard !name.isEmpty else { continue }
                try folder.write([], name)
                expected.insert(name)
            }
        }
        let names = try Folder.names(in: folder.path)
        #expect(Set(names) == expected && names.count == expected.count)
    }

    @Test(
        "Paths split into folder and name",
        arguments: [
            ("a", ".", "a"), ("a/b", "a", "b"), ("/a", "/", "a"), ("/a/b/", "/a", "b"), ("a/b//", "a", "b"),
        ])
    func paths(path: String, parent: String, name: String) {
        #expect(Folder.parent(of: path) == parent)
        #expect(Folder.name(of: path) == name)
    }
}
