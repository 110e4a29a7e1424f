import EnergyModels
import Testing

/// A file of a U-Net that must be refused, and the whole message with which it is.
struct MalformedUNet: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let text: String
    let tensors: [SmallNetwork.Tensor]
    let message: String

    /// A description in which `old` has become `new`.
    private init(_ name: String, _ old: String, _ new: String, _ message: String, classifier: Bool = false) {
        testDescription = name
        text = (classifier ? SmallUNet.classifierText : SmallUNet.text).replacing(old, with: new)
        tensors = SmallUNet.tensors(classifier ? SmallUNet.classifier : SmallUNet.description)
        self.message = "metadata \"rrr.model\": " + message
    }

    /// A file whose description was changed, so that the tensors do not go with it.
    private init(tensors name: String, _ old: String, _ new: String, _ message: String, classifier: Bool = false) {
        testDescription = name
        text = (classifier ? SmallUNet.classifierText : SmallUNet.text).replacing(old, with: new)
        tensors = SmallUNet.tensors(classifier ? SmallUNet.classifier : SmallUNet.description)
        self.message = message
    }

    /// A file whose tensors were changed.
    private init(tensors name: String, _ message: String, change: (inout [SmallNetwork.Tensor]) -> Void) {
        (testDescription, text, self.message) = (name, SmallUNet.text, message)
        var tensors = SmallUNet.tensors()
        change(&tensors)
        self.tensors = tensors
    }

    static let all = descriptions + mismatches

    private static let keys =
        #""kind", "size", "channels", "model_channels", "multipliers", "blocks", "attention", "head_channels", "heads", "#
        + #""groups", "levels", "classes", "scale_shift", "resample", "qkv", "middle_attention" and 4 more"#

    private static let descriptions: [MalformedUNet] = [
        .init(
            "a misspelt kind", #""unet""#, #""u_net""#,
            #"/architecture/kind: no architecture "u_net"; did you mean "unet"? Known: "residual_mlp", "#
                + #""residual_mlp_classifier", "unet", "unet_classifier""#),
        .init(
            "a misspelt key", #""resample""#, #""resampling""#,
            #"/architecture/resampling: no such key here; did you mean "resample"? Known: "# + keys),
        .init(
            "no size", #""size":[4,4],"#, "",
            #"/architecture: "size" is missing; give height and width of an image, such as [32, 32]"#),
        .init(
            "one length for a size", "[4,4]", "[4]",
            "/architecture/size: must have 2 entries, has 1; give height and width of an image, such as [32, 32]"),
        .init(
            "a size of zero", "[4,4]", "[4,0]", "/architecture/size/1: must be a whole number from 1 to 4096, is 0"),
        .init(
            "a size that can't be halved", "[4,4]", "[5,4]",
            "/architecture/size: can't be halved 1 times, once for each of the multipliers but the first; must be "
                + "multiples of 2"),
        .init(
            "an image of too many numbers", #"[4,4],"channels":1"#, #"[4096,4096],"channels":3"#,
            "/architecture/size: has more than 4194304 coordinates; make the points smaller"),
        .init(
            "an odd number of channels", #""model_channels":4"#, #""model_channels":5"#,
            "/architecture/model_channels: is 5; must be even, half for cosines and half for sines"),
        .init(
            "no channels", #""channels":1"#, #""channels":0"#,
            "/architecture/channels: must be a whole number from 1 to 256, is 0"),
        .init(
            "multipliers as a number", "[1,2]", "2",
            "/architecture/multipliers: must be what multiplies the channels at each resolution, such as [1, 2, 3], is 2"
        ),
        .init(
            "a multiplier of zero", "[1,2]", "[0,2]", "/architecture/multipliers/0: must be a number above zero, is 0"),
        .init(
            "a multiplier that gives parts of channels", "[1,2]", "[1,1.3]",
            "/architecture/multipliers: entry 1 makes 5.2 channels of 4; must be a whole number, at most 16384"),
        .init(
            "too many multipliers", "[1,2]", "[1,1,1,1,1,1,1,1,1,1,1,1,1]",
            "/architecture/multipliers: has 13 entries; at most 12 are possible"),
        .init(
            "no blocks", #""blocks":1"#, #""blocks":0"#,
            "/architecture/blocks: must be a whole number from 1 to 64, is 0"),
        .init(
            "attention at a width that is not there", #""attention":[2]"#, #""attention":[8]"#,
            "/architecture/attention: no feature map is 8 wide; they are [4, 2]"),
        .init(
            "heads that do not divide", #""head_channels":2"#, #""head_channels":3"#,
            "/architecture/head_channels: input_blocks.3.1 has 8 channels, not a multiple of 3"),
        .init(
            "so many heads that do not divide", #""head_channels":2"#, #""heads":5"#,
            "/architecture/heads: input_blocks.3.1 has 8 channels, not a multiple of 5"),
        .init(
            "heads and their channels", #""head_channels":2"#, #""head_channels":2,"heads":4"#,
            "/architecture/heads: the channels of a head are given, which say how many there are; leave out one"),
        .init(
            "no heads", #""head_channels":2,"#, "",
            #"/architecture: "head_channels" is missing; give the channels of a head of attention, such as 64, or "#
                + #""heads", how many there are"#),
        .init(
            "groups that do not divide", #""groups":2"#, #""groups":3"#,
            "/architecture/groups: input_blocks.1.0 has a norm of 4 channels, not a multiple of 3"),
        .init(
            "other levels than the schedule's", #""levels":3,"classes""#, #""levels":4,"classes""#,
            "/architecture: embeds 4 levels, but the schedule has 3"),
        .init(
            "outputs that are neither", #""classes":2"#, #""classes":2,"outputs":3"#,
            "/architecture/outputs: is 3; must be 1, as the image has, or 2 where a variance was learned too"),
        .init(
            "another way to resample", #""convolution""#, #""conv""#,
            #"/architecture/resample: no "resample" "conv"; known: "block", "convolution", "pool""#),
        .init(
            "another order of queries", #""classes":2"#, #""classes":2,"qkv":"new""#,
            #"/architecture/qkv: no "qkv" "new"; known: "interleaved", "split""#),
        .init(
            "a word for a switch", #""classes":2"#, #""classes":2,"scale_shift":"true""#,
            #"/architecture/scale_shift: must be true or false, is "true""#),
        .init(
            "padding without strided convolutions", #""resample":"convolution""#, #""padding":"right_bottom""#,
            #"/architecture/padding: only "resample": "convolution" has strided convolutions; leave it out"#),
        .init(
            "an epsilon of zero", #""classes":2"#, #""classes":2,"norm_epsilon":0"#,
            "/architecture/norm_epsilon: must be a number above zero, at most 0.1, such as 1e-5, is 0"),
        .init(
            "another order of features", #""classes":2"#, #""classes":2,"time":{"order":"flip"}"#,
            #"/architecture/time/order: no "order" "flip"; known: "cos_sin", "sin_cos""#),
        .init(
            "a shift by half of the channels", #""classes":2"#, #""classes":2,"time":{"shift":2}"#,
            "/architecture/time/shift: must be a number from 0 to below half of the model's channels, is 2"),
        .init(
            "more parameters than fit anywhere", #""model_channels":4,"multipliers":[1,2]"#,
            #""model_channels":4096,"multipliers":[4,4]"#,
            "/architecture: has 62077665281 parameters; at most 2147483648 are possible"),
        .init(
            "a spaced schedule of a network", #""linear","levels":3"#, #""linear","levels":3,"spaced":2"#,
            #"/schedule/spaced: no such key here; known: "kind", "levels", "first", "last""#),
        .init(
            "a classifier with outputs", #""classes":2"#, #""classes":2,"outputs":2"#,
            "/architecture/outputs: no such key here; known: "
                + keys.replacing("4 more", with: "3 more"), classifier: true),
        .init(
            "a classifier without classes", #""classes":2,"#, "",
            #"/architecture: "classes" is missing; give how many labels it tells apart"#, classifier: true),
    ]

    private static func wrong(_ name: String, _ found: [Int], _ wanted: [Int]) -> String {
        "tensor \"\(name)\": has shape \(found), the architecture wants \(wanted)"
    }

    private static let mismatches: [MalformedUNet] = [
        .init(
            tensors: "wider features than the tensors have", #""model_channels":4"#, #""model_channels":8"#,
            wrong("time_embed.0.weight", [16, 4], [32, 8])),
        .init(
            tensors: "another number of labels", #""classes":2"#, #""classes":5"#,
            wrong("label_emb.weight", [2, 16], [5, 16])),
        .init(
            tensors: "more channels than the tensors have", #""channels":1,"#, #""channels":3,"#,
            wrong("input_blocks.0.0.weight", [4, 1, 3, 3], [4, 3, 3, 3])),
        .init(
            tensors: "a wider resolution than the tensors have", "[1,2]", "[1,3]",
            wrong("input_blocks.3.0.in_layers.2.weight", [8, 4, 3, 3], [12, 4, 3, 3])),
        .init(
            tensors: "scale and shift where the tensors have a sum", #""classes":2"#,
            #""classes":2,"scale_shift":true"#,
            wrong("input_blocks.1.0.emb_layers.1.weight", [4, 16], [8, 16])),
        .init(
            tensors: "a learned variance that the tensors do not have", #""classes":2"#, #""classes":2,"outputs":2"#,
            wrong("out.2.weight", [1, 4, 3, 3], [2, 4, 3, 3])),
        .init(
            tensors: "a layer that resamples in a block", #""resample":"convolution""#, #""resample":"block""#,
            "tensor \"input_blocks.2.0.in_layers.0.weight\" [4] is missing; the file has \"input_blocks.2.0.op.weight\", "
                + "\"input_blocks.2.0.op.bias\", \"output_blocks.1.2.conv.weight\""),
        .init(
            tensors: "two blocks where the tensors have one", #""blocks":1"#, #""blocks":2"#,
            "tensor \"input_blocks.2.0.in_layers.0.weight\" [4] is missing; the file has "
                + "\"input_blocks.3.0.in_layers.0.weight\", \"input_blocks.3.0.in_layers.2.weight\", "
                + "\"input_blocks.3.0.out_layers.0.weight\""),
        .init(
            tensors: "attention that the tensors do not have", #""attention":[2]"#, #""attention":[4,2]"#,
            "tensor \"input_blocks.1.1.norm.weight\" [4] is missing"),
        .init(
            tensors: "no attention where the tensors have it", #""attention":[2]"#, #""attention":[]"#,
            "tensor \"output_blocks.1.1.conv.weight\" [8, 8, 3, 3] is missing; the file has "
                + "\"output_blocks.1.2.conv.weight\", \"output_blocks.1.1.norm.weight\", \"output_blocks.1.1.qkv.weight\""
        ),
        .init(
            tensors: "no classes where the tensors have labels", #","classes":2"#, "",
            "tensor \"label_emb.weight\" is not part of the architecture, whose nearest names are \"time_embed.0.weight\", "
                + "\"time_embed.2.weight\", \"out.0.weight\""),
        .init(
            tensors: "a convolution of width one", wrong("input_blocks.2.0.op.weight", [4, 4, 1, 1], [4, 4, 3, 3])
        ) { $0.replace("input_blocks.2.0.op.weight", shape: [4, 4, 1, 1]) },
        .init(
            tensors: "a linear map without its last axis", wrong("middle_block.1.qkv.weight", [24, 8], [24, 8, 1])
        ) { $0.replace("middle_block.1.qkv.weight", shape: [24, 8]) },
        .init(
            tensors: "a row for no label of another width", wrong("null_emb.weight", [1, 8], [1, 16])
        ) { $0.replace("null_emb.weight", shape: [1, 8]) },
        .init(
            tensors: "a bias that is missing", "tensor \"out.2.bias\" [1] is missing"
        ) { $0.removeAll { $0.name == "out.2.bias" } },
        .init(
            tensors: "a classifier of an image of another size",
            #"[4,4],"channels":1,"model_channels":4,"multipliers":[1,2],"blocks":1,"attention":[2]"#,
            #"[8,8],"channels":1,"model_channels":4,"multipliers":[1,2],"blocks":1,"attention":[4]"#,
            wrong("out.2.positional_embedding", [8, 5], [8, 17]), classifier: true),
        .init(
            tensors: "a classifier of more labels", #""classes":2"#, #""classes":7"#,
            wrong("out.2.c_proj.weight", [2, 8, 1], [7, 8, 1]), classifier: true),
    ]
}

extension [SmallNetwork.Tensor] {
    /// Another shape, with as many zeros.
    fileprivate mutating func replace(_ name: String, shape: [Int]) {
        for place in indices where self[place].name == name {
            self[place].shape = shape
            self[place].bytes = [UInt8](repeating: 0, count: 4 * shape.reduce(1, *))
        }
    }
}
