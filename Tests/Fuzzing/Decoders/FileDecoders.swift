import EnergyModels
import Foundation
import Pictures
import Safetensors
import StrictJSON

@testable import ModelImport
@testable import RunFolder
@testable import Training

/// Decoders of files, which they open themselves.
extension FuzzedDecoder {
    static let safetensors = FuzzedDecoder("safetensors") {
        try [Seeds.tensors()] + Networks.files.prefix(1).map { try Seeds.file($0) }
            + Seeds.files("Tests/SafetensorsTests/Fixtures", endings: [".safetensors"])
    } takes: { bytes in
        let scratch = ScratchFile("tensors")
        scratch.fill(bytes)
        guard let file = try? SafetensorsFile(path: scratch.path) else { return false }
        var size = 0
        for tensor in file.tensors {
            _ = (try? file.floats(tensor), try? file.doubles(tensor), try? file.integers(tensor))
            size += tensor.bytes.count
        }
        try expect(size < bytes.count, "tensors of \(size) bytes in a file of \(bytes.count)")
        return true
    }

    static let network = FuzzedDecoder("network") {
        try Networks.files.map { try Seeds.file($0) }
    } takes: { bytes in
        let scratch = ScratchFile("network")
        scratch.fill(bytes)
        guard let file = try? NetworkFile(path: scratch.path) else { return false }
        _ = try Network(file).leastWork
        return true
    }

    static let npy = FuzzedDecoder("npy") {
        try Seeds.arrays()
    } takes: { bytes in
        let scratch = ScratchFile("array.npy")
        scratch.fill(bytes)
        guard let reader = try? NpyReader(path: scratch.path) else { return false }
        _ = (try? reader.floats(), try? reader.integers(), try? reader.points(shape: [2]))
        _ = (try? reader.bytes(shape: [1, 2, 2]), try? reader.labels(count: 4, classes: 3))
        _ = try? reader.rows(0..<reader.header.rows, as: Float.self)
        guard reader.header.isPlain else { return true }
        let header = reader.header
        scratch.fill(header.bytes + bytes.suffix(header.dataSize))
        let again = try? NpyReader(path: scratch.path).header
        try expect(
            again?.shape == header.shape && again?.elementType == header.elementType,
            "the header of \(header.shape) is another")
        return true
    }

    static let npz = FuzzedDecoder("npz") {
        try Seeds.archives()
    } takes: { bytes in
        let scratch = ScratchFile("arrays.npz")
        scratch.fill(bytes)
        guard let archive = try? NpzReader(path: scratch.path) else { return false }
        for name in archive.names {
            guard let array = try? archive.array(name) else { continue }
            _ = (try? array.floats(), try? array.integers())
        }
        return true
    }

    static let picture = FuzzedDecoder("png") {
        try Seeds.pictures()
    } takes: { bytes in
        _ = try? PNGImage(decoding: bytes)
        guard let picture = try? PNGImage(decoding: Seeds.checked(picture: bytes)) else { return false }
        // Pictures of millions of pixels take long to write.
        guard picture.bytes.count < 1 << 16 else { return true }
        let again = try PNGImage(decoding: try picture.encoded())
        try expect(again == picture, "a picture is written as another")
        return true
    }

    static let trainingCheckpoint = FuzzedDecoder("training-checkpoint") {
        [try Seeds.trainingCheckpoint()]
    } takes: { bytes in
        let scratch = ScratchFile("checkpoint")
        scratch.fill(bytes)
        return (try? Checkpoint(path: scratch.path, identity: Seeds.identity, iterations: 9, count: 2)) != nil
    }

    static let importedNetwork = FuzzedDecoder("import") {
        try Networks.foreign.map { try Networks.header(of: $0) }
    } takes: { header in
        // Weights are not looked at before a network is understood: a hole stands for them.
        let scratch = ScratchFile(Networks.foreignFolder + "model.safetensors")
        let length = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) }
        scratch.fill(length + header, hole: Networks.dataSize(header))
        return Networks.options.contains { (try? ModelImport(source: scratch.path, options: $0)) != nil }
    }
}
