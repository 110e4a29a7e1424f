import Testing

@testable import RunFolder

/// Two small arrays in an archive of that name, written with that threshold for 64-bit numbers.
func writeArchive(_ name: String, in folder: TemporaryFolder, zip64Threshold: Int) throws {
    let first = try ArrayStaging(folder: folder.path, name: "a.npy", elementType: .float32, shape: [2, 3])
    try first.write([0, 1, 2, 3, 4, .nan] as [Float], atRow: 0)
    let second = try ArrayStaging(folder: folder.path, name: "b.npy", elementType: .int32, shape: [2])
    try second.write([-1, 7] as [Int32], atRow: 0)
    var staged = try StagedFile(folder: folder.path, name: name)
    var archive = ZipWriter(zip64Threshold: zip64Threshold)
    try archive.add("a.npy", first, to: staged.file)
    try archive.add("b.npy", second, to: staged.file)
    try archive.finish(to: staged.file)
    try staged.publish()
}

@Suite("Archives of arrays")
struct ZipWriterTests {
    @Test(
        "CRC-32 has its published values",
        arguments: [
            ([], 0), (Array("a".utf8), 0xE8B7_BE43), (Array("123456789".utf8), 0xCBF4_3926),
            (Array("The quick brown fox jumps over the lazy dog".utf8), 0x414F_A339),
            (Array(repeating: 0, count: 32), 0x190A_55AD), (Array(repeating: 0xFF, count: 32), 0xFF6C_AB0B),
        ] as [([UInt8], UInt32)])
    func checksums(bytes: [UInt8], expected: UInt32) {
        var checksum = CRC32()
        checksum.update(bytes)
        #expect(checksum.value == expected)
    }

    @Test("CRC-32 does not depend on how the bytes are cut")
    func checksumPieces() {
        let bytes = (0..<100).map { UInt8(truncatingIfNeeded: $0 * 37 + 11) }
        var whole = CRC32()
        whole.update(bytes)
        for cut in 0...bytes.count {
            var pieces = CRC32()
            pieces.update(Array(bytes[..<cut]))
            pieces.update(Array(bytes[cut...]))
            #expect(pieces.value == whole.value)
        }
    }

    // 160: the first entry lies below, the second beyond the limit.
    @Test(
        "Entries, checksums and time stamps are where the directory says, in both widths of its numbers",
        arguments: [(Int(UInt32.max), false, [false, false]), (1, true, [true, true]), (160, true, [false, true])])
    func structure(threshold: Int, isZip64: Bool, wide: [Bool]) throws {
        let folder = try TemporaryFolder()
        try writeArchive("s.npz", in: folder, zip64Threshold: threshold)
        let archive = try ZipReader(try folder.bytes("s.npz"))
        #expect(archive.isZip64 == isZip64)
        #expect(archive.entries.map(\.name) == ["a.npy", "b.npy"])
        #expect(archive.entries.map(\.isZip64) == wide)
        for entry in archive.entries {
            var checksum = CRC32()
            checksum.update(Array(entry.content))
            #expect(entry.checksum == checksum.value)
            #expect(entry.time == 0x0021_0000)
            try folder.write(Array(entry.content), entry.name)
        }
        #expect(try NpyReader(path: folder("a.npy")).rows(0..<1, as: Float.self) == [0, 1, 2])
        #expect(try NpyReader(path: folder("b.npy")).all(as: Int32.self) == [-1, 7])
    }

    @Test("Equal arrays give equal archives")
    func deterministic() throws {
        let folder = try TemporaryFolder()
        try writeArchive("s.npz", in: folder, zip64Threshold: Int(UInt32.max))
        try writeArchive("t.npz", in: folder, zip64Threshold: Int(UInt32.max))
        #expect(try folder.bytes("s.npz") == folder.bytes("t.npz"))
    }

    @Test(
        "numpy and Python's zip reader open the archives, in both widths", .enabled(if: Python.hasNumpy),
        arguments: [Int(UInt32.max), 160, 1])
    func numpy(threshold: Int) throws {
        let folder = try TemporaryFolder()
        try writeArchive("s.npz", in: folder, zip64Threshold: threshold)
        let script = """
            import sys, zipfile, numpy
            assert zipfile.ZipFile(sys.argv[1]).testzip() is None
            with numpy.load(sys.argv[1]) as z:
                print(sorted(z.files), z["a"].tolist(), z["a"].dtype, z["b"].tolist(), z["b"].dtype)
            """
        let output = try Python.run(script, [folder("s.npz")])
        #expect(output == "['a', 'b'] [[0.0, 1.0, 2.0], [3.0, 4.0, nan]] float32 [-1, 7] int32\n")
    }
}
