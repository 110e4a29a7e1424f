import Testing

/// A spec in `Malformed/` and what its refusal must say. The file's name tells what is wrong with it.
struct Malformed: Sendable, CustomTestStringConvertible {
    let name: String
    /// The JSON pointer of the place at fault.
    let pointer: String
    /// A part of the message: the fault as found, or what to write instead.
    let fragment: String

    init(_ name: String, _ pointer: String, _ fragment: String) {
        self.name = name
        self.pointer = pointer
        self.fragment = fragment
    }

    var testDescription: String { name }

    /// All files of the folder, each with exactly one fault.
    static let all: [Malformed] = [
        Malformed("syntax-trailing-comma", "", "expected a name in double quotes"),
        Malformed("spec-is-an-array", "", "must be a training spec, an object"),
        Malformed("version-missing", "", #""rrr_training" is missing"#),
        Malformed("version-of-the-future", "/rrr_training", "from 1 to 1, is 2"),
        Malformed("key-misspelt", "/iteratoins", #"did you mean "iterations""#),
        Malformed("seed-negative", "/seed", "decimal string"),
        Malformed("seed-beyond-64-bits", "/seed", "must be a decimal number"),
        Malformed("architecture-hidden-misspelt", "/architecture/hiden", #"did you mean "hidden""#),
        Malformed("architecture-key-misspelt", "/architecture/widenn", #"did you mean "widen""#),
        Malformed("energy-misspelt", "/energy/kind", #"did you mean "denoising""#),
        Malformed("levels-mismatch", "/schedule", "has 20 levels, the architecture 10; give both the same"),
        Malformed("data-missing", "", #""data" is missing"#),
        Malformed("data-kind-missing", "/data", #""kind" is missing"#),
        Malformed("data-kind-misspelt", "/data/kind", #"did you mean "distribution""#),
        Malformed("data-name-misspelt", "/data/name", #"did you mean "eight_gaussians""#),
        Malformed("data-key-misspelt", "/data/label", #"did you mean "labels""#),
        Malformed("data-of-three-dimensions", "/data", "has 3 dimensions, the architecture 2; give both the same"),
        Malformed("data-box-corners-swapped", "/data/high", "not above the lower corner's"),
        Malformed("data-box-key-misspelt", "/data/hihg", #"did you mean "high""#),
        Malformed("data-covariance-indefinite", "/data/covariance", "positive definite"),
        Malformed("data-file-missing", "/data", #""file" is missing"#),
        Malformed("data-file-is-a-number", "/data/file", #"a file name such as "points.npy", is 3"#),
        Malformed("data-file-empty", "/data/file", "must be a file name"),
        Malformed("data-flip-of-points", "/data/flip", "only images can be mirrored"),
        Malformed("data-flip-is-a-number", "/data/flip", "true or false"),
        Malformed("data-held-out-negative", "/data/held_out", "from 0 to"),
        Malformed("pictures-for-points", "/data", #"give a "unet" with 1 or 3 "channels""#),
        Malformed("pictures-labelled-by-a-file", "/data/labels", #"must be "folder""#),
        Malformed("pictures-without-a-folder", "/data", #""folder" is missing"#),
        Malformed("sprites-with-labels", "/data/labels", #"no such key here; known: "kind""#),
        Malformed("sprites-of-another-size", "/data", #"give a "unet" with "size": [32, 32] and "channels": 3"#),
        Malformed(
            "sprites-of-too-few-classes", "/data", "sprites have 23 labels, the architecture 22 classes; give 23"),
        Malformed("unet-groups-do-not-divide", "/architecture/groups", "not a multiple of 3"),
        Malformed("unet-key-misspelt", "/architecture/scale_shft", #"did you mean "scale_shift""#),
        Malformed("unet-without-a-size", "/architecture", #""size" is missing"#),
        Malformed("report-every-zero", "/report_every", "from 1 to"),
        Malformed("labels-without-classes", "/data/labels", #"give the architecture "classes""#),
        Malformed("labels-of-a-file-without-classes", "/data/labels", #"give the architecture "classes""#),
        Malformed("labels-of-a-box", "/data/labels", "only a mixture has components"),
        Malformed("labels-misspelt", "/data/labels", #"must be "component""#),
        Malformed("labels-out-of-range", "/data/labels", "8 components need as many classes; the architecture has 7"),
        Malformed("classes-without-labels", "/data", #""labels" are missing"#),
        Malformed("classifier-with-an-energy", "/energy", "a classifier has logits and no energy; leave it out"),
        Malformed("classifier-with-label-dropout", "/label_dropout", "learns from every label; leave it out"),
        Malformed("classifier-without-classes", "/architecture", #""classes" is missing"#),
        Malformed("classifier-without-labels", "/data", "a network of 8 classes learns from labelled points"),
        Malformed("classifier-of-one-class", "/architecture/classes", "from 2 to 1048576, is 1"),
        Malformed("iterations-missing", "", #""iterations" is missing"#),
        Malformed("iterations-zero", "/iterations", "from 1 to"),
        Malformed("batch-not-a-multiple-of-shard", "/shard", "equal shards"),
        Malformed("batch-of-too-many-shards", "/shard", "at most 128 equal shards"),
        Malformed("batch-zero", "/batch", "from 1 to"),
        Malformed("shard-fraction", "/shard", "whole number"),
        Malformed("optimizer-key-misspelt", "/optimizer/learning_rat", #"did you mean "learning_rate""#),
        Malformed("optimizer-rate-zero", "/optimizer/learning_rate", "can hold, such as 1e-3, is 0"),
        Malformed("optimizer-decay-misspelt", "/optimizer/decay", #"did you mean "cosine""#),
        Malformed("optimizer-end-of-a-constant-rate", "/optimizer/final_learning_rate", #"use "decay": "cosine""#),
        Malformed(
            "optimizer-end-above-the-rate", "/optimizer/final_learning_rate", "from 0 to the learning rate, is 1"),
        Malformed("optimizer-warmup-too-long", "/optimizer/warmup", "from 0 to 99, is 100"),
        Malformed("optimizer-beta-of-one", "/optimizer/beta2", "from 0 to below 1, is 1"),
        Malformed("optimizer-epsilon-negative", "/optimizer/epsilon", "above zero"),
        Malformed("optimizer-clip-zero", "/optimizer/clip_norm", "above zero"),
        Malformed("optimizer-epsilon-too-small", "/optimizer/epsilon", "that single precision can hold"),
        Malformed("optimizer-rate-too-large", "/optimizer/learning_rate", "that single precision can hold"),
        Malformed("optimizer-clip-too-small", "/optimizer/clip_norm", "that single precision can hold"),
        Malformed("optimizer-is-a-string", "/optimizer", "must be an optimizer"),
        Malformed("ema-of-one", "/ema", "from 0 to below 1"),
        Malformed(
            "label-dropout-above-one", "/label_dropout",
            "a probability from 0 to below 1; at 1 no label would be learned, is 1.5"),
        Malformed("label-dropout-without-classes", "/label_dropout", "there are no labels to hide"),
        Malformed("checkpoint-every-zero", "/checkpoint_every", "from 1 to"),
        Malformed("weights-misspelt", "/weights", #"did you mean "float16""#),
    ]
}
