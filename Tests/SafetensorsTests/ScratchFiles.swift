import Foundation
import Safetensors
import Testing

/// A folder for a test's files, which goes when its owner goes.
final class ScratchFolder {
    private let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "safetensors-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of a file in the folder.
    func callAsFunction(_ name: String) -> String { path + "/" + name }

    /// Writes a file and tells its path.
    func file(_ bytes: [UInt8], _ name: String = "tensors.safetensors") throws -> String {
        let path = self(name)
        // Data.write waits milliseconds for the disk, and so does writing over a file on some file systems.
        unlink(path)
        let file = try #require(fopen(path, "w"))
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
        #expect(fclose(file) == 0)
        return path
    }

    func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: self(name)))) }
}

/// The bytes of a file with this header and so many bytes of data.
func fileBytes(_ header: [UInt8], data: [UInt8] = []) -> [UInt8] {
    withUnsafeBytes(of: UInt64(header.count).littleEndian, Array.init) + header + data
}

func fileBytes(_ header: String, data count: Int = 0) -> [UInt8] {
    fileBytes(Array(header.utf8), data: [UInt8](repeating: 0, count: count))
}

/// Reads every number of a file for which there is a way to read it.
func readAll(_ file: borrowing SafetensorsFile) throws(SafetensorsError) -> Int {
    var count = 0
    for tensor in file.tensors {
        switch tensor.type {
        case .float32, .float64, .float16, .bfloat16: count += try file.floats(tensor).count
        case .unsigned64: count += try file.integers(tensor).count
        default: count += tensor.count
        }
    }
    return count
}
