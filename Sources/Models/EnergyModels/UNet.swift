import StrictJSON

/// A U-Net over images [channels, height, width], conditioned on noise level and label (Ho et al. 2020), in the form
/// of Dhariwal and Nichol 2021, which other programs' variants are options of; or its first half, with which they
/// classify.
package struct UNet: Sendable, Equatable {
    /// What it gives. A classifier ends behind the middle with attention over its pixels.
    package var kind = NetworkDescription.Architecture.Kind.energy
    /// Rows of an image.
    package var height: Int
    /// Columns of an image.
    package var width: Int
    /// Channels of an image.
    package var channels: Int
    /// Features that ``multipliers`` multiply; those of the embedding of a level are four times as many.
    package var modelChannels: Int
    /// By what, at each resolution, each half that of the one before. Products are whole numbers.
    package var multipliers: [Double]
    /// Residual blocks of a resolution on the way down; there is one more on the way up.
    package var blocks: Int
    /// Widths of feature maps at which attention follows each residual block.
    package var attention: [Int]
    /// How attention divides its features.
    package var heads: Heads
    /// Groups of the group norms.
    package var groups: Int
    /// Noise levels that it knows: the schedule's.
    package var levels: Int
    /// Labels, 0 to `classes` - 1: those that a point may be conditioned on, nil for an unconditional network;
    /// or those that a classifier tells apart, at least 2.
    package var classes: Int?
    /// Whether, beside the labels, it has a row for points without one. No part of the description: a file says so by
    /// its tensors.
    package var hasNullLabel: Bool
    /// Channels of the last layer: as many as an image has, or twice as many where a variance was learned too, which
    /// is not used. Not for a classifier.
    package var outputs: Int
    /// Whether the embedding scales and shifts what a block's second norm gives, rather than being added before it.
    package var scalesAndShifts = false
    /// How the resolution is halved and doubled.
    package var resampling = Resampling.block
    /// The order of queries, keys and values in the layers that give all three.
    package var projections = Projections.interleaved
    /// Whether there is attention in the middle.
    package var attendsInMiddle = true
    /// What norms add to the variance.
    package var normEpsilon = 1e-5
    /// The features of a level that are embedded.
    package var time = TimeFeatures()
    /// Where strided convolutions have their zeros.
    package var padding = Padding.symmetric

    /// How attention divides its features.
    package enum Heads: Sendable, Equatable {
        /// So many heads everywhere.
        case count(Int)
        /// Heads of so many features.
        case channels(Int)

        func count(of features: Int) -> Int {
            switch self {
            case .count(let count): count
            case .channels(let width): features / width
            }
        }
    }

    /// How the resolution changes, by its name in model files.
    package enum Resampling: String, Sendable, CaseIterable {
        /// In a residual block of its own, by the mean of four pixels and by repetition.
        case block
        /// By a strided convolution down; by repetition and a convolution up.
        case convolution
        /// By the mean of four pixels and by repetition alone.
        case pool
    }

    /// The order of queries, keys and values, by its name in model files.
    package enum Projections: String, Sendable, CaseIterable {
        /// Head by head, its queries, its keys, its values.
        case interleaved
        /// The queries of all heads, then their keys, then their values.
        case split
    }

    /// Where strided convolutions have their zeros, by its name in model files.
    package enum Padding: String, Sendable, CaseIterable {
        /// On all sides.
        case symmetric
        /// To the right and below alone.
        case rightBottom = "right_bottom"
    }

    /// Features of a level t: cos(scale t f_i) and sin(scale t f_i) with f_i = 10000^(-i / (half - shift)) for i below
    /// half, which is half of the model's channels (Vaswani et al. 2017).
    package struct TimeFeatures: Sendable, Equatable {
        /// Which come first, by its name in model files.
        package enum Order: String, Sendable, CaseIterable {
            /// Cosines.
            case cosinesFirst = "cos_sin"
            /// Sines.
            case sinesFirst = "sin_cos"
        }

        /// Which come first.
        package var order = Order.cosinesFirst
        /// What is taken from half of the channels.
        package var shift = 0.0
        /// What levels are multiplied by.
        package var scale = 1.0

        /// Features of the usual form.
        package init() {}
    }

    /// A network of the usual form; nothing is checked here.
    package init(
        height: Int, width: Int, channels: Int, modelChannels: Int, multipliers: [Double], blocks: Int,
        attention: [Int], heads: Heads, groups: Int, levels: Int, classes: Int? = nil
    ) {
        (self.height, self.width, self.channels) = (height, width, channels)
        (self.modelChannels, self.multipliers, self.blocks) = (modelChannels, multipliers, blocks)
        (self.attention, self.heads, self.groups) = (attention, heads, groups)
        (self.levels, self.classes) = (levels, classes)
        (outputs, hasNullLabel) = (channels, classes != nil)
    }

    /// Features of the embedding of level and label.
    var embedding: Int { 4 * modelChannels }
    /// Labels that a point may be conditioned on.
    var conditions: Int? { kind == .energy ? classes : nil }
}

extension UNet {
    var name: String { kind == .energy ? "unet" : "unet_classifier" }
    var shape: PointShape {
        guard let shape = PointShape([channels, height, width]) else { preconditionFailure("images of no size") }
        return shape
    }
    var isUsableWithoutLabel: Bool { conditions == nil || hasNullLabel }

    /// What is as usual is left out.
    var members: [(String, JSONText)] {
        var members: [(String, JSONText)] = [
            ("size", .array([.integer(height), .integer(width)])), ("channels", .integer(channels)),
            ("model_channels", .integer(modelChannels)), ("multipliers", .array(multipliers.map { .number($0) })),
            ("blocks", .integer(blocks)), ("attention", .array(attention.map { .integer($0) })),
        ]
        switch heads {
        case .count(let count): members.append(("heads", .integer(count)))
        case .channels(let width): members.append(("head_channels", .integer(width)))
        }
        members += [("groups", .integer(groups)), ("levels", .integer(levels))]
        if let classes { members.append(("classes", .integer(classes))) }
        if kind == .energy, outputs != channels { members.append(("outputs", .integer(outputs))) }
        if scalesAndShifts { members.append(("scale_shift", .bool(true))) }
        if resampling != .block { members.append(("resample", .string(resampling.rawValue))) }
        if projections != .interleaved { members.append(("qkv", .string(projections.rawValue))) }
        if !attendsInMiddle { members.append(("middle_attention", .bool(false))) }
        if normEpsilon != 1e-5 { members.append(("norm_epsilon", .number(normEpsilon))) }
        if padding != .symmetric { members.append(("padding", .string(padding.rawValue))) }
        if time != TimeFeatures() {
            let features: [(String, JSONText)] = [
                ("order", .string(time.order.rawValue)), ("shift", .number(time.shift)), ("scale", .number(time.scale)),
            ]
            members.append(("time", .object(features)))
        }
        return members
    }
}
