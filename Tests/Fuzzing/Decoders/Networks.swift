import ContentHash
import EnergyModels
import ForeignNetworks
import Foundation
import ModelImport
import Safetensors
import StrictJSON

/// Small networks: of ours, and of other programs.
enum Networks {
    private static let folder = "Tests/EnergyModelsTests/Fixtures/"

    /// Model files of each architecture, in the repository.
    static let files = ["noise", "labelled", "classifier", "unet-classifier", "unet-ddpm"].map {
        "\(folder)\($0).safetensors"
    }

    /// Where jobs find them.
    static let paths: [Digest: String] = {
        let stored = Self.files.compactMap { file in
            (try? Seeds.file(file)).map { (SHA256.hash(of: $0), Seeds.path(file)) }
        }
        return Dictionary(stored, uniquingKeysWith: { first, _ in first })
    }()

    /// What model files say of their networks.
    static var descriptions: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: Seeds.path(folder)).sorted()
                .filter { $0.hasSuffix(".safetensors") }
                .compactMap { try SafetensorsFile(path: Seeds.path(folder + $0)).metadata["rrr.model"] }
        }
    }

    /// A network of each layout that is read.
    static var foreign: [ForeignNetwork] {
        get throws {
            try ["reduce-reuse-recycle", "guided-pooling", "guided-classifier", "diffusers-defaults", diffusers]
                .map { try ForeignNetwork($0) }
        }
    }

    private static let diffusers = "diffusers-ddpm"

    /// A folder for a network of another program, with the texts that one of them has beside it.
    static let foreignFolder: String = {
        let folder = "foreign/"
        try? FileManager.default.createDirectory(
            atPath: ScratchFile.folder + folder, withIntermediateDirectories: true)
        let texts = (try? ForeignNetwork(diffusers))?.texts ?? [:]
        for (name, text) in texts { ScratchFile(folder + name).fill(Array(text.utf8)) }
        return folder
    }()

    /// What the user may have to say of one: nothing, and what each of them needs.
    static let options: [ImportOptions] = {
        var (pooling, energy, classifier) = (ImportOptions(), ImportOptions(), ImportOptions())
        (pooling.size, pooling.heads) = ([8, 8], .count(1))
        pooling.schedule = .scaledLinear(first: 1e-4, last: 0.02)
        (energy.size, energy.heads, energy.energy, energy.scale) = ([8, 8], .channels(16), .denoising, 0.5)
        (classifier.heads, classifier.schedule) = (.channels(16), .cosine)
        return [ImportOptions(), pooling, energy, classifier]
    }()

    /// What the file of another program's network begins with: what its tensors are.
    static func header(of network: ForeignNetwork) throws -> [UInt8] {
        let file = try Seeds.written { path in
            try SafetensorsFile.write(
                network.tensors.map { StoredTensor($0.name, shape: $0.shape, .float16($0.values)) }, to: path)
        }
        let length = file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        return Array(file[8..<8 + length])
    }

    /// Bytes that follow a header by its own account; none where there are more than would be of use.
    static func dataSize(_ header: [UInt8]) -> Int {
        guard case .object(let tensors)? = (try? JSONParser.parse(header))?.value else { return 0 }
        let ends = tensors.compactMap { tensor -> Int? in
            let entry = JSONField(node: tensor.node, pointer: "")
            return try? entry.members("a tensor")["data_offsets"]?.array("offsets").last?.integer(0...1 << 30)
        }
        return ends.max() ?? 0
    }
}
