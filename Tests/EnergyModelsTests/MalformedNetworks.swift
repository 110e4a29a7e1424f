import EnergyModels
import Testing

/// A file of a network that must be refused, and the whole message with which it is.
struct MalformedNetwork: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let tensors: [SmallNetwork.Tensor]
    let metadata: [String: String]
    let message: String

    /// A description in which `old` has become `new`.
    private init(_ name: String, _ old: String, _ new: String, _ message: String) {
        self.init(name, text: SmallNetwork.text.replacing(old, with: new), "metadata \"rrr.model\": " + message)
    }

    private init(_ name: String, text: String, _ message: String) {
        (testDescription, tensors, metadata) = (name, SmallNetwork.tensors, ["rrr.model": text])
        self.message = message
    }

    /// A file whose tensors were changed.
    private init(_ name: String, _ message: String, _ change: (inout [SmallNetwork.Tensor]) -> Void) {
        var tensors = SmallNetwork.tensors
        change(&tensors)
        (testDescription, self.tensors, self.message) = (name, tensors, message)
        metadata = ["rrr.model": SmallNetwork.text]
    }

    private init(_ name: String, metadata: [String: String], _ message: String) {
        (testDescription, tensors, self.metadata, self.message) = (name, SmallNetwork.tensors, metadata, message)
    }

    /// A file of a classifier of one dimension and two labels, whose description and tensors were changed.
    private init(
        classifier name: String, _ old: String, _ new: String, _ message: String,
        change: (inout [SmallNetwork.Tensor]) -> Void = { _ in }
    ) {
        var tensors = SmallNetwork.tensors
        tensors[tensors.count - 2].shape = [2, 2]
        tensors[tensors.count - 2].bytes += tensors[tensors.count - 2].bytes
        tensors[tensors.count - 1].shape = [2]
        tensors[tensors.count - 1].bytes += tensors[tensors.count - 1].bytes
        change(&tensors)
        (testDescription, self.tensors, self.message) = (name, tensors, message)
        metadata = ["rrr.model": old.isEmpty ? Self.classifier : Self.classifier.replacing(old, with: new)]
    }

    static let classifier =
        #"{"format":1,"architecture":{"kind":"residual_mlp_classifier","dimension":1,"hidden":2,"widen":1,"#
        + #""blocks":1,"embedding":3,"levels":2,"classes":2},"schedule":{"kind":"cosine","levels":2}}"#

    /// The classifier's file itself.
    static let soundClassifier = MalformedNetwork(classifier: "a sound classifier", "", "", "")

    static let all = descriptions + texts + weights + classifiers

    private static let told = "metadata \"rrr.model\": "

    private static let classifiers: [MalformedNetwork] = [
        .init(
            classifier: "a classifier with an energy", #","schedule""#, #","energy":{"kind":"denoising"},"schedule""#,
            told + "/energy: a classifier has logits and no energy; leave it out"),
        .init(
            classifier: "a classifier with null for an energy", #","schedule""#, #","energy":null,"schedule""#,
            told + "/energy: a classifier has logits and no energy; leave it out"),
        .init(
            classifier: "a classifier without classes", #","classes":2"#, "",
            told + #"/architecture: "classes" is missing; give how many labels it tells apart"#),
        .init(
            classifier: "a classifier of one label", #""classes":2"#, #""classes":1"#,
            told + "/architecture/classes: must be a whole number from 2 to 1048576, is 1"),
        .init(
            classifier: "a classifier of too many labels", #""classes":2"#, #""classes":1048577"#,
            told + "/architecture/classes: must be a whole number from 2 to 1048576, is 1048577"),
        .init(
            classifier: "a classifier of more parameters than fit anywhere", #""hidden":2,"widen":1"#,
            #""hidden":16384,"widen":64"#,
            told + "/architecture: has 1133877772296 parameters; at most 2147483648 are possible"),
        .init(
            classifier: "a misspelt classifier", "residual_mlp_classifier", "residual_mlp_clasifier",
            told + #"/architecture/kind: no architecture "residual_mlp_clasifier"; did you mean "#
                + #""residual_mlp_classifier"? Known: "residual_mlp", "residual_mlp_classifier", "unet", "unet_classifier""#
        ),
        .init(
            classifier: "a classifier of other levels than the schedule's", #""cosine","levels":2"#,
            #""cosine","levels":3"#, told + "/architecture: embeds 2 levels, but the schedule has 3"),
        .init(
            classifier: "a classifier of three labels with logits of two", #""classes":2"#, #""classes":3"#,
            "tensor \"output.weight\": has shape [2, 2], the architecture wants [3, 2]"),
        .init(
            classifier: "a network with an energy that says that it is a classifier", "", "",
            "tensor \"output.weight\": has shape [1, 2], the architecture wants [2, 2]"
        ) { $0 = SmallNetwork.tensors },
        .init(
            classifier: "a classifier that says that it has an energy", "residual_mlp_classifier", "residual_mlp",
            told + #""energy" is missing; give {"kind": "denoising", "scale": 1.0}"#),
        .init(
            classifier: "a classifier with one bias too few", "", "",
            "tensor \"output.bias\": has shape [1], the architecture wants [2]"
        ) { $0[$0.count - 1] = SmallNetwork.tensors[$0.count - 1] },
        .init(
            classifier: "a classifier without its last tensor", "", "", "tensor \"output.bias\" [2] is missing"
        ) { $0.removeLast() },
        .init(
            classifier: "a classifier that is told the label", "", "",
            "tensor \"label_embedding.weight\" is not part of the architecture, whose nearest names are "
                + "\"time_embedding.weight\", \"blocks.0.hidden.weight\", \"blocks.0.time.weight\""
        ) {
            $0.append(
                .init(name: "label_embedding.weight", shape: [3, 3], bytes: [UInt8](repeating: 0, count: 36)))
        },
        .init(
            classifier: "a classifier with an infinite logit", "", "",
            "tensor \"output.bias\": number 1 is inf in single precision; weights must be finite"
        ) { $0[$0.count - 1].bytes.replaceSubrange(4..<8, with: bits(0x7F80_0000, 4)) },
    ]

    private static let keys =
        #"known: "kind", "dimension", "hidden", "widen", "blocks", "embedding", "levels", "classes""#
    private static let scale = "must be a number above zero that single precision can hold, such as 1.0, is "

    private static let descriptions: [MalformedNetwork] = [
        .init("another format", #""format":1"#, #""format":2"#, "/format: must be a whole number from 1 to 1, is 2"),
        .init(
            "no format", #""format":1,"#, "", #""format" is missing; give the format version: "format": 1"#),
        .init(
            "a misspelt section", #""energy""#, #""enregy""#,
            #"/enregy: no such key here; did you mean "energy"? Known: "format", "architecture", "energy", "schedule""#),
        .init(
            "no energy", #""energy":{"kind":"denoising","scale":1.0},"#, "",
            #""energy" is missing; give {"kind": "denoising", "scale": 1.0}"#),
        .init(
            "no schedule", #","schedule":{"kind":"cosine","levels":2}"#, "",
            #""schedule" is missing; give {"kind": "cosine", "levels": 100}"#),
        .init(
            "a name for the architecture",
            #"{"kind":"residual_mlp","dimension":1,"hidden":2,"widen":1,"blocks":1,"embedding":3,"levels":2}"#,
            #""residual_mlp""#, #"/architecture: must be a network's shape, is "residual_mlp""#),
        .init(
            "another architecture", "residual_mlp", "residual_cnn",
            #"/architecture/kind: no architecture "residual_cnn"; did you mean "residual_mlp"? "#
                + #"Known: "residual_mlp", "residual_mlp_classifier", "unet", "unet_classifier""#),
        .init(
            "a key of another architecture", #""hidden":2"#, #""heads":2"#,
            "/architecture/heads: no such key here; " + keys),
        .init(
            "no hidden features", #""hidden":2"#, #""hidden":0"#,
            "/architecture/hidden: must be a whole number from 1 to 16384, is 0"),
        .init(
            "no width at all", #""hidden":2,"#, "", #"/architecture: "hidden" is missing; give a whole number"#),
        .init(
            "a negative dimension", #""dimension":1"#, #""dimension":-1"#,
            "/architecture/dimension: must be a whole number from 1 to 4096, is -1"),
        .init(
            "too many dimensions", #""dimension":1"#, #""dimension":4097"#,
            "/architecture/dimension: must be a whole number from 1 to 4096, is 4097"),
        .init(
            "a fraction of a width", #""widen":1"#, #""widen":1.5"#,
            "/architecture/widen: must be a whole number from 1 to 64, is 1.5"),
        .init(
            "too many blocks", #""blocks":1"#, #""blocks":1025"#,
            "/architecture/blocks: must be a whole number from 0 to 1024, is 1025"),
        .init(
            "a number of blocks beyond 64 bits", #""blocks":1"#, #""blocks":99999999999999999999"#,
            "/architecture/blocks: must be a whole number from 0 to 1024, is 99999999999999999999"),
        .init(
            "an embedding in quotes", #""embedding":3"#, #""embedding":"3""#,
            #"/architecture/embedding: must be a whole number from 1 to 16384, is "3""#),
        .init(
            "no labels", #""embedding":3"#, #""embedding":3,"classes":0"#,
            "/architecture/classes: must be a whole number from 1 to 1048576, is 0"),
        .init(
            "no levels", #""levels":2}"#, #""levels":0}"#,
            "/architecture/levels: must be a whole number from 1 to 65535, is 0"),
        .init(
            "levels that differ from the schedule's", #""kind":"cosine","levels":2"#, #""kind":"cosine","levels":3"#,
            "/architecture: embeds 2 levels, but the schedule has 3"),
        .init(
            "more parameters than fit anywhere", #""hidden":2,"widen":1,"blocks":1"#,
            #""hidden":16384,"widen":64,"blocks":1024"#,
            "/architecture: has 1161090771763207 parameters; at most 2147483648 are possible"),
        .init(
            "another energy", "denoising", "denosing",
            #"/energy/kind: no energy "denosing"; did you mean "denoising"? "#
                + #"Known: "denoising", "squared_norm", "inner_product", "noise""#),
        .init(
            "a network that predicts v", "denoising", "v_prediction",
            #"/energy/kind: no energy "v_prediction": write {"kind": "noise", "prediction": "v"}"#),
        .init(
            "a network that predicts the noise by another word", "denoising", "epsilon",
            #"/energy/kind: no energy "epsilon": write {"kind": "noise", "prediction": "epsilon"}"#),
        .init(
            "a prediction of an energy", #""denoising","#, #""denoising","prediction":"v","#,
            "/energy/prediction: the gradient of an energy predicts the noise; leave it out"),
        .init(
            "another prediction", #""denoising","#, #""noise","prediction":"x0","#,
            #"/energy/prediction: no prediction "x0"; did you mean "v"? Known: "epsilon", "v", "sample""#),
        .init(
            "an energy without a form", #""kind":"denoising","#, "",
            #"/energy: "kind" is missing; give the energy's form"#),
        .init("a scale of zero", #""scale":1.0"#, #""scale":0"#, "/energy/scale: " + scale + "0"),
        .init("a negative scale", #""scale":1.0"#, #""scale":-1"#, "/energy/scale: " + scale + "-1"),
        .init("a scale beyond single precision", #""scale":1.0"#, #""scale":1e39"#, "/energy/scale: " + scale + "1e39"),
        .init(
            "a scale beyond double precision", #""scale":1.0"#, #""scale":1e999"#, "/energy/scale: " + scale + "1e999"),
        .init(
            "a scale that becomes zero in single precision", #""scale":1.0"#, #""scale":1e-60"#,
            "/energy/scale: " + scale + "1e-60"),
        .init("null for the scale", #""scale":1.0"#, #""scale":null"#, "/energy/scale: " + scale + "null"),
        .init(
            "another schedule", "cosine", "cosin",
            #"/schedule/kind: no schedule "cosin"; did you mean "cosine"? Known: "# + schedules),
        .init(
            "a schedule with a key too many", #""kind":"cosine","#, #""kind":"cosine","offset":0.008,"#,
            #"/schedule/offset: no such key here; known: "kind", "levels""#),
    ]

    private static let schedules = #""cosine", "linear", "scaled_linear", "table""#

    private static let texts: [MalformedNetwork] = [
        .init(
            "no description", metadata: ["format": "pt"],
            "the metadata have no \"rrr.model\", which describes the network; add it when saving: "
                + "save_file(tensors, file, metadata={\"rrr.model\": …})"),
        .init(
            "an empty description", text: "",
            "metadata \"rrr.model\" is not JSON: line 1, column 1: the text is empty"),
        .init(
            "a description in Python", text: "{'format': 1}",
            "metadata \"rrr.model\" is not JSON: line 1, column 2: expected a name in double quotes; "
                + "names and strings stand in double quotes, not in single ones"),
        .init(
            "NaN for the scale", text: SmallNetwork.text.replacing("1.0", with: "NaN"),
            "metadata \"rrr.model\" is not JSON: line 1, column 160: this is not the beginning of a value; "
                + "NaN and infinity are not JSON: every number is finite"),
        .init(
            "a format twice", text: SmallNetwork.text.replacing("{\"format\":1", with: "{\"format\":1,\"format\":1"),
            "metadata \"rrr.model\" is not JSON: line 1, column 21: the name \"format\" occurs twice in one object"),
        .init(
            "an array for a description", text: "[]",
            "metadata \"rrr.model\": must be a network's description, is an array"),
        .init(
            "a key that would command the terminal", text: #"{"\u001b[2J":1}"#,
            "metadata \"rrr.model\": /\u{FFFD}[2J: no such key here; "
                + #"known: "format", "architecture", "energy", "schedule""#),
    ]

    private static func bits(_ pattern: UInt64, _ count: Int) -> [UInt8] {
        Array(withUnsafeBytes(of: pattern.littleEndian, Array.init).prefix(count))
    }

    /// In single precision, at place 1 of `input.weight`.
    private static func number(_ name: String, _ shown: String, _ type: String, _ patterns: [UInt64], size: Int) -> Self
    {
        .init(name, "tensor \"input.weight\": number 1 is \(shown) in single precision; weights must be finite") {
            $0[1].type = type
            $0[1].bytes = patterns.flatMap { bits($0, size) }
        }
    }

    private static let weights: [MalformedNetwork] = [
        .init("a tensor that is missing", "tensor \"input.weight\" [2, 1] is missing") { $0.remove(at: 1) },
        .init("the last tensor is missing", "tensor \"output.bias\" [1] is missing") { $0.removeLast() },
        .init("no tensors", "tensor \"time_embedding.weight\" [2, 3] is missing") { $0 = [] },
        .init(
            "a tensor under another name", "tensor \"input.weight\" [2, 1] is missing; the file has \"inputs.weight\""
        ) {
            $0[1].name = "inputs.weight"
        },
        .init(
            "a tensor too many",
            "tensor \"output.weigth\" is not part of the architecture, whose nearest names are \"output.weight\", "
                + "\"input.weight\", \"output.bias\""
        ) { $0.append(.init(name: "output.weigth", shape: [1], bytes: [0, 0, 0, 0])) },
        .init(
            "names with torch.compile's prefix",
            "tensor \"time_embedding.weight\" [2, 3] is missing: all names begin with \"_orig_mod.\", as torch.compile "
                + "leaves them; save model._orig_mod.state_dict()"
        ) { tensors in for i in tensors.indices { tensors[i].name = "_orig_mod." + tensors[i].name } },
        .init(
            "names with a prefix of two parts",
            "tensor \"time_embedding.weight\" [2, 3] is missing: all names begin with \"net.ema.\"; save "
                + "{name.removeprefix(\"net.ema.\"): tensor for name, tensor in tensors.items()}"
        ) { tensors in for i in tensors.indices { tensors[i].name = "net.ema." + tensors[i].name } },
        .init(
            "a transposed weight", "tensor \"input.weight\": has shape [1, 2], the architecture wants [2, 1]"
        ) { $0[1].shape = [1, 2] },
        .init("a flat weight", "tensor \"input.weight\": has shape [2], the architecture wants [2, 1]") {
            $0[1].shape = [2]
        },
        .init("a bias with an axis too many", "tensor \"input.bias\": has shape [2, 1], the architecture wants [2]") {
            $0[2].shape = [2, 1]
        },
        .init("a bias without an axis", "tensor \"output.bias\": has shape [], the architecture wants [1]") {
            $0[$0.count - 1].shape = []
        },
        .init("an empty weight", "tensor \"input.weight\": has shape [0, 1], the architecture wants [2, 1]") {
            $0[1].shape = [0, 1]
            $0[1].bytes = []
        },
        .init(
            "weights in whole numbers", "tensor \"input.weight\": is I32; store it as F32, F64, F16 or BF16"
        ) { $0[1].type = "I32" },
        .init(
            "quantised weights", "tensor \"input.weight\": is F8_E4M3; store it as F32, F64, F16 or BF16"
        ) {
            $0[1].type = "F8_E4M3"
            $0[1].bytes = [0, 0]
        },
        number("not a number", "nan", "F32", [0, 0x7FC0_0000], size: 4),
        number("a signalling NaN", "snan(0x1)", "F32", [0, 0x7F80_0001], size: 4),
        number("an infinite weight", "-inf", "F32", [0, 0xFF80_0000], size: 4),
        number("an infinite half", "inf", "F16", [0, 0x7C00], size: 2),
        number("a half that is not a number", "nan", "F16", [0, 0x7E00], size: 2),
        number("an infinite bfloat16", "inf", "BF16", [0, 0x7F80], size: 2),
        number("an infinite double", "-inf", "F64", [0, 0xFFF0_0000_0000_0000], size: 8),
        number("a double beyond single precision", "inf", "F64", [0, 1e39.bitPattern], size: 8),
    ]
}
