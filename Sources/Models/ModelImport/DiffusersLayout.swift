import EnergyModels
import StrictJSON

/// The UNet2DModel of diffusers, whose config.json says what it is: those of Ho et al. 2020, and what was ported from
/// guided-diffusion. They are the same networks as ours under other names, with queries, keys and values in layers of
/// their own.
enum DiffusersLayout {
    static let name = "diffusers UNet2DModel"

    static func recognizes(_ tensors: ForeignShapes) -> Bool { tensors.has("conv_in") && tensors.has("down_blocks") }

    /// - Parameters:
    ///   - config: the path of config.json.
    ///   - scheduler: that of scheduler_config.json, if there is one.
    /// - Throws: ``ImportError``; what is wrong with the tensors is for later.
    static func model(
        config path: String, scheduler: String?, _ tensors: ForeignShapes, _ options: ImportOptions
    ) throws(ImportError) -> ForeignModel {
        let config = try read(path) { field throws(JSONProblem) in try DiffusersConfig(field) }
        let noise = try scheduler.map { path throws(ImportError) in
            (content: try read(path) { field throws(JSONProblem) in try DiffusersScheduler(field) }, name: path)
        }
        let (schedule, scheduleReason) = try options.schedule(file: noise.map { ($0.content.schedule, $0.name) })
        let isScore = config.outputs != config.channels
        let (energy, energyReason) = try options.energy(
            notBecause: isScore ? "\(path) has \(config.outputs) out_channels for \(config.channels) in_channels" : nil,
            file: noise.map { ($0.content.prediction, $0.name) })
        let network = try network(config, options, levels: schedule.levels)
        var decisions = Decisions()
        decisions.add("layout", name, path)
        decisions.add(
            shapeOf: network, "config.json",
            size: config.size == nil ? "the size as told; config.json leaves it open" : "config.json")
        if config.attendsInMiddle || !config.attended.isEmpty {
            decisions.add("heads", network.heads.text, config.headsReason)
            decisions.add("qkv", "split", "to_q, to_k and to_v, joined in this order")
        }
        decisions.add("groups", "\(network.groups), epsilon \(network.normEpsilon)", "config.json")
        decisions.add(
            "time", "\(network.time.order.rawValue), shift \(network.time.shift)", "flip_sin_to_cos, freq_shift")
        decisions.add("labels", config.classes.map { "\($0), and no row for none" } ?? "none", "num_class_embeds")
        if isScore {
            decisions.add("outputs", "\(config.outputs), of which \(config.channels) are used", "out_channels")
        }
        decisions.add(energy, energyReason)
        decisions.add(schedule, scheduleReason)
        var model = ForeignModel(network: network, energy: energy, schedule: schedule, decisions: decisions)
        let blocks = config.blocks
        let middle = config.attendsInMiddle
        model.source = { DiffusersNames(blocks: blocks, attendsInMiddle: middle).source(of: $0) }
        return model
    }

    private static func read<Content>(
        _ path: String, _ content: (JSONField) throws(JSONProblem) -> Content
    ) throws(ImportError) -> Content {
        let (_, field) = try JSONDocument.read(path)
        do { return try content(field) } catch { throw .badData(path, error) }
    }

    private static func network(
        _ config: DiffusersConfig, _ options: ImportOptions, levels: Int
    ) throws(ImportError) -> UNet {
        let size = try ImportOptions.settled("--size", options.size, file: config.size)
        guard let size else {
            throw .usage("config.json leaves sample_size open: give --size N, or --size HEIGHTxWIDTH")
        }
        _ = try ImportOptions.settled("--qkv", options.projections, file: .split, \.rawValue)
        var network = UNet(
            height: size[0], width: size[1], channels: config.channels, modelChannels: config.features[0],
            multipliers: config.features.map { Double($0) / Double(config.features[0]) },
            blocks: try ImportOptions.settled("--blocks", options.blocks, file: config.blocks) ?? config.blocks,
            attention: config.attended.map { size[1] >> $0 },
            heads: try options.heads(file: config.heads, needed: true),
            groups: try ImportOptions.settled("--groups", options.groups, file: config.groups) ?? config.groups,
            levels: levels, classes: config.classes)
        (network.hasNullLabel, network.outputs, network.projections) = (false, config.outputs, .split)
        (network.scalesAndShifts, network.resampling) = (config.scalesAndShifts, config.resampling)
        (network.padding, network.time) = (config.padding, config.time)
        (network.attendsInMiddle, network.normEpsilon) = (config.attendsInMiddle, config.normEpsilon)
        return network
    }
}

/// What diffusers calls the parameters of a U-Net.
struct DiffusersNames {
    let blocks: Int
    let attendsInMiddle: Bool

    /// The layers that are in no block.
    private static let outer = [
        "time_embed.0": "time_embedding.linear_1", "time_embed.2": "time_embedding.linear_2",
        "label_emb": "class_embedding", "out.0": "conv_norm_out", "out.2": "conv_out", "input_blocks.0.0": "conv_in",
    ]
    /// Those of a block, by what they are called in it.
    private static let inner = [
        "in_layers.0": "norm1", "in_layers.2": "conv1", "emb_layers.1": "time_emb_proj", "out_layers.0": "norm2",
        "out_layers.3": "conv2", "skip_connection": "conv_shortcut", "norm": "group_norm", "op": "conv", "conv": "conv",
    ]
    /// Names of attention's layers, the second those of before 2023.
    private static let projections = [["to_q", "query"], ["to_k", "key"], ["to_v", "value"]]
    private static let projectionsOut = ["to_out.0", "proj_attn"]

    /// - Parameter name: as our files have it, such as `input_blocks.1.0.in_layers.0.weight`.
    func source(of name: String) -> TensorSource {
        let words = name.split(separator: ".").map(String.init)
        let kind = "." + (words.last ?? "")
        let layer = words.dropLast().joined(separator: ".")
        if let outer = Self.outer[layer] { return TensorSource([outer + kind]) }
        let isMiddle = words[0] == "middle_block"
        // The place of the block, and then of the layer in it.
        let depth = isMiddle ? 2 : 3
        guard words.count > depth, let first = Int(words[1]), let last = Int(words[depth - 1]) else {
            return TensorSource([name])
        }
        let part = words[depth...].dropLast().joined(separator: ".")
        let attends = ["norm", "qkv", "proj_out"].contains(part)
        let block =
            switch words[0] {
            case "middle_block": middle(first)
            case "input_blocks": down(first, attends: attends)
            default: up(first, last, attends: attends)
            }
        switch part {
        case "qkv": return TensorSource(parts: Self.projections.map { $0.map { "\(block).\($0)\(kind)" } })
        case "proj_out": return TensorSource(Self.projectionsOut.map { "\(block).\($0)\(kind)" })
        default: return TensorSource(["\(block).\(Self.inner[part] ?? part)\(kind)"])
        }
    }

    private func middle(_ place: Int) -> String {
        guard attendsInMiddle else { return "mid_block.resnets.\(place)" }
        return place == 1 ? "mid_block.attentions.0" : "mid_block.resnets.\(place / 2)"
    }

    private func down(_ block: Int, attends: Bool) -> String {
        let (depth, place) = (block - 1).quotientAndRemainder(dividingBy: blocks + 1)
        guard place < blocks else { return "down_blocks.\(depth).downsamplers.0" }
        return "down_blocks.\(depth).\(attends ? "attentions" : "resnets").\(place)"
    }

    private func up(_ block: Int, _ layer: Int, attends: Bool) -> String {
        let (depth, place) = block.quotientAndRemainder(dividingBy: blocks + 1)
        guard layer == 0 || attends else { return "up_blocks.\(depth).upsamplers.0" }
        return "up_blocks.\(depth).\(attends ? "attentions" : "resnets").\(place)"
    }
}
