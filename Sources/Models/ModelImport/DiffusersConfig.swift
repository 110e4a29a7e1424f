import EnergyModels
import StrictJSON

/// What the config.json of a UNet2DModel says, as far as our networks can do it: every key is known, and whatever asks
/// for something else is refused.
struct DiffusersConfig {
    /// Height and width of images; nil where the file leaves it open.
    let size: [Int]?
    let channels: Int
    let outputs: Int
    /// Of each resolution.
    let features: [Int]
    let blocks: Int
    /// Resolutions with attention, 0 for the size of images.
    let attended: [Int]
    let attendsInMiddle: Bool
    let heads: UNet.Heads
    /// What the file says of them: `attention_head_dim` is how many channels a head has, whatever its name; all of them
    /// where it is null, and 8 where it is left out.
    let headsReason: String
    let groups: Int
    let normEpsilon: Double
    let scalesAndShifts: Bool
    let resampling: UNet.Resampling
    let padding: UNet.Padding
    let time: UNet.TimeFeatures
    let classes: Int?

    private static let mostResolutions = 12
    private static let mostChannels = 16_384

    /// Keys whose meaning is elsewhere in this file, and those that change nothing once a network is trained.
    private static let known = [
        "sample_size", "in_channels", "out_channels", "block_out_channels", "layers_per_block", "down_block_types",
        "up_block_types", "attention_head_dim", "norm_num_groups", "attn_norm_num_groups", "norm_eps",
        "resnet_time_scale_shift", "downsample_type", "upsample_type", "downsample_padding", "freq_shift",
        "flip_sin_to_cos", "num_class_embeds", "add_attention", "time_embedding_dim", "center_input_sample",
        "time_embedding_type", "mid_block_type", "mid_block_scale_factor", "act_fn", "class_embed_type", "dropout",
        "num_train_timesteps",
    ]

    /// Reads the file's content. What it leaves out is as UNet2DModel's own defaults have it.
    init(_ field: JSONField) throws(JSONProblem) {
        let members = try field.members("the configuration of a UNet2DModel")
        let name = try members.required("_class_name", "\"UNet2DModel\"")
        guard case .string("UNet2DModel") = name.node.value else {
            throw name.problem("must be \"UNet2DModel\": of diffusers' networks those without texts are read")
        }
        for key in members.names where !key.hasPrefix("_") && !Self.known.contains(key) {
            throw members[key]?.problem("no such key is known; \(Spelling.suggestion(for: key, among: Self.known))")
                ?? field.problem("an unknown key")
        }
        try Self.refuseOthers(members)
        channels = try members["in_channels"]?.integer(1...256) ?? 3
        outputs = try members["out_channels"]?.integer(1...512) ?? 3
        features = try Self.features(members)
        blocks = try members["layers_per_block"]?.integer(1...64) ?? 2
        size = try Self.size(members)
        groups = try members["norm_num_groups"]?.integer(1...Self.mostChannels) ?? 32
        normEpsilon = try members["norm_eps"]?.positive("1e-5") ?? 1e-5
        scalesAndShifts =
            try members["resnet_time_scale_shift"]?.choice(["default", "scale_shift"], "form of embedding")
            == "scale_shift"
        attendsInMiddle = try members["add_attention"]?.bool() ?? true
        classes = try Self.present(members["num_class_embeds"])?.integer(1...1 << 20)
        (attended, resampling) = try DiffusersBlocks(members, resolutions: features.count).settled()
        (heads, headsReason) = try Self.heads(members)
        padding = try Self.padding(members, resampling)
        time = try Self.time(members)
        if let width = Self.present(members["time_embedding_dim"]) {
            guard try width.integer(1...1 << 20) == 4 * features[0] else {
                throw width.problem(
                    "must be \(4 * features[0]), four times the first of block_out_channels, or left out")
            }
        }
        try Self.checkMiddleNorm(members, groups: groups, scalesAndShifts, attendsInMiddle)
    }

    /// nil for null too.
    private static func present(_ field: JSONField?) -> JSONField? {
        if let field, case .null = field.node.value { nil } else { field }
    }

    /// Refuses what no network of ours does.
    private static func refuseOthers(_ members: JSONMembers) throws(JSONProblem) {
        if let field = members["center_input_sample"], try field.bool() {
            throw field.problem("must be false: images would be stretched before the network")
        }
        if let field = members["time_embedding_type"] {
            _ = try field.choice(["positional"], "embedding of levels that is read")
        }
        if let field = members["mid_block_type"] { _ = try field.choice(["UNetMidBlock2D"], "middle that is read") }
        if let field = members["mid_block_scale_factor"] { _ = try field.number("1") { $0 == 1 } }
        if let field = members["act_fn"] { _ = try field.choice(["silu", "swish"], "activation that is read") }
        if let field = present(members["class_embed_type"]) {
            throw field.problem("must be null: labels with rows of their own are read")
        }
    }

    private static func features(_ members: JSONMembers) throws(JSONProblem) -> [Int] {
        let wish = "the channels of each resolution, such as [128, 256, 256, 256]"
        let field = try members.required("block_out_channels", wish)
        let entries = try field.array(wish)
        guard entries.count <= mostResolutions else {
            throw field.problem("has \(entries.count) resolutions; at most \(mostResolutions) are read")
        }
        var features: [Int] = []
        for entry in entries { features.append(try entry.integer(1...mostChannels)) }
        return features
    }

    private static func size(_ members: JSONMembers) throws(JSONProblem) -> [Int]? {
        guard let field = present(members["sample_size"]) else { return nil }
        guard field.isArray else {
            let side = try field.integer(1...4096)
            return [side, side]
        }
        var size: [Int] = []
        for length in try field.array("height and width of an image", count: 2) {
            size.append(try length.integer(1...4096))
        }
        return size
    }

    private static func heads(_ members: JSONMembers) throws(JSONProblem) -> (UNet.Heads, String) {
        guard let field = members["attention_head_dim"] else {
            return (.channels(8), "attention_head_dim is not in config.json; diffusers takes 8 then")
        }
        guard let given = present(field) else { return (.count(1), "attention_head_dim of config.json is null") }
        return (.channels(try given.integer(1...mostChannels)), "attention_head_dim of config.json")
    }

    private static func padding(
        _ members: JSONMembers, _ resampling: UNet.Resampling
    ) throws(JSONProblem) -> UNet.Padding {
        let padding = try members["downsample_padding"]?.integer(0...1) ?? 1
        return padding == 0 && resampling == .convolution ? .rightBottom : .symmetric
    }

    private static func time(_ members: JSONMembers) throws(JSONProblem) -> UNet.TimeFeatures {
        var time = UNet.TimeFeatures()
        time.order = try members["flip_sin_to_cos"]?.bool() ?? true ? .cosinesFirst : .sinesFirst
        time.shift = try members["freq_shift"]?.number("a number from 0 on") { $0 >= 0 } ?? 0
        return time
    }

    /// The attention in the middle has a norm of its own number of groups, or none at all.
    private static func checkMiddleNorm(
        _ members: JSONMembers, groups: Int, _ scalesAndShifts: Bool, _ attends: Bool
    ) throws(JSONProblem) {
        guard attends else { return }
        if let field = present(members["attn_norm_num_groups"]) {
            guard try field.integer(1...mostChannels) == groups else {
                throw field.problem("must be \(groups), as norm_num_groups is: all norms have as many groups")
            }
        } else if scalesAndShifts {
            throw (members["attn_norm_num_groups"] ?? members.owner).problem(
                "attn_norm_num_groups is not given, so that the attention in the middle has no norm with "
                    + "\"resnet_time_scale_shift\": \"scale_shift\"; networks whose attention has one are read")
        }
    }
}

/// The blocks of a UNet2DModel on its way down and up, by their types.
private struct DiffusersBlocks {
    private let resolutions: Int
    private let down: [JSONField]
    private let up: [JSONField]
    private let downKind: String
    private let upKind: String

    private static let downTypes = ["DownBlock2D", "AttnDownBlock2D", "ResnetDownsampleBlock2D"]
    private static let upTypes = ["UpBlock2D", "AttnUpBlock2D", "ResnetUpsampleBlock2D"]

    init(_ members: JSONMembers, resolutions: Int) throws(JSONProblem) {
        self.resolutions = resolutions
        func types(_ name: String) throws(JSONProblem) -> [JSONField] {
            let wish = "the type of the blocks of each resolution"
            let field = try members.required(name, wish)
            let types = try field.array(wish)
            guard types.count == resolutions else {
                throw field.problem("has \(types.count) entries; block_out_channels has \(resolutions)")
            }
            return types
        }
        func kind(_ name: String) throws(JSONProblem) -> String {
            guard let field = members[name] else { return "conv" }
            if case .null = field.node.value { return "conv" }
            return try field.choice(["conv", "resnet"], "change of resolution that is read")
        }
        (down, up) = (try types("down_block_types"), try types("up_block_types"))
        (downKind, upKind) = (try kind("downsample_type"), try kind("upsample_type"))
    }

    /// Which resolutions have attention, and how the resolution changes: in the same way on the way down and up.
    func settled() throws(JSONProblem) -> ([Int], UNet.Resampling) {
        var attended: [Int] = []
        var resampling: UNet.Resampling?
        func note(_ field: JSONField, _ way: UNet.Resampling) throws(JSONProblem) {
            if let resampling, resampling != way {
                throw field.problem(
                    "changes the resolution \(way == .block ? "in a residual block" : "by a convolution"), but others "
                        + "don't; networks with one of both are read")
            }
            resampling = way
        }
        func way(_ type: String, _ kind: String) -> UNet.Resampling {
            if type.hasPrefix("Resnet") { return .block }
            return type.hasPrefix("Attn") && kind == "resnet" ? .block : .convolution
        }
        for depth in 0..<resolutions {
            let (down, up) = (down[depth], up[resolutions - 1 - depth])
            let downType = try down.choice(Self.downTypes, "type of block that is read")
            let upType = try up.choice(Self.upTypes, "type of block that is read")
            guard downType.hasPrefix("Attn") == upType.hasPrefix("Attn") else {
                throw up.problem(
                    "\"\(upType)\" is at the resolution of \"\(downType)\": both must have attention, or none")
            }
            if downType.hasPrefix("Attn") { attended.append(depth) }
            guard depth < resolutions - 1 else { continue }
            try note(down, way(downType, downKind))
            // The one that leads up to this resolution is that of the next.
            let next = self.up[resolutions - 2 - depth]
            try note(next, way(try next.choice(Self.upTypes, "type of block that is read"), upKind))
        }
        return (attended, resampling ?? .block)
    }
}
