import Foundation
import Safetensors
import Testing

@Suite("Files of tensors, there and back")
struct RoundTripTests {
    private static let tensors = [
        StoredTensor("singles", shape: [2, 3], .float32([0, -0.0, .nan, .infinity, 0x1p-149, -3.5])),
        StoredTensor("a/empty", shape: [3, 0], .float32([])),
        StoredTensor("halves", shape: [3], .float16([1, -0.25, 0x1p-24])),
        StoredTensor("one", shape: [], .float64([.pi])),
        StoredTensor("counts", shape: [2], .unsigned64([0, .max])),
        StoredTensor("é \"\\\n", shape: [1], .float32([7])),
    ]
    private static let metadata = ["format": "1", "é\n\"": "日本 \u{1} \\"]

    @Test("numbers, shapes, names and metadata come back as they were")
    func roundTrip() throws {
        let folder = try ScratchFolder()
        let path = folder("tensors.safetensors")
        try SafetensorsFile.write(Self.tensors, metadata: Self.metadata, to: path)
        let file = try SafetensorsFile(path: path)
        #expect(file.metadata == Self.metadata)
        #expect(file.tensors.map(\.name) == ["singles", "a/empty", "halves", "one", "counts", "é \"\\\n"])
        #expect(file.tensors.map(\.shape) == [[2, 3], [3, 0], [3], [], [2], [1]])
        #expect(file.tensors.map(\.type.rawValue) == ["F32", "F32", "F16", "F64", "U64", "F32"])
        let singles = try file.floats(file.tensor("singles"))
        #expect(
            singles.map(\.bitPattern) == [0, -0.0, .nan, .infinity, 0x1p-149, -3.5].map { (x: Float) in x.bitPattern })
        #expect(try file.floats(file.tensor("a/empty")) == [])
        #expect(try file.floats(file.tensor("halves")) == [1, -0.25, 0x1p-24])
        #expect(try file.doubles(file.tensor("one")) == [.pi])
        #expect(try file.integers(file.tensor("counts")) == [0, .max])
        #expect(try folder.bytes("tensors.safetensors").count == file.byteCount)
    }

    @Test("the same tensors give the same bytes; the data begin at a multiple of eight; nothing else is left")
    func bytes() throws {
        let folder = try ScratchFolder()
        for name in ["a", "b"] { try SafetensorsFile.write(Self.tensors, metadata: Self.metadata, to: folder(name)) }
        let bytes = try folder.bytes("a")
        #expect(try folder.bytes("b") == bytes)
        let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        #expect(length % 8 == 0)
        #expect(bytes[8 + length - 1] == UInt8(ascii: " ") || bytes[8 + length - 1] == UInt8(ascii: "}"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder("")).sorted() == ["a", "b"])
    }

    @Test("a file without tensors is a file")
    func empty() throws {
        let folder = try ScratchFolder()
        try SafetensorsFile.write([], to: folder("empty"))
        #expect(try folder.bytes("empty") == fileBytes("{}      "))
        let file = try SafetensorsFile(path: folder("empty"))
        #expect(file.tensors.isEmpty && file.metadata.isEmpty)
    }

    @Test("a file of the package is read: every element type, no axis, no elements, any metadata")
    func fixture() throws {
        let fixture = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Fixtures/elements.safetensors")
        let file = try SafetensorsFile(path: fixture.path)
        #expect(file.metadata == ["made by": "safetensors", "é": "日本\n"])
        for name in ["float16", "bfloat16", "float64"] {
            let floats = try file.floats(file.tensor(name))
            let expected = try file.floats(file.tensor(name + ".single"))
            #expect(floats.count > 70 && floats.count == expected.count)
            for (a, b) in zip(floats, expected) { #expect(a.bitPattern == b.bitPattern || (a.isNaN && b.isNaN)) }
        }
        #expect(try file.tensor("scalar").shape == [])
        #expect(try file.floats(file.tensor("scalar")) == [2.5])
        #expect(try file.tensor("empty").shape == [3, 0, 2])
        #expect(try file.floats(file.tensor("empty")) == [])
        #expect(try file.tensor("cube").shape == [2, 3, 4])
        #expect(try file.floats(file.tensor("cube")) == (0..<24).map { Float($0) })
        #expect(try file.integers(file.tensor("unsigned64")) == [0, 1, 1 << 63 - 1])
        #expect(try file.tensor("bool").type == .bool)
    }

    @Test("the package reads what is written here, number for number", .enabled(if: Python.hasSafetensors))
    func readByPackage() throws {
        let folder = try ScratchFolder()
        let path = folder("tensors.safetensors")
        try SafetensorsFile.write(Self.tensors, metadata: Self.metadata, to: path)
        let output = try Python.run(
            """
            import json, sys
            from safetensors import safe_open
            with safe_open(sys.argv[1], framework="numpy") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}
                print(json.dumps({
                    "metadata": file.metadata(),
                    "tensors": {n: [t.dtype.str, list(t.shape), t.tobytes().hex()] for n, t in tensors.items()},
                }, sort_keys=True))
            """, [path])
        let expected: [String: Any] = [
            "metadata": Self.metadata,
            "tensors": [
                "singles": ["<f4", [2, 3], "00000000000000800000c07f0000807f01000000000060c0"] as [Any],
                "a/empty": ["<f4", [3, 0], ""], "halves": ["<f2", [3], "003c00b40100"],
                "one": ["<f8", [] as [Int], "182d4454fb210940"],
                "counts": ["<u8", [2], "0000000000000000ffffffffffffffff"], "é \"\\\n": ["<f4", [1], "0000e040"],
            ],
        ]
        let read = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? NSDictionary)
        #expect(read == expected as NSDictionary)
    }
}

/// Python with the safetensors package and numpy, where the machine has them.
private enum Python {
    static let hasSafetensors = (try? run("import safetensors.numpy", [])) != nil

    struct Failure: Error {
        let output: String
    }

    /// The standard output of a script; its arguments are `sys.argv[1:]`.
    static func run(_ script: String, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let output = String(decoding: data, as: UTF8.self)
        guard process.terminationStatus == 0 else { throw Failure(output: output) }
        return output
    }
}
