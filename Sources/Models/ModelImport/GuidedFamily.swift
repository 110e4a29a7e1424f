import EnergyModels

/// A U-Net in the names of Dhariwal and Nichol's guided-diffusion and what descends from it, or the classifier's half of
/// one, as far as the tensors tell: everything but the size of images, the heads, and the order of queries, keys and
/// values.
///
/// A list `input_blocks` has the convolution that images go in by; for each resolution its blocks; and between two
/// resolutions one that halves. `output_blocks` has a block more for each resolution, the last of which doubles.
struct GuidedFamily {
    var kind: NetworkDescription.Architecture.Kind
    var modelChannels: Int
    var channels: Int
    /// Of each resolution.
    var features: [Int] = []
    var blocks: Int
    /// Resolutions with attention, 0 for the size of images.
    var attended: [Int] = []
    var attendsInMiddle: Bool
    var resampling: UNet.Resampling
    var scalesAndShifts = false
    var outputs: Int
    var classes: Int?
    var hasNullLabel: Bool
    /// Positions that a classifier's pooling knows: one more than pixels in the middle.
    var positions: Int?

    /// Whether tensors have such names.
    static func recognizes(_ tensors: ForeignShapes) -> Bool { tensors.has("input_blocks") }

    /// - Parameter given: blocks of a resolution, where the tensors leave several possible.
    /// - Throws: ``ImportError`` with the tensor that does not go with the others.
    init(_ tensors: ForeignShapes, blocks given: Int?) throws(ImportError) {
        try Self.refuseOthers(tensors)
        kind = tensors.has("output_blocks") ? .energy : .classifier
        guard kind == .energy || tensors.has("out.2.c_proj") else {
            throw tensors.refused(
                "has no output_blocks, and no out.2.c_proj: it is no U-Net, and no classifier whose attention pools")
        }
        modelChannels = try tensors.shape(of: "time_embed.0.weight", axes: 2)[1]
        let entrance = try tensors.shape(of: "input_blocks.0.0.weight", axes: 4)
        channels = entrance[1]
        hasNullLabel = tensors.has("null_emb")
        attendsInMiddle = tensors.has("middle_block.1.qkv") || tensors.has("middle_block.2")
        let resolutions: Int
        (resolutions, blocks, resampling) = try Self.arrangement(tensors, kind, blocks: given)
        switch kind {
        case .energy:
            outputs = try tensors.shape(of: "out.2.weight", axes: 4)[0]
            if tensors.has("label_emb") { classes = try tensors.shape(of: "label_emb.weight", axes: 2)[0] }
        case .classifier:
            outputs = channels
            classes = try tensors.shape(of: "out.2.c_proj.weight", axes: 3)[0]
            positions = try tensors.shape(of: "out.2.positional_embedding", axes: 2)[1]
        }
        for depth in 0..<resolutions {
            let first = 1 + depth * (blocks + 1)
            features.append(try tensors.shape(of: "input_blocks.\(first).0.out_layers.3.weight", axes: 4)[0])
            if (first..<first + blocks).contains(where: { tensors.has("input_blocks.\($0).1.qkv") }) {
                attended.append(depth)
            }
        }
        let rows = try tensors.shape(of: "middle_block.0.emb_layers.1.weight", axes: 2)[0]
        let added = try tensors.shape(of: "middle_block.0.out_layers.3.weight", axes: 4)[0]
        guard rows == added || rows == 2 * added else {
            throw tensors.refused(
                "tensor \"middle_block.0.emb_layers.1.weight\": has \(rows) rows; must have \(added), which are added, or "
                    + "\(2 * added), which scale and shift")
        }
        scalesAndShifts = rows == 2 * added
    }

    /// Refuses what has the same names for most of its tensors, and does something else.
    private static func refuseOthers(_ tensors: ForeignShapes) throws(ImportError) {
        let others = [
            ("label_emb.bias", "its conditions are positions, of which a linear layer makes an embedding"),
            ("label_emb.0.0", "its conditions are vectors, of which layers make an embedding"),
            ("obj_emb", "its conditions are several labels at once, of objects and relations"),
            ("rel_emb", "its conditions are relations of objects"),
            ("middle_block.1.encoder_kv", "its attention takes texts"),
            ("middle_block.1.transformer_blocks", "its attention takes texts, as Stable Diffusion's does"),
            ("transformer", "its conditions are texts"),
        ]
        if let (name, what) = others.first(where: { tensors.has($0.0) }) {
            throw tensors.refused("has \"\(name)\": \(what); networks with one label, or none, are read")
        }
    }

    /// How many resolutions there are, how many blocks each has, and what stands between them.
    private static func arrangement(
        _ tensors: ForeignShapes, _ kind: NetworkDescription.Architecture.Kind, blocks given: Int?
    ) throws(ImportError) -> (resolutions: Int, blocks: Int, UNet.Resampling) {
        let (inputs, outputs) = (tensors.numbers(after: "input_blocks"), tensors.numbers(after: "output_blocks"))
        let count = (inputs.last ?? 0) + 1
        func after(_ block: Int, _ part: String) -> Bool {
            (1...2).contains { tensors.has("output_blocks.\(block).\($0).\(part)") }
        }
        if kind == .energy, outputs.count != count {
            throw tensors.refused(
                "has \(count) input_blocks and \(outputs.count) output_blocks; a U-Net has as many of both. Is a part of "
                    + "it missing?")
        }
        let strided = max(
            inputs.count { tensors.has("input_blocks.\($0).0.op") }, outputs.count { after($0, "conv") })
        let doubling = outputs.count { after($0, "in_layers") }
        let gaps = count - inputs.count
        let halvings: (Int, UNet.Resampling)
        switch (strided, doubling, gaps) {
        case (1..., 0, _): halvings = (strided, .convolution)
        case (0, 1..., _): halvings = (doubling, .block)
        case (0, 0, 1...): halvings = (gaps, .pool)
        case (0, 0, _) where kind == .classifier:
            let blocks = try possibleBlocks(tensors, count: count, given: given)
            return (count / (blocks + 1), blocks, .block)
        case (0, 0, _): halvings = (0, .block)
        default:
            throw tensors.refused(
                "the resolution changes in residual blocks here, by convolutions there; networks with one of both are read"
            )
        }
        let (resolutions, resampling) = (halvings.0 + 1, halvings.1)
        let blocks = count / resolutions - 1
        guard count.isMultiple(of: resolutions), blocks > 0 else {
            throw tensors.refused(
                "has \(count) input_blocks for \(resolutions) resolutions, each of which must have as many as the others. "
                    + "Is a part of it missing?")
        }
        guard gaps == 0 || resampling == .pool else {
            let missing = (0..<count).first { !inputs.contains($0) } ?? 0
            throw tensors.refused("input_blocks.\(missing) is missing")
        }
        let settled = try ImportOptions.settled("--blocks", given, file: blocks)
        return (resolutions, settled ?? blocks, resampling)
    }

    /// Blocks of a resolution in a classifier whose halvings are residual blocks as the others are. What tells them
    /// apart: no attention follows them, attention follows either all other blocks of a resolution or none, and only the
    /// first of these changes the number of features.
    private static func possibleBlocks(
        _ tensors: ForeignShapes, count: Int, given: Int?
    ) throws(ImportError) -> Int {
        func fits(_ blocks: Int) -> Bool {
            (1..<max(count, 2)).allSatisfy { number in
                let place = (number - 1) % (blocks + 1)
                let attends = tensors.has("input_blocks.\(number).1")
                let first = number - place
                let alike = place == blocks ? !attends : attends == tensors.has("input_blocks.\(first).1")
                return alike && (place == 0 && number > 1 || !tensors.has("input_blocks.\(number).0.skip_connection"))
            }
        }
        let possible = (1..<max(count, 2)).filter { count.isMultiple(of: $0 + 1) && fits($0) }
        guard !possible.isEmpty else {
            throw tensors.refused(
                "its \(count) input_blocks are no resolutions of equally many blocks, with attention behind all blocks of "
                    + "a resolution or none. Is a part of it missing?")
        }
        if let given {
            guard possible.contains(given) else {
                throw .usage("--blocks says \(given), but the file has \(possible); leave the option out")
            }
            return given
        }
        guard possible.count == 1 else {
            throw .usage(
                "the tensors do not say how many blocks a resolution has: give --blocks N, with N one of \(possible)")
        }
        return possible[0]
    }
}

extension GuidedFamily {
    /// The sizes of images that guided-diffusion goes with multipliers.
    private static let sizes: [(multipliers: [Double], size: Int)] = [
        ([0.5, 1, 1, 2, 2, 4, 4], 512), ([1, 1, 2, 2, 4, 4], 256), ([1, 1, 2, 3, 4], 128), ([1, 2, 3, 4], 64),
    ]

    private var multipliers: [Double] { features.map { Double($0) / Double(modelChannels) } }

    /// The size of images, and why it is that.
    func size(_ options: ImportOptions) throws(ImportError) -> ([Int], String) {
        let halvings = features.count - 1
        if let positions {
            let side = Int(Double(positions - 1).squareRoot())
            let square = side * side == positions - 1 && side > 0 && halvings < 12
            let why = "out.2.positional_embedding has a place for each pixel of the middle"
            guard let told = options.size else {
                guard square else {
                    throw .usage("the \(positions - 1) pixels of the middle are no square: give --size HEIGHTxWIDTH")
                }
                return ([side << halvings, side << halvings], why)
            }
            guard halvings < 12, (told[0] >> halvings) * (told[1] >> halvings) == positions - 1 else {
                throw .usage(
                    "--size says \(told), but \(why), and has \(positions - 1)"
                        + (square ? ", as images of \(side << halvings) x \(side << halvings) have" : "")
                        + "; leave the option out")
            }
            return (told, "as told; " + why)
        }
        if let told = options.size { return (told, "as told; no tensor says it") }
        guard let usual = Self.sizes.first(where: { $0.multipliers == multipliers }) else {
            throw .usage(
                "no tensor says how large images are: give --size N, or --size HEIGHTxWIDTH, as the network was trained"
            )
        }
        return ([usual.size, usual.size], "as guided-diffusion goes with these multipliers; --size says otherwise")
    }

    /// The network, as a file of ours has it.
    func network(
        size: [Int], heads: UNet.Heads, projections: UNet.Projections, groups: Int, levels: Int
    ) -> UNet {
        // A size that can't be halved so often is refused with the rest.
        let widths = attended.map { size[1] >> $0 }
        var network = UNet(
            height: size[0], width: size[1], channels: channels, modelChannels: modelChannels,
            multipliers: multipliers, blocks: blocks, attention: widths, heads: heads, groups: groups, levels: levels,
            classes: classes)
        (network.kind, network.hasNullLabel, network.outputs) = (kind, hasNullLabel, outputs)
        (network.scalesAndShifts, network.resampling) = (scalesAndShifts, resampling)
        (network.projections, network.attendsInMiddle) = (projections, attendsInMiddle)
        return network
    }

    /// What shows that the network is no energy; nil if nothing does.
    var scoreReason: String? {
        guard outputs != channels else { return nil }
        return
            "out.2 has \(outputs) channels for images of \(channels), so a variance was learned beside the noise that the "
            + "network predicts"
    }

    /// Whether anything has heads.
    var attends: Bool { !attended.isEmpty || attendsInMiddle || kind == .classifier }
}
