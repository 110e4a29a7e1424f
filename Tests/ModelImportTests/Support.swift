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

/// The fixtures, each read once.
enum Fixture {
    private static let networks = Dictionary(
        uniqueKeysWithValues: (ForeignNetwork.energies + ForeignNetwork.guided + ForeignNetwork.diffusers).map { name in
            (name, Result { try ForeignNetwork(name) })
        })

    static func network(_ name: String) throws -> ForeignNetwork {
        guard let network = networks[name] else { preconditionFailure("no fixture \(name)") }
        return try network.get()
    }
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

/// Numbers that look random and are the same each time (PCG, O'Neill 2014, its state alone).
struct RepeatedRandom {
    private var state: UInt64

    init(_ seed: Int) { state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    mutating func below(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return bound > 0 ? Int((state >> 33) % UInt64(bound)) : 0
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
