import ContentHash
import Foundation
import Testing

@Suite("SHA-256")
struct SHA256Tests {
    @Test(
        "the published answers of FIPS 180-4 come out",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func publishedAnswers(text: String, hex: String) {
        #expect(SHA256.hash(of: Array(text.utf8)).hex == hex)
    }

    @Test("a million times the letter a")
    func million() {
        let digest = SHA256.hash(of: [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000))
        #expect(digest.hex == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test("the cut into pieces does not matter", arguments: [1, 63, 64, 65, 1000])
    func pieces(length: Int) {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        var hash = SHA256()
        hash.update(EmptyCollection())
        for start in stride(from: 0, to: bytes.count, by: length) {
            hash.update(bytes[start..<min(start + length, bytes.count)])
        }
        #expect(hash.finalize() == SHA256.hash(of: bytes))
    }

    @Test("bytes that lie in no buffer count like those that do")
    func lazyBytes() {
        var hash = SHA256()
        hash.update((0..<200).lazy.map { UInt8($0) })
        #expect(hash.finalize() == SHA256.hash(of: Array(0..<200)))
    }

    @Test("a digest can be taken midway, and copies go their own ways")
    func copies() {
        var hash = SHA256()
        hash.update(Array("a".utf8))
        var other = hash
        #expect(hash.finalize() == SHA256.hash(of: Array("a".utf8)))
        hash.update(Array("bc".utf8))
        other.update(Array("b".utf8))
        #expect(hash.finalize() == SHA256.hash(of: Array("abc".utf8)))
        #expect(other.finalize() == SHA256.hash(of: Array("ab".utf8)))
    }

    @Test("a file hashes like its bytes, also over several chunks", arguments: [0, 5, (1 << 20) + 17])
    func files(size: Int) throws {
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 ^ $0 >> 8) }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("content-hash-\(UUID()).bin")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(bytes).write(to: file)
        #expect(try SHA256.hash(ofFile: file.path) == SHA256.hash(of: bytes))
    }

    @Test("a missing file and a folder are errors that name the path", arguments: ["/nowhere/at/all", "/"])
    func unreadable(path: String) {
        let error = #expect(throws: UnreadableFile.self) { try SHA256.hash(ofFile: path) }
        #expect(error?.path == path)
        #expect(error?.description.hasPrefix("\(path): cannot be read: ") == true)
    }
}
