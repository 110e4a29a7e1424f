import EnergyModels
import ForeignNetworks
import Foundation
import Safetensors

@testable import ModelImport

/// A folder of a test's own.
struct ScratchFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("rrr-import-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    func path(_ name: String) -> String { url.appendingPathComponent(name).path }
    func remove() { try? FileManager.default.removeItem(at: url) }
}

/// What is told beside the files of a fixture.
enum Told {
    static func options(_ fixture: String) -> ImportOptions {
        var options = ImportOptions()
        guard !fixture.hasPrefix("diffusers") else { return options }
        options.heads = .channels(16)
        switch fixture {
        case "reduce-reuse-recycle": (options.size, options.energy, options.scale) = ([8, 8], .denoising, 0.5)
        case "guided-classifier": options.schedule = .cosine
        case "guided-convolutions":
            (options.size, options.projections, options.schedule) = ([8, 12], .interleaved, .linear())
        default: (options.size, options.projections, options.schedule) = ([8, 8], .split, .cosine)
        }
        return options
    }
}

/// A model in two files.
enum Shards {
    /// - Parameters:
    ///   - twice: whether the first tensor is in both files.
    ///   - change: of the index's text.
    static func write(
        _ network: ForeignNetwork, to folder: ScratchFolder, twice: Bool = false,
        change: (String) -> String = { $0 }
    ) throws {
        let half = network.tensors.count / 2
        var map: [String] = []
        for (name, places) in [("first", 0..<half), ("second", half..<network.tensors.count)] {
            let tensors = network.tensors[places]
            map += tensors.map { "\"\($0.name)\":\"\(name).safetensors\"" }
            let again = twice && name == "second" ? network.tensors.prefix(1) : []
            try SafetensorsFile.write(
                (tensors + again).map { StoredTensor($0.name, shape: $0.shape, .float32($0.values)) },
                to: folder.path("\(name).safetensors"))
        }
        for (name, text) in network.texts { try Data(text.utf8).write(to: folder.url.appendingPathComponent(name)) }
        let index = "{\"metadata\":{\"total_size\":1},\"weight_map\":{\(map.joined(separator: ","))}}"
        try Data(change(index).utf8).write(to: URL(fileURLWithPath: folder.path("model.safetensors.index.json")))
    }
}
