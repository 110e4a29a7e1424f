import EnergyModels
import ForeignNetworks
import Foundation
import Testing

@testable import ModelImport

/// A network with one thing wrong, and what is said of it.
struct WrongNetwork: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// The fixture that it is a variant of.
    let fixture: String
    let status: Int32
    let message: String
    let change: @Sendable (inout ForeignNetwork) -> Void
    let tell: @Sendable (inout ImportOptions) -> Void

    init(
        _ name: String, _ fixture: String, status: Int32 = 65, _ message: String,
        change: @escaping @Sendable (inout ForeignNetwork) -> Void = { _ in },
        tell: @escaping @Sendable (inout ImportOptions) -> Void = { _ in }
    ) {
        testDescription = name
        (self.fixture, self.status, self.message) = (fixture, status, message)
        (self.change, self.tell) = (change, tell)
    }

    /// A variant of a JSON file of diffusers.
    private init(
        _ name: String, of fixture: String = "diffusers-ddpm", file: String = "config.json", _ old: String,
        _ new: String,
        status: Int32 = 65, _ message: String, tell: @escaping @Sendable (inout ImportOptions) -> Void = { _ in }
    ) {
        let change: @Sendable (inout ForeignNetwork) -> Void = { network in
            let text = network.texts[file] ?? ""
            precondition(text.contains(old), "\(file) of \(fixture) has no \(old): \(text)")
            network.texts[file] = text.replacing(old, with: new)
        }
        self.init(name, fixture, status: status, message, change: change, tell: tell)
    }

    static let all = energies + guided + classifiers + tensors + configurations + schedulers + contradictions

    private static let energy = "reduce-reuse-recycle"

    private static let energies: [Self] = [
        .init(
            "no form of energy told", energy, status: 64, "give --energy denoising --scale 0.5",
            tell: { $0.energy = nil }),
        .init("no heads told", energy, status: 64, "give --head-channels N", tell: { $0.heads = nil }),
        .init("no size told", energy, status: 64, "give --size N", tell: { $0.size = nil }),
        .init(
            "a size that can't be halved", energy, "/architecture/size: can't be halved 1 times",
            tell: { $0.size = [8, 9] }),
        .init(
            "other heads", energy,
            "/architecture/head_channels: input_blocks.3.1 has 64 channels, not a multiple of 48",
            tell: { $0.heads = .channels(48) }),
        .init(
            "other groups", energy,
            "/architecture/groups: input_blocks.1.0 has a norm of 32 channels, not a multiple of 24",
            tell: { $0.groups = 24 }),
        .init(
            "a prediction of an energy", energy, status: 64, "--prediction v is for networks without an energy",
            tell: { $0.prediction = .v }),
        .init(
            "a scale without an energy", energy, status: 64, "--scale 0.5 is for energies", tell: { $0.energy = .noise }
        ),
        .init("other blocks", energy, status: 64, "--blocks says 2, but the file has 1", tell: { $0.blocks = 2 }),
        .init("a row for none of labels that are not there", energy, "tensor \"label_emb.weight\" is missing") {
            $0.remove("label_emb.weight")
        },
        .init("two rows for none", energy, "tensor \"null_emb.weight\": has shape [2, 128], the network wants [1, 128]")
        {
            $0["null_emb.weight"] = .init(
                name: "null_emb.weight", shape: [2, 128], values: .init(repeating: 0, count: 256))
        },
        .init(
            "an energy with labels that learned a variance", energy, status: 64,
            "--energy denoising, but out.2 has 6 channels for images of 3"
        ) {
            $0["out.2.weight"] = .init(
                name: "out.2.weight", shape: [6, 32, 3, 3], values: .init(repeating: 0, count: 1728))
        },
        .init("conditions that are positions", energy, "has \"label_emb.bias\": its conditions are positions") {
            $0.tensors.append(.init(name: "label_emb.bias", shape: [1], values: [0]))
        },
        .init("conditions that are objects", energy, "has \"obj_emb\": its conditions are several labels at once") {
            $0.tensors.append(.init(name: "obj_emb.0.weight", shape: [1], values: [0]))
        },
        .init("attention to texts", energy, "has \"middle_block.1.encoder_kv\": its attention takes texts") {
            $0.tensors.append(.init(name: "middle_block.1.encoder_kv.weight", shape: [1], values: [0]))
        },
    ]

    private static let guided: [Self] = [
        .init(
            "no order of queries told", "guided-new-order", status: 64, "give --qkv interleaved",
            tell: { $0.projections = nil }),
        .init(
            "no schedule told", "guided-new-order", status: 64, "give --cosine, --linear FIRST LAST",
            tell: { $0.schedule = nil }),
        .init(
            "an energy that learned a variance", "guided-new-order", status: 64,
            "--energy denoising, but out.2 has 6 channels for images of 3", tell: { $0.energy = .denoising }),
        .init("five outputs for three channels", "guided-new-order", "/architecture/outputs: is 5") {
            $0["out.2.weight"] = .init(
                name: "out.2.weight", shape: [5, 32, 3, 3], values: .init(repeating: 0, count: 1440))
        },
        .init("a part of the way up that is missing", "guided-new-order", "has 4 input_blocks and 3 output_blocks") {
            $0.tensors.removeAll { $0.name.hasPrefix("output_blocks.3.") }
        },
        .init("a part of the way down that is missing", "guided-convolutions", "input_blocks.3 is missing") {
            $0.tensors.removeAll { $0.name.hasPrefix("input_blocks.3.") }
        },
        .init("a part too many", "guided-convolutions", "has 7 input_blocks and 6 output_blocks") {
            $0.tensors.append(.init(name: "input_blocks.6.0.in_layers.0.weight", shape: [1], values: [0]))
        },
        .init(
            "a part whose number is not one", "guided-convolutions",
            "a tensor is left over that the network does not have"
        ) {
            $0.tensors.append(.init(name: "input_blocks.99999999999999999999.0.weight", shape: [1], values: [0]))
        },
        .init(
            "halving by a block here, by a convolution there", "guided-new-order",
            "the resolution changes in residual blocks here, by convolutions there"
        ) { $0.tensors.append(.init(name: "input_blocks.2.0.op.weight", shape: [1], values: [0])) },
        .init(
            "an embedding of half as many rows too many", "guided-new-order",
            "has 96 rows; must have 64, which are added, or 128"
        ) {
            let name = "middle_block.0.emb_layers.1.weight"
            $0[name] = .init(name: name, shape: [96, 128], values: .init(repeating: 0, count: 96 * 128))
        },
    ]

    private static let classifier = "guided-classifier"

    private static let classifiers: [Self] = [
        .init(
            "a classifier's energy", classifier, status: 64, "--energy squared_norm, but this is a classifier",
            tell: { $0.energy = .squaredNorm }),
        .init(
            "a classifier's prediction", classifier, status: 64, "--prediction v, but this is a classifier",
            tell: { $0.prediction = .v }),
        .init(
            "a classifier's other size", classifier, status: 64,
            "--size says [16, 16], but out.2.positional_embedding has a place for each pixel of the middle, and has 16",
            tell: { $0.size = [16, 16] }),
        .init(
            "a classifier's other blocks", classifier, status: 64, "--blocks says 3, but the file has [2]",
            tell: { $0.blocks = 3 }),
        .init("a classifier that pools otherwise", classifier, "no classifier whose attention pools") {
            $0.tensors.removeAll { $0.name.hasPrefix("out.2") }
        },
        .init("attention that is missing in one block", classifier, "are no resolutions of equally many blocks") {
            $0.tensors.removeAll { $0.name.hasPrefix("input_blocks.5.1.") }
        },
        .init(
            "positions that are no square", classifier, status: 64,
            "the 3 pixels of the middle are no square: give --size"
        ) {
            let name = "out.2.positional_embedding"
            $0[name] = .init(name: name, shape: [64, 4], values: .init(repeating: 0, count: 256))
        },
    ]

    private static let tensors: [Self] = [
        .init(
            "a first layer that is missing", energy,
            "tensor \"time_embed.0.weight\" is missing; the file has \"time_embed."
        ) {
            $0.remove("time_embed.0.weight")
        },
        .init("a bias that is missing", energy, "tensor \"input_blocks.1.0.in_layers.2.bias\" [32] is missing") {
            $0.remove("input_blocks.1.0.in_layers.2.bias")
        },
        .init(
            "a renamed tensor", energy,
            "tensor \"middle_block.1.norm.weight\" [64] is missing; the file has \"middle_block.1.norm.wait\""
        ) { $0["middle_block.1.norm.weight"].name = "middle_block.1.norm.wait" },
        .init(
            "a transposed convolution", energy,
            "tensor \"input_blocks.3.0.in_layers.2.weight\": has shape [32, 64, 3, 3], the network wants [64, 32, 3, 3]"
        ) { $0["input_blocks.3.0.in_layers.2.weight"].shape = [32, 64, 3, 3] },
        .init(
            "a weight of another rank", energy,
            "tensor \"time_embed.0.weight\": has shape [128, 32, 1]; must have 2 axes"
        ) {
            $0["time_embed.0.weight"].shape = [128, 32, 1]
        },
        .init(
            "a weight without numbers", energy, "tensor \"time_embed.0.weight\": has shape [128, 0]; must have 2 axes"
        ) {
            $0["time_embed.0.weight"] = .init(name: "time_embed.0.weight", shape: [128, 0], values: [])
        },
        .init("a tensor left over", energy, "a tensor is left over that the network does not have: \"decay\"") {
            $0.tensors.append(.init(name: "decay", shape: [1], values: [1]))
        },
        .init(
            "many left over", energy,
            "5 tensors are left over that the network does not have: \"a0\", \"a1\", \"a2\", \"a3\", …"
        ) {
            for number in 0..<5 { $0.tensors.append(.init(name: "a\(number)", shape: [1], values: [1])) }
        },
        .init(
            "no layout that is known", energy,
            "have the names of no layout that is read: reduce_reuse_recycle, guided-diffusion"
        ) {
            for place in $0.tensors.indices { $0.tensors[place].name = "net.\(place)" }
        },
        .init("no tensors", energy, "has no tensors") { $0.tensors = [] },
        .init("a prefix before some names alone", energy, "have the names of no layout that is read") {
            for place in $0.tensors.indices.dropLast() { $0.tensors[place].name = "module." + $0.tensors[place].name }
        },
        .init("a weight that is no number", energy, "tensor \"label_emb.weight\": number 7 is nan in single precision")
        {
            $0["label_emb.weight"].values[7] = .nan
        },
        .init(
            "a weight beyond half precision", energy, "tensor \"label_emb.weight\": 1000000.0 is beyond half precision",
            change: { $0["label_emb.weight"].values[7] = 1e6 }, tell: { $0.weights = .float16 }),
        .init(
            "queries that are missing", "diffusers-ddpm",
            "tensor \"mid_block.attentions.0.to_q.weight\" [64, 64, 1] is missing; the file has \"mid_block.attentions.0.to_p.weight\""
        ) { $0["mid_block.attentions.0.to_q.weight"].name = "mid_block.attentions.0.to_p.weight" },
        .init(
            "keys of another shape", "diffusers-ddpm",
            "tensor \"mid_block.attentions.0.to_k.weight\": has shape [32, 128], the network wants [64, 64, 1]"
        ) { $0["mid_block.attentions.0.to_k.weight"].shape = [32, 128] },
    ]

    private static let deep = String(repeating: "[", count: 100_000)

    private static let configurations: [Self] = [
        .init(
            "another activation", #""act_fn":"silu""#, #""act_fn":"gelu""#,
            #"config.json: /act_fn: no activation that is read "gelu""#),
        .init("an activation that is a number", #""act_fn":"silu""#, #""act_fn":1"#, "/act_fn: must be one of"),
        .init(
            "an unknown block on the way down", #"["DownBlock2D""#, #"["CrossAttnDownBlock2D""#,
            #"/down_block_types/0: no type of block that is read "CrossAttnDownBlock2D""#),
        .init(
            "an unknown block on the way up", #""UpBlock2D"]"#, #""SkipUpBlock2D"]"#,
            #"/up_block_types/1: no type of block that is read "SkipUpBlock2D""#),
        .init(
            "a block too few", #"["AttnUpBlock2D","UpBlock2D"]"#, #"["AttnUpBlock2D"]"#,
            "/up_block_types: has 1 entries; block_out_channels has 2"),
        .init(
            "attention on the way down alone", #"["AttnUpBlock2D","UpBlock2D"]"#, #"["UpBlock2D","UpBlock2D"]"#,
            "/up_block_types/0: \"UpBlock2D\" is at the resolution of \"AttnDownBlock2D\""),
        .init(
            "halving by a convolution, doubling in a block", #""UpBlock2D"],"upsample_type":"conv""#,
            #""UpBlock2D"],"upsample_type":"resnet""#,
            "/up_block_types/0: changes the resolution in a residual block, but others don't"),
        .init(
            "heads that do not divide the channels", #""attention_head_dim":null"#, #""attention_head_dim":48"#,
            "/architecture/head_channels: input_blocks.4.1 has 64 channels, not a multiple of 48"),
        .init(
            "heads as a text", #""attention_head_dim":null"#, #""attention_head_dim":"8""#,
            "/attention_head_dim: must be a whole number from 1 to 16384, is \"8\""),
        .init(
            "a network with texts", #""UNet2DModel""#, #""UNet2DConditionModel""#,
            "/_class_name: must be \"UNet2DModel\""),
        .init(
            "a key that nobody knows", #""act_fn""#, #""dual_cross":true,"act_fn""#, "/dual_cross: no such key is known"
        ),
        .init(
            "a size beyond all numbers", #""sample_size":8"#, #""sample_size":1e300"#,
            "/sample_size: must be a whole number from 1 to 4096, is 1e300"),
        .init(
            "a size of three", #""sample_size":8"#, #""sample_size":[8,8,8]"#,
            "/sample_size: must have 2 entries, has 3"),
        .init(
            "a size left open", #""sample_size":8"#, #""sample_size":null"#, status: 64,
            "config.json leaves sample_size open: give --size"),
        .init(
            "channels that are a text", #""block_out_channels":[32,64]"#, #""block_out_channels":[32,"64"]"#,
            "/block_out_channels/1: must be a whole number"),
        .init(
            "channels beyond all networks", #""block_out_channels":[32,64]"#,
            #""block_out_channels":[32,9223372036854775807]"#,
            "/block_out_channels/1: must be a whole number from 1 to 16384"),
        .init(
            "channels below zero", #""block_out_channels":[32,64]"#, #""block_out_channels":[-32,64]"#,
            "/block_out_channels/0: must be a whole number from 1 to 16384"),
        .init(
            "no channels", #""block_out_channels":[32,64]"#, #""block_out_channels":[]"#,
            "/block_out_channels: must not be empty"),
        .init(
            "channels of no group", #""block_out_channels":[32,64]"#, #""block_out_channels":[34,64]"#,
            "/architecture/groups: input_blocks.1.0 has a norm of 34 channels"),
        .init(
            "other channels than the tensors", #""block_out_channels":[32,64]"#, #""block_out_channels":[32,96]"#,
            "has shape [64, 32, 3, 3], the network wants [96, 32, 3, 3]"),
        .init(
            "images in the middle of 0 to 1", #""center_input_sample":false"#, #""center_input_sample":true"#,
            "/center_input_sample: must be false"),
        .init(
            "features of levels at random", #""time_embedding_type":"positional""#, #""time_embedding_type":"fourier""#,
            "/time_embedding_type: no embedding of levels that is read \"fourier\""),
        .init(
            "an embedding of another width", #""time_embedding_dim":null"#, #""time_embedding_dim":64"#,
            "/time_embedding_dim: must be 128"),
        .init(
            "labels that are times", #""class_embed_type":null"#, #""class_embed_type":"timestep""#,
            "/class_embed_type: must be null"),
        .init(
            "a middle that is divided", #""mid_block_scale_factor":1"#, #""mid_block_scale_factor":1.41"#,
            "/mid_block_scale_factor: must be 1, is 1.41"),
        .init(
            "no middle", #""mid_block_type":"UNetMidBlock2D""#, #""mid_block_type":null"#,
            "/mid_block_type: must be one of"),
        .init(
            "fewer layers than the tensors", #""layers_per_block":2"#, #""layers_per_block":1"#,
            "tensors are left over that the network does not have"),
        .init(
            "more layers than the tensors", #""layers_per_block":2"#, #""layers_per_block":3"#,
            "tensor \"down_blocks.0.resnets.2.norm1.weight\" [32] is missing"),
        .init(
            "an epsilon of zero", #""norm_eps":1e-06"#, #""norm_eps":0"#,
            "/norm_eps: must be a finite number above zero"),
        .init(
            "other groups in the middle", #""attn_norm_num_groups":null"#, #""attn_norm_num_groups":8"#,
            "/attn_norm_num_groups: must be 32"),
        .init(
            "attention without a norm", of: "diffusers-ported", #""attn_norm_num_groups":32"#,
            #""attn_norm_num_groups":null"#, "/attn_norm_num_groups: attn_norm_num_groups is not given"),
        .init(
            "a shift of all features", #""freq_shift":1"#, #""freq_shift":16"#,
            "/architecture/time/shift: must be a number from 0 to below half"),
        .init(
            "padding on no side that is known", #""downsample_padding":0"#, #""downsample_padding":2"#,
            "/downsample_padding: must be a whole number from 0 to 1"),
        .init(
            "labels without rows", #""num_class_embeds":null"#, #""num_class_embeds":5"#,
            "tensor \"class_embedding.weight\" [5, 128] is missing"),
        .init("outputs of no use", #""out_channels":3"#, #""out_channels":4"#, "/architecture/outputs: is 4"),
        .init(
            "a configuration that is cut short", #","upsample_type":"conv"}"#, "", "config.json: is not JSON: line 1"),
        .init(
            "a configuration nested without end", #""act_fn":"silu""#, #""act_fn":"# + deep,
            "values are nested more than 64 deep"),
        .init(
            "a key twice", #""act_fn":"silu""#, #""act_fn":"silu","act_fn":"silu""#, "the name \"act_fn\" occurs twice"),
        .init("no configuration", "diffusers-ddpm", status: 66, "config.json: is missing") {
            $0.texts["config.json"] = nil
        },
        .init(
            "an array for a configuration", "diffusers-ddpm", "must be the configuration of a UNet2DModel, is an array"
        ) {
            $0.texts["config.json"] = "[]"
        },
        .init("a configuration beyond all lengths", "diffusers-ddpm", "is longer than 1048576 bytes") {
            $0.texts["config.json"] = String(repeating: " ", count: 1_048_577)
        },
    ]

    private static func scheduler(_ name: String, _ old: String, _ new: String, status: Int32 = 65, _ message: String)
        -> Self
    {
        .init(name, file: "scheduler_config.json", old, new, status: status, message)
    }

    private static let schedulers: [Self] = [
        scheduler(
            "another formula of betas", #""beta_schedule":"linear""#, #""beta_schedule":"sigmoid""#,
            "scheduler_config.json: /beta_schedule: no formula of betas that is read \"sigmoid\""),
        scheduler(
            "another kind of noise", #""DDPMScheduler""#, #""KarrasVeScheduler""#,
            "/_class_name: no scheduler that is read \"KarrasVeScheduler\""),
        scheduler(
            "a last level without data", #""rescale_betas_zero_snr":false"#, #""rescale_betas_zero_snr":true"#,
            "/rescale_betas_zero_snr: must be false"),
        scheduler(
            "betas that fall", #""beta_end":0.02"#, #""beta_end":0.00001"#,
            "what was found and told makes no network: /schedule/last: is 1e-05, below the first"),
        scheduler(
            "a beta beyond all numbers", #""beta_end":0.02"#, #""beta_end":1e400"#,
            "/beta_end: must be a variance above zero, at most 0.999, is 1e400"),
        scheduler(
            "no levels", #""num_train_timesteps":1000"#, #""num_train_timesteps":0"#,
            "/num_train_timesteps: must be a whole number from 1 to 65535"),
        scheduler(
            "too few betas", #""trained_betas":null"#, #""trained_betas":[0.1,0.2]"#,
            "/trained_betas: must have 1000 entries, has 2"),
        scheduler(
            "a prediction that nobody knows", #""prediction_type":"epsilon""#, #""prediction_type":"flow""#,
            "/prediction_type: no prediction that is read \"flow\""),
        .init("no schedule at all", "diffusers-ddpm", status: 64, "give --cosine, --linear FIRST LAST") {
            $0.texts["scheduler_config.json"] = nil
        },
    ]

    private static func contradiction(
        _ name: String, _ message: String, tell: @escaping @Sendable (inout ImportOptions) -> Void
    ) -> Self {
        .init(name, "diffusers-ddpm", status: 64, message, tell: tell)
    }

    private static let contradictions: [Self] = [
        contradiction(
            "a size that contradicts", "--size says [16, 16], but the file has [8, 8]", tell: { $0.size = [16, 16] }),
        contradiction(
            "heads that contradict", "--heads or --head-channels says heads of 8 channels, but the file has 1 head",
            tell: { $0.heads = .channels(8) }),
        contradiction(
            "an order that contradicts", "--qkv says interleaved, but the file has split",
            tell: { $0.projections = .interleaved }),
        contradiction("groups that contradict", "--groups says 8, but the file has 32", tell: { $0.groups = 8 }),
        contradiction("blocks that contradict", "--blocks says 1, but the file has 2", tell: { $0.blocks = 1 }),
        contradiction("levels that contradict", "--levels says 100, but the file has 1000", tell: { $0.levels = 100 }),
        contradiction(
            "a schedule that contradicts",
            #"{"kind":"cosine","levels":1000}, but the file has {"first":0.0001,"kind":"linear""#,
            tell: { $0.schedule = .cosine }),
        contradiction(
            "a prediction that contradicts",
            "--prediction sample, but the file has epsilon".replacing("sample,", with: "says sample,"),
            tell: { $0.prediction = .sample }),
        .init(
            "an energy of what predicts v", file: "scheduler_config.json", #""prediction_type":"epsilon""#,
            #""prediction_type":"v_prediction""#, status: 64, "--energy denoising, but",
            tell: { $0.energy = .denoising }),
    ]
}
