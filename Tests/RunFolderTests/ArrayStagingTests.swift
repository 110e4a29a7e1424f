import Foundation
import Testing

@testable import RunFolder

@Suite("Arrays that grow on the disk")
struct ArrayStagingTests {
    @Test("Rows written in any order, as numbers or as bytes, are read back in theirs")
    func roundTrip() throws {
        let folder = try TemporaryFolder()
        var array = try ArrayStaging(folder: folder.path, name: "a.npy", elementType: .int32, shape: [4, 2])
        try array.write([6, 7] as [Int32], atRow: 3)
        try array.write([0, 1, -2, 3] as [Int32], atRow: 0)
        try array.write(bytes: [4, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF], atRow: 2)
        #expect(try array.rows(1..<3, as: Int32.self) == [-2, 3, 4, -1])
        #expect(try folder.names == [".a.npy.partial"])
        try array.finish()
        #expect(try folder.names == ["a.npy"])
        let reader = try NpyReader(path: folder("a.npy"))
        #expect(reader.header.shape == [4, 2])
        #expect(try reader.all(as: Int32.self) == [0, 1, -2, 3, 4, -1, 6, 7])
    }

    @Test("Doubles and floats come back with the same bits")
    func floatingPoint() throws {
        let folder = try TemporaryFolder()
        let doubles = [Double.pi, -0.0, .infinity, .nan, .leastNonzeroMagnitude]
        var array = try ArrayStaging(folder: folder.path, name: "d.npy", elementType: .float64, shape: [5])
        try array.write(doubles, atRow: 0)
        try array.finish()
        let read: [Double] = try NpyReader(path: folder("d.npy")).all()
        #expect(read.map(\.bitPattern) == doubles.map(\.bitPattern))
    }

    @Test("Rows that are not whole, beyond the end or of another type are refused")
    func refusals() throws {
        let folder = try TemporaryFolder()
        let array = try ArrayStaging(folder: folder.path, name: "a.npy", elementType: .float32, shape: [4, 2])
        for (count, row) in [(3, 0), (4, 3), (2, 4), (2, -1), (2, Int.max)] {
            let values = [Float](repeating: 1, count: count)
            let error = failure { () throws(RunFolderError) in try array.write(values, atRow: row) }
            #expect(error?.code == .invalidValue)
            #expect(error?.path == folder("a.npy"))
        }
        let kind = failure { () throws(RunFolderError) in try array.write([1, 2] as [Double], atRow: 0) }
        #expect(kind?.code == .invalidValue)
        let bytes = failure { () throws(RunFolderError) in try array.write(bytes: [1, 2, 3], atRow: 0) }
        #expect(bytes?.code == .invalidValue)
        #expect(try array.rows(0..<4, as: Float.self) == [Float](repeating: 0, count: 8))
    }

    @Test("An array of 400 MB takes no room on the disk before its rows are written")
    func sparse() throws {
        let folder = try TemporaryFolder()
        let array = try ArrayStaging(
            folder: folder.path, name: "a.npy", elementType: .float32, shape: [1_000_000, 100])
        try array.write([Float](repeating: 0.5, count: 100), atRow: 999_999)
        let attributes = try FileManager.default.attributesOfItem(atPath: folder(".a.npy.partial"))
        #expect(attributes[.size] as? Int == 400_000_128)
        let values = try URL(filePath: folder(".a.npy.partial")).resourceValues(forKeys: [.fileAllocatedSizeKey])
        if let allocated = values.fileAllocatedSize { #expect(allocated < 1 << 20) }
        #expect(try array.rows(999_998..<999_999, as: Float.self) == [Float](repeating: 0, count: 100))
    }

    @Test("An array that is dropped or discarded leaves nothing behind")
    func dropped() throws {
        let folder = try TemporaryFolder()
        do {
            let array = try ArrayStaging(folder: folder.path, name: "a.npy", elementType: .float32, shape: [2])
            #expect(try folder.names == [".a.npy.partial"])
            _ = array.header
        }
        #expect(try folder.names == [])
        var array = try ArrayStaging(folder: folder.path, name: "a.npy", elementType: .float32, shape: [2])
        try array.discard()
        #expect(try folder.names == [])
    }

    @Test("What a killed process left under the staging name is replaced")
    func leftovers() throws {
        let folder = try TemporaryFolder()
        try folder.write(Array(repeating: 0xAA, count: 10_000), ".a.npy.partial")
        var array = try ArrayStaging(folder: folder.path, name: "a.npy", elementType: .int32, shape: [2])
        try array.finish()
        #expect(try NpyReader(path: folder("a.npy")).all(as: Int32.self) == [0, 0])
    }
}
