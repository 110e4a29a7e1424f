import EnergyModels
import Foundation
import Safetensors
import Testing

/// The smallest network with every kind of parameter but labels, and its file, whole or changed.
enum SmallNetwork {
    static let description = NetworkDescription(
        architecture: .init(dimension: 1, hidden: 2, widen: 1, blocks: 1, embedding: 3, levels: 2),
        energy: .init(kind: .denoising), schedule: .init(kind: .cosine, levels: 2))

    static let text =
        #"{"format":1,"architecture":{"kind":"residual_mlp","dimension":1,"hidden":2,"widen":1,"blocks":1,"#
        + #""embedding":3,"levels":2},"energy":{"kind":"denoising","scale":1.0},"#
        + #""schedule":{"kind":"cosine","levels":2}}"#

    /// Eighths, which half precision holds too.
    static let parameters = description.architecture.parameters.map { parameter in
        (0..<parameter.shape.reduce(1, *)).map { Float($0 + 1) / 8 }
    }

    /// A tensor as a header names it, with its bytes.
    struct Tensor: Sendable {
        var name: String
        var type = "F32"
        var shape: [Int]
        var bytes: [UInt8]
    }

    static var tensors: [Tensor] {
        zip(description.architecture.parameters, parameters).map { parameter, values in
            Tensor(
                name: parameter.name, shape: parameter.shape,
                bytes: values.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) })
        }
    }

    /// A file of these tensors and metadata.
    static func bytes(_ tensors: [Tensor] = tensors, metadata: [String: String] = ["rrr.model": text]) throws -> [UInt8]
    {
        var header: [String: Any] = ["__metadata__": metadata]
        var data: [UInt8] = []
        for tensor in tensors {
            header[tensor.name] = [
                "dtype": tensor.type, "shape": tensor.shape,
                "data_offsets": [data.count, data.count + tensor.bytes.count],
            ]
            data += tensor.bytes
        }
        let text = try JSONSerialization.data(withJSONObject: header, options: .sortedKeys)
        return withUnsafeBytes(of: UInt64(text.count).littleEndian, Array.init) + text + data
    }
}

/// A file for a test, which goes when its owner goes.
final class ScratchFile {
    let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).safetensors").path

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var bytes: [UInt8] {
        get throws { Array(try Data(contentsOf: URL(filePath: path))) }
    }

    func write(_ bytes: [UInt8]) throws {
        // Data.write waits milliseconds for the disk, and so does writing over a file on some file systems.
        unlink(path)
        let file = try #require(fopen(path, "w"))
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
        #expect(fclose(file) == 0)
    }
}
