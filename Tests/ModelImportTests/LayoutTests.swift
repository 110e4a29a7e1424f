import EnergyModels
import ForeignNetworks
import Foundation
import Safetensors
import Testing

@testable import ModelImport

@Suite("Layouts of other programs")
struct LayoutTests {
    /// What Dhariwal and Nichol 2021 released: a network, and how many tensors and millions of numbers it has.
    struct Released: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let network: UNet
        let tensors: Int
        let millions: Double

        init(
            _ name: String, _ size: Int, _ channels: Int, _ multipliers: [Double], blocks: Int,
            heads: UNet.Heads = .channels(64), classes: Int? = 1000, classifies: Bool = false, tensors: Int,
            millions: Double
        ) {
            testDescription = name
            (self.tensors, self.millions) = (tensors, millions)
            var network = UNet(
                height: size, width: size, channels: 3, modelChannels: channels, multipliers: multipliers,
                blocks: blocks, attention: [32, 16, 8], heads: heads, groups: 32, levels: 1000, classes: classes)
            (network.scalesAndShifts, network.hasNullLabel) = (true, false)
            network.outputs = classifies ? 3 : 6
            if classifies { network.kind = .classifier }
            if name == "64" { network.projections = .split }
            self.network = network
        }
    }

    static let released: [Released] = [
        .init("64", 64, 192, [1, 2, 3, 4], blocks: 3, tensors: 541, millions: 295.90),
        .init("128", 128, 256, [1, 1, 2, 3, 4], blocks: 2, heads: .count(4), tensors: 493, millions: 421.53),
        .init("256", 256, 256, [1, 1, 2, 2, 4, 4], blocks: 2, tensors: 567, millions: 553.84),
        .init(
            "256 without labels", 256, 256, [1, 1, 2, 2, 4, 4], blocks: 2, classes: nil, tensors: 566, millions: 552.81),
        .init("512", 512, 256, [0.5, 1, 1, 2, 2, 4, 4], blocks: 2, tensors: 645, millions: 559.00),
        .init("classifier 64", 64, 128, [1, 2, 3, 4], blocks: 4, classifies: true, tensors: 307, millions: 65.44),
        .init("classifier 128", 128, 128, [1, 1, 2, 3, 4], blocks: 2, classifies: true, tensors: 221, millions: 42.57),
        .init(
            "classifier 256", 256, 128, [1, 1, 2, 2, 4, 4], blocks: 2, classifies: true, tensors: 249, millions: 54.10),
        .init(
            "classifier 512", 512, 128, [0.5, 1, 1, 2, 2, 4, 4], blocks: 2, classifies: true, tensors: 281,
            millions: 54.45),
    ]

    @Test(
        "Every released network of guided-diffusion is found again from its tensors, size included", arguments: released
    )
    func guided(_ released: Released) throws {
        let architecture = NetworkDescription.Architecture.unet(released.network)
        #expect(architecture.parameters.count == released.tensors)
        #expect(abs(Double(architecture.parameterCount) / 1e6 - released.millions) < 0.006)
        let shapes = ForeignShapes(
            origin: "x", shapes: Dictionary(uniqueKeysWithValues: architecture.parameters.map { ($0.name, $0.shape) }))
        #expect(GuidedLayout.recognizes(shapes) && !EnergyLayout.recognizes(shapes))
        var options = ImportOptions()
        (options.heads, options.schedule) = (released.network.heads, .linear(first: 1e-4, last: 0.02))
        options.projections = released.network.projections
        #expect(try GuidedLayout.model(shapes, options).network == released.network)
    }

    @Test("The released energy of reduce_reuse_recycle is found again from its tensors")
    func energy() throws {
        var network = UNet(
            height: 64, width: 64, channels: 3, modelChannels: 128, multipliers: [1, 2, 3, 4], blocks: 3,
            attention: [32, 16, 8], heads: .channels(64), groups: 32, levels: 1000, classes: 3)
        network.hasNullLabel = true
        let architecture = NetworkDescription.Architecture.unet(network)
        #expect(architecture.parameters.count == 542 && architecture.parameterCount / 10_000 == 12_512)
        let shapes = ForeignShapes(
            origin: "x", shapes: Dictionary(uniqueKeysWithValues: architecture.parameters.map { ($0.name, $0.shape) }))
        var options = ImportOptions()
        (options.heads, options.energy, options.scale) = (.channels(64), .denoising, 0.5)
        let model = try EnergyLayout.model(shapes, options)
        #expect(model.network == network && model.schedule == ScheduleDescription(kind: .cosine, levels: 1000))
        #expect(model.energy == .init(kind: .denoising, scale: 0.5))
    }

    @Test("Blocks of a classifier that its tensors leave open are told")
    func ambiguous() throws {
        var network = UNet(
            height: 8, width: 8, channels: 3, modelChannels: 32, multipliers: [1, 1], blocks: 2, attention: [],
            heads: .count(1), groups: 32, levels: 1000, classes: 4)
        network.kind = .classifier
        let parameters = NetworkDescription.Architecture.unet(network).parameters
        let shapes = ForeignShapes(
            origin: "x", shapes: Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.shape) }))
        var options = ImportOptions()
        (options.heads, options.schedule) = (.count(1), .cosine)
        let error = #expect(throws: ImportError.self) { try GuidedLayout.model(shapes, options) }
        #expect(
            error?.exitStatus == 64 && error?.description.contains("give --blocks N, with N one of [1, 2, 5]") == true)
        options.blocks = 2
        var found = try GuidedLayout.model(shapes, options).network
        found.hasNullLabel = network.hasNullLabel
        #expect(found == network)
    }

    @Test("Features whose quotient by the model's channels is no number of double precision are taken")
    func inexactMultipliers() throws {
        let network = UNet(
            height: 8, width: 8, channels: 3, modelChannels: 98, multipliers: [1, 2.0 / 98], blocks: 1, attention: [],
            heads: .count(1), groups: 2, levels: 1000)
        #expect(2.0 / 98 * 98 != 2)
        let parameters = NetworkDescription.Architecture.unet(network).parameters
        #expect(parameters.first { $0.name == "input_blocks.3.0.in_layers.2.weight" }?.shape == [2, 98, 3, 3])
        let shapes = ForeignShapes(
            origin: "x", shapes: Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.shape) }))
        var options = ImportOptions()
        (options.size, options.heads, options.groups, options.schedule) = ([8, 8], .count(1), 2, .cosine)
        let model = try GuidedLayout.model(shapes, options)
        #expect(try ModelImport.checked(model.description, shapes) == model.description)
        #expect(try ModelImport.names(model, shapes) == parameters.map { [$0.name] })
    }

    private static func bytes(_ folder: ScratchFolder, _ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: folder.path(name)))
    }

    @Test("Prefixes of wrappers, names of old, projections as convolutions and several files make the same model file")
    func variants() throws {
        let folder = try ScratchFolder()
        defer { folder.remove() }
        func imported(_ network: ForeignNetwork, _ name: String, splitting: Bool = false) throws -> [String] {
            let part = try ScratchFolder()
            defer { part.remove() }
            var source = part.url.path
            if splitting { try Shards.write(network, to: part) } else { source = try network.write(to: part.url) }
            let model = try ModelImport(source: source, options: Told.options(network.name))
            try model.write(to: folder.path(name))
            return model.decisions
        }
        let plain = try Fixture.network("diffusers-ddpm")
        #expect(try !imported(plain, "plain").contains { $0.hasPrefix("prefix") })
        let expected = try Self.bytes(folder, "plain")

        var wrapped = plain
        for place in wrapped.tensors.indices {
            wrapped.tensors[place].name = "module._orig_mod." + plain.tensors[place].name
        }
        #expect(try imported(wrapped, "wrapped").contains { $0.hasPrefix("prefix        module._orig_mod. ") })
        var old = plain
        let names = ["to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"]
        for place in old.tensors.indices {
            for (new, old_) in names { old.tensors[place].name.replace(".\(new).", with: ".\(old_).") }
            let isMatrix = old.tensors[place].shape.count == 2 && old.tensors[place].name.contains("attentions")
            if isMatrix { old.tensors[place].shape += [1, 1] }
        }
        _ = try imported(old, "old")
        _ = try imported(plain, "split", splitting: true)
        for name in ["wrapped", "old", "split"] { #expect(try Self.bytes(folder, name) == expected, "\(name)") }
    }

    @Test("A pipeline's folder is read: the network in unet, its levels in scheduler")
    func pipeline() throws {
        let folder = try ScratchFolder()
        defer { folder.remove() }
        var network = try Fixture.network("diffusers-ported")
        let scheduler = network.texts.removeValue(forKey: "scheduler_config.json") ?? ""
        for name in ["unet", "scheduler"] {
            try FileManager.default.createDirectory(
                at: folder.url.appendingPathComponent(name), withIntermediateDirectories: true)
        }
        try Data(scheduler.utf8).write(to: folder.url.appendingPathComponent("scheduler/scheduler_config.json"))
        _ = try network.write(to: folder.url.appendingPathComponent("unet"))
        for source in ["", "unet", "unet/config.json", "unet/diffusion_pytorch_model.safetensors"] {
            let model = try ModelImport(source: folder.path(source), options: ImportOptions())
            #expect(model.description.schedule == .init(kind: .scaledLinear(first: 1e-3, last: 0.05), levels: 100))
        }
    }

    @Test(
        "The channels of a head are what config.json says, all of them for null, and 8 where it says nothing",
        arguments: [
            ("\"attention_head_dim\":16,", "", UNet.Heads.channels(8), "is not in config.json; diffusers takes 8"),
            ("16,", "null,", .count(1), "is null"), ("16,", "16,", .channels(16), "attention_head_dim of config.json)"),
        ])
    func heads(_ old: String, _ new: String, _ heads: UNet.Heads, _ reason: String) throws {
        let folder = try ScratchFolder()
        defer { folder.remove() }
        var network = try Fixture.network("diffusers-ported")
        network.texts["config.json"]?.replace(old, with: new)
        let model = try ModelImport(source: network.write(to: folder.url), options: ImportOptions())
        guard case .unet(let found) = model.description.architecture else { return #expect(Bool(false)) }
        #expect(found.heads == heads && model.decisions.contains { $0.hasPrefix("heads") && $0.contains(reason) })
    }

    @Test("Betas one by one are a table of levels, and predictions have their names")
    func scheduler() throws {
        let folder = try ScratchFolder()
        defer { folder.remove() }
        var network = try Fixture.network("diffusers-ported")
        for (old, new) in [
            ("\"num_train_timesteps\":100", "\"num_train_timesteps\":2"),
            ("\"trained_betas\":null", "\"trained_betas\":[0.5,0.5]"),
            ("\"prediction_type\":\"epsilon\"", "\"prediction_type\":\"v_prediction\""),
        ] {
            network.texts["scheduler_config.json"]?.replace(old, with: new)
        }
        let model = try ModelImport(source: network.write(to: folder.url), options: ImportOptions())
        #expect(model.description.schedule == .init(kind: .table([0.5, 0.25]), levels: 2))
        #expect(model.description.energy == .init(kind: .noise, prediction: .v))
    }

    @Test("Half precision stays, single precision becomes half when told, and either makes the same numbers")
    func weights() throws {
        let folder = try ScratchFolder()
        defer { folder.remove() }
        let network = try Fixture.network("guided-pooling")
        var files: [Data] = []
        for (halving, told, type) in [
            (true, nil, "F16"), (false, .float16, "F16"), (false, nil, "F32"), (true, .float32, "F32"),
        ] as [(Bool, NetworkFile.Storage?, String)] {
            let source = try network.write(to: folder.url, halving: halving)
            var options = Told.options("guided-pooling")
            options.weights = told
            try ModelImport(source: source, options: options).write(to: folder.path("model"), replacing: true)
            let file = try NetworkFile(path: folder.path("model"))
            #expect(Set(file.tensors.map(\.type.rawValue)) == [type])
            files.append(try Self.bytes(folder, "model"))
        }
        #expect(files[0] == files[1] && files[2] == files[3] && files[0].count < files[2].count)
    }

    @Test("bfloat16 becomes single precision, each number as it is")
    func bfloat16() throws {
        let folder = try ScratchFolder()
        defer { folder.remove() }
        let network = try Fixture.network("guided-pooling")
        func upper(_ number: Float) -> UInt16 { UInt16(truncatingIfNeeded: number.bitPattern >> 16) }
        var header: [String] = []
        var data = Data()
        for tensor in network.tensors {
            let start = data.count
            for value in tensor.values {
                withUnsafeBytes(of: upper(value).littleEndian) { data.append(contentsOf: $0) }
            }
            header.append(
                "\"\(tensor.name)\":{\"dtype\":\"BF16\",\"shape\":\(tensor.shape),\"data_offsets\":[\(start),\(data.count)]}"
            )
        }
        let text = Data("{\(header.joined(separator: ","))}".utf8)
        let length = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Data($0) }
        try (length + text + data).write(to: URL(fileURLWithPath: folder.path("source.safetensors")))
        let model = try ModelImport(source: folder.path("source.safetensors"), options: Told.options("guided-pooling"))
        #expect(model.decisions.last == "weights       float32 (the files have BF16)")
        try model.write(to: folder.path("model"))
        let file = try NetworkFile(path: folder.path("model"))
        for parameter in file.description.architecture.parameters {
            let wanted = network[parameter.name].values.map { Float(bitPattern: UInt32(upper($0)) << 16) }
            #expect(try file.values(parameter) == wanted)
        }
    }

    @Test("The decisions name everything that the model file says, each with its reason")
    func decisions() throws {
        let folder = try ScratchFolder()
        defer { folder.remove() }
        let source = try Fixture.network("reduce-reuse-recycle").write(to: folder.url)
        let model = try ModelImport(source: source, options: Told.options("reduce-reuse-recycle"))
        #expect(
            model.decisions == [
                "layout        reduce_reuse_recycle (null_emb, a row for points without a label, is this layout's own)",
                "images        [3, 8, 8] (as told; no tensor says it)",
                "channels      32, times [1, 2] (as the tensors are)",
                "blocks        1 of each resolution (as the tensors are)",
                "attention     where maps are [4] wide, in the middle (as the tensors are)",
                "resample      block, symmetric (as the tensors are)", "embedding     is added (as the tensors are)",
                "heads         heads of 16 channels (as told; no tensor says it)",
                "qkv           interleaved (as this layout has it)", "groups        32 (as this layout has it)",
                "labels        3, and a row for none (label_emb, null_emb)",
                "energy        0.5 sum of (x - f)^2 (as told; no file says it)",
                "schedule      cosine, 1000 levels (the formula as this layout's own training has it, the levels as "
                    + "networks of this layout are trained)",
                "weights       float32 (the files have F32)",
            ])
    }
}
