import Foundation
import Safetensors
import Testing

@Suite("Malformed files of tensors")
struct MalformedFileTests {
    @Test("each is refused with its own words", arguments: MalformedFile.all)
    func refusal(of malformed: MalformedFile) throws {
        let folder = try ScratchFolder()
        let path = try folder.file(malformed.bytes)
        let error = try #require(throws: SafetensorsError.self) { _ = try SafetensorsFile(path: path) }
        #expect(error.code == .badData)
        #expect(error.message == malformed.message)
        #expect(error.description == "\(path): \(malformed.message)")
    }

    @Test("the table has a name for each")
    func names() {
        #expect(Set(MalformedFile.all.map(\.name)).count == MalformedFile.all.count)
        #expect(MalformedFile.all.count >= 80)
    }

    @Test("nothing is no input; a folder, a pipe without a writer and a device are no files of tensors")
    func noInput() throws {
        let folder = try ScratchFolder()
        let pipe = folder("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        for (path, code, words) in [
            (folder("missing"), SafetensorsError.Code.noInput, "cannot open: No such file or directory"),
            (folder(""), .badData, "not a regular file"),
            (pipe, .badData, "not a regular file"),
            ("/dev/zero", .badData, "not a regular file"),
        ] {
            let error = try #require(throws: SafetensorsError.self) { _ = try SafetensorsFile(path: path) }
            #expect(error.code == code)
            #expect(error.message == words)
        }
    }

    @Test("a file that is shortened after it was opened is an error, not the end of the process")
    func shortened() throws {
        let folder = try ScratchFolder()
        let path = folder("tensors.safetensors")
        let count = 100_000
        try SafetensorsFile.write(
            [StoredTensor("w", shape: [count], .float32([Float](repeating: 1, count: count)))], to: path)
        let file = try SafetensorsFile(path: path)
        #expect(truncate(path, 4096) == 0)
        let error = try #require(throws: SafetensorsError.self) { _ = try file.floats(file.tensor("w")) }
        #expect(error.message == "the file ends at byte 4096")
        #expect(error.code == .badData)
    }

    struct HostileHeader: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let header: String
        let words: String
    }

    static let hostile = [
        // A message's place in the text, made for each number, would repeat the name.
        HostileHeader(
            testDescription: "a long name and many axes",
            header: "{\"" + String(repeating: "n", count: 512) + "\":{\"dtype\":\"F32\",\"shape\":[0"
                + String(repeating: ",0", count: 1 << 20) + "],\"data_offsets\":[0,0]}}",
            words: "axes"),
        HostileHeader(
            testDescription: "a long name", header: "{\"" + String(repeating: "n", count: 1 << 20) + "\":1}",
            words: "the name of a tensor has 1048576 bytes; at most 512 are read"),
        // Comparing names brings combining marks into order.
        HostileHeader(
            testDescription: "combining marks",
            header: "{\"a" + String(repeating: "\u{301}\u{316}", count: 1 << 18) + "\":1,\"b\":1}",
            words: "more than 30 combining marks in a row"),
        HostileHeader(
            testDescription: "open brackets", header: "{\"w\":" + String(repeating: "[", count: 1 << 20) + "}",
            words: "nested more than 64 deep"),
        HostileHeader(
            testDescription: "a long element type",
            header: "{\"w\":{\"dtype\":\"" + String(repeating: "F", count: 1 << 20)
                + "\",\"shape\":[],\"data_offsets\":[0,4]}}",
            words: "no element type"),
        HostileHeader(
            testDescription: "a number of a million digits",
            header: "{\"w\":{\"dtype\":\"F32\",\"shape\":[" + String(repeating: "9", count: 1 << 20)
                + "],\"data_offsets\":[0,4]}}",
            words: "whole number"),
        HostileHeader(
            testDescription: "many metadata",
            header: "{\"__metadata__\":{" + (0..<50_000).map { "\"\($0)\":\"\"" }.joined(separator: ",")
                + ",\"x\":1}}",
            words: "must be a string"),
    ]

    /// Without limits some would take minutes if the time grew with the square of the size.
    @Test(
        "the time for a hostile header grows with its size alone, and so do messages up to a limit", arguments: hostile)
    func bounded(_ hostile: HostileHeader) throws {
        let folder = try ScratchFolder()
        let path = try folder.file(fileBytes(hostile.header))
        let error = try #require(throws: SafetensorsError.self) { _ = try SafetensorsFile(path: path) }
        #expect(error.message.contains(hostile.words))
        #expect(error.message.unicodeScalars.count <= 1001)
    }
}
