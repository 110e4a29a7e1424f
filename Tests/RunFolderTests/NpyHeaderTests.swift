import ContentHash
import Testing

@testable import RunFolder

/// A header of 128 bytes as numpy 2.4 wrote it, without the spaces at the end of its text.
private func numpyHeader(_ text: String) -> [UInt8] {
    let start: [UInt8] = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 0x01, 0x00, 0x76, 0x00] + Array(text.utf8)
    return start + [UInt8](repeating: 0x20, count: 127 - start.count) + [0x0a]
}

@Suite("Headers of npy files")
struct NpyHeaderTests {
    @Test(
        "The bytes are those that numpy writes",
        arguments: [
            (NpyElementType.float32, [3], "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }"),
            (.float64, [3], "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }"),
            (.int32, [3], "{'descr': '<i4', 'fortran_order': False, 'shape': (3,), }"),
            (.float32, [2, 3], "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"),
            (.float64, [2, 3], "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }"),
            (.int32, [2, 3], "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }"),
            (.float32, [0], "{'descr': '<f4', 'fortran_order': False, 'shape': (0,), }"),
            (.float64, [0], "{'descr': '<f8', 'fortran_order': False, 'shape': (0,), }"),
            (.int32, [0], "{'descr': '<i4', 'fortran_order': False, 'shape': (0,), }"),
            (.float32, [2, 1, 2], "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1, 2), }"),
            (.float64, [2, 1, 2], "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1, 2), }"),
            (.int32, [2, 1, 2], "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 1, 2), }"),
            (.float64, [], "{'descr': '<f8', 'fortran_order': False, 'shape': (), }"),
        ])
    func fixtures(type: NpyElementType, shape: [Int], text: String) throws {
        #expect(try NpyHeader(elementType: type, shape: shape).bytes == numpyHeader(text))
    }

    @Test("Room for the first length to grow moves the end of the padding as numpy's does")
    func growth() throws {
        // Lengths of numpy's headers for k ones, where they step to the next multiple of 64.
        for (axes, size) in [(14, 128), (15, 192), (35, 192), (36, 256), (57, 256), (58, 320), (59, 320)] {
            #expect(try NpyHeader(elementType: .float32, shape: Array(repeating: 1, count: axes)).bytes.count == size)
        }
    }

    @Test(
        "Long headers have the SHA-256 of numpy's, in version 1.0 and beyond it in 2.0",
        arguments: [
            (64, "e70cfabe437927dfa1499640104a129d1e92b98f4dca8a18b2050689cbc6a17c"),
            (30_000, "a4930074fc93fada2cca7c7da1904871f6d63eaffb56c0d42101778ff85b12ea"),
        ])
    func longHeaders(axes: Int, hash: String) throws {
        let header = try NpyHeader(elementType: .float32, shape: Array(repeating: 1, count: axes))
        #expect(SHA256.hash(of: header.bytes).hex == hash)
    }

    @Test("Counts, rows and sizes follow from the shape")
    func counts() throws {
        let header = try NpyHeader(elementType: .float64, shape: [4, 3, 2])
        #expect(header.count == 24)
        #expect(header.rows == 4)
        #expect(header.rowSize == 6)
        #expect(header.dataSize == 192)
        #expect(try NpyHeader(elementType: .int32, shape: [0, 5]).rowSize == 5)
        #expect(try NpyHeader(elementType: .int32, shape: []).count == 1)
    }

    @Test(
        "Shapes that no array can have are refused",
        arguments: [[-1], [2, -3], [Int.max, 2], [1 << 31, 1 << 31, 2], [0, Int.max, 2], [Int.max]])
    func impossibleShapes(shape: [Int]) {
        let error = failure { () throws(RunFolderError) in
            _ = try NpyHeader(elementType: .float32, shape: shape)
        }
        #expect(error?.code == .invalidValue)
    }
}
