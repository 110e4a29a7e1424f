import Testing

@testable import RunFolder

/// A npy file of version 1.0 with that header text, as it is, and that many bytes of data.
private func npy(_ text: String, data: Int, major: UInt8 = 1, minor: UInt8 = 0) -> [UInt8] {
    let header = Array(text.utf8) + [0x0a]
    let length = [UInt8(header.count & 0xFF), UInt8(header.count >> 8)] + (major == 1 ? [] : [0, 0])
    return NpyHeader.magic + [major, minor] + length + header + [UInt8](repeating: 0, count: data)
}

private let plain = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"

@Suite("Reading npy files")
struct NpyReaderTests {
    @Test("A file that numpy wrote reads as numpy reads it")
    func numpyFile() throws {
        let folder = try TemporaryFolder()
        var bytes: [UInt8] = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 0x01, 0x00, 0x76, 0x00] + Array(plain.utf8)
        bytes += [UInt8](repeating: 0x20, count: 127 - bytes.count) + [0x0a]
        bytes += [0, 0, 0x80, 0xbf, 0, 0, 0, 0xbf, 0, 0, 0, 0, 0, 0, 0, 0x3f, 0, 0, 0x80, 0x3f, 0, 0, 0xc0, 0x3f]
        try folder.write(bytes, "a.npy")
        let reader = try NpyReader(path: folder("a.npy"))
        #expect(reader.header.elementType == .float32)
        #expect(reader.header.shape == [2, 3])
        #expect(try reader.all(as: Float.self) == [-1, -0.5, 0, 0.5, 1, 1.5])
        #expect(try reader.rows(1..<2, as: Float.self) == [0.5, 1, 1.5])
        #expect(try reader.rows(2..<2, as: Float.self) == [])
    }

    @Test("Signs of zero, infinities and not-a-number come through")
    func specialValues() throws {
        let folder = try TemporaryFolder()
        let data: [UInt8] = [
            0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0x80,
            0, 0, 0, 0, 0, 0, 0xf8, 0x7f, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f,
        ]
        try folder.write(try NpyHeader(elementType: .float64, shape: [4]).bytes + data, "a.npy")
        let values: [Double] = try NpyReader(path: folder("a.npy")).all()
        #expect(values[0] == 1.5)
        #expect(values[1].bitPattern == (-0.0).bitPattern)
        #expect(values[2].isNaN)
        #expect(values[3] == .infinity)
    }

    @Test(
        "What the format leaves open is read: keys in any order, quotes of both kinds, versions 2.0 and 3.0",
        arguments: [
            npy("{\"shape\": (2,3), \"descr\": \"<f4\", \"fortran_order\": False}", data: 24),
            npy("{'descr':'<f4','fortran_order':False,'shape':(2,3,)}   ", data: 24),
            npy(plain, data: 24, major: 2),
            npy(plain, data: 24, major: 3),
        ])
    func variants(bytes: [UInt8]) throws {
        let folder = try TemporaryFolder()
        try folder.write(bytes, "a.npy")
        let reader = try NpyReader(path: folder("a.npy"))
        #expect(reader.header.shape == [2, 3])
        #expect(reader.header.elementType == .float32)
    }

    @Test(
        "Malformed files are refused with the reason",
        arguments: [
            ("an empty file", [], "too few"),
            ("a few bytes", Array(npy(plain, data: 24).prefix(9)), "too few"),
            ("another magic", [0x50] + npy(plain, data: 24).dropFirst(), "not a npy file"),
            ("version 0.0", npy(plain, data: 24, major: 0), "version 0.0"),
            ("version 4.0", npy(plain, data: 24, major: 4), "version 4.0"),
            ("version 1.1", npy(plain, data: 24, minor: 1), "version 1.1"),
            ("a file cut in its header", Array(npy(plain, data: 24).prefix(40)), "ends within"),
            ("a header of 4 GB", NpyHeader.magic + [2, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x7B], "ends within"),
            ("a header without newline", npy(plain + "x", data: 24).map { $0 == 0x0a ? 0x20 : $0 }, "newline"),
            ("data too short", npy(plain, data: 23), "takes 24 bytes"),
            ("data too long", npy(plain, data: 25), "takes 24 bytes"),
            ("objects", npy("{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }", data: 24), "Python objects"),
            ("complex", npy("{'descr': '<c8', 'fortran_order': False, 'shape': (3,), }", data: 24), "save a.real"),
            ("text", npy("{'descr': '<U2', 'fortran_order': False, 'shape': (3,), }", data: 24), "numpy.unique"),
            ("dates", npy("{'descr': '<M8[s]', 'fortran_order': False, 'shape': (3,), }", data: 24), "numpy.unique"),
            ("bfloat16", npy("{'descr': '<V2', 'fortran_order': False, 'shape': (3,), }", data: 6), "bfloat16"),
            ("long doubles", npy("{'descr': '<f16', 'fortran_order': False, 'shape': (2,), }", data: 32), "'<f16'"),
            ("a zip archive", Array("PK\u{3}\u{4}0000000000".utf8), "numpy.savez"),
            (
                "records", npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (6,), }", data: 24),
                "records, which are not read; save one field"
            ),
            ("no shape", npy("{'descr': '<f4', 'fortran_order': False, }", data: 24), "'shape' is missing"),
            ("no order", npy("{'descr': '<f4', 'shape': (2, 3), }", data: 24), "'fortran_order' is missing"),
            ("no type", npy("{'fortran_order': False, 'shape': (2, 3), }", data: 24), "'descr' is missing"),
            ("an unknown key", npy(plain.dropLast() + "'order': 1, }", data: 24), "unknown key 'order'"),
            ("a key twice", npy(plain.dropLast() + "'shape': (2, 3), }", data: 24), "twice"),
            ("something behind", npy(plain + " {}", data: 24), "follows"),
            (
                "a number for a tuple", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (6), }", data: 24),
                "tuple"
            ),
            (
                "a negative length", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-6,), }", data: 24),
                "length"
            ),
            (
                "a length of 20 digits",
                npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", data: 24),
                "too large"
            ),
            (
                "a shape that overflows",
                npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", data: 0),
                "too large"
            ),
            ("an open string", npy("{'descr: 1", data: 24), "does not end"),
            ("no dictionary", npy("[1, 2]", data: 24), "expected '{'"),
            ("no text", npy("{'dés", data: 24), "plain text"),
            ("an order that is a number", npy("{'fortran_order': 0}", data: 24), "neither"),
        ] as [(String, [UInt8], String)])
    func malformed(what: String, bytes: [UInt8], reason: String) throws {
        let folder = try TemporaryFolder()
        try folder.write(bytes, "a.npy")
        let error = failure { () throws(RunFolderError) in _ = try NpyReader(path: folder("a.npy")) }
        #expect(error?.code == .malformed)
        #expect(error?.exitStatus == 65)
        #expect(error?.path == folder("a.npy"))
        #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "read")")
    }

    @Test("A file that is not there is missing, and rows or types that are not there are refused")
    func wrongRequests() throws {
        let folder = try TemporaryFolder()
        let missing = failure { () throws(RunFolderError) in _ = try NpyReader(path: folder("a.npy")) }
        #expect(missing?.code == .missing)
        #expect(missing?.exitStatus == 66)

        try folder.write(npy(plain, data: 24), "a.npy")
        let reader = try NpyReader(path: folder("a.npy"))
        for range in [-1..<1, 0..<3, 3..<4] {
            let error = failure { () throws(RunFolderError) in _ = try reader.rows(range, as: Float.self) }
            #expect(error?.code == .invalidValue)
        }
        let error = failure { () throws(RunFolderError) in _ = try reader.all(as: Int32.self) }
        #expect(error?.code == .invalidValue)
    }
}
