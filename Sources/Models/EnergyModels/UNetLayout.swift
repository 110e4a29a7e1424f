/// The layers of a U-Net in the order in which they are passed, under the names that the files of Dhariwal and Nichol
/// 2021 have for them: `input_blocks.i.j` on the way down, `middle_block.j`, `output_blocks.i.j` on the way up.
struct UNetLayout {
    /// A layer, or what joins some.
    struct Layer {
        let name: String
        let form: Form
    }

    enum Form {
        /// The convolution that an image goes in by.
        case entrance(inputs: Int, outputs: Int)
        case residual(inputs: Int, outputs: Int, Direction?)
        case attention(channels: Int)
        /// A change of resolution that is no residual block.
        case resampling(channels: Int, Direction)
    }

    enum Direction {
        case down, up
    }

    /// What comes out of each of these is kept for the way up.
    private(set) var down: [[Layer]]
    private(set) var middle: [Layer] = []
    /// To each of these, the last of what was kept goes in too. Empty for a classifier.
    private(set) var up: [[Layer]] = []
    /// What the last of them gives.
    private(set) var channels: Int
    /// Columns of an image in the middle.
    private(set) var width: Int
    /// Features of each resolution.
    private let features: [Int]

    init(_ network: UNet) {
        features = network.features
        channels = features[0]
        width = network.width
        down = [
            [Layer(name: "input_blocks.0.0", form: .entrance(inputs: network.channels, outputs: features[0]))]
        ]
        descend(network)
    }

    private mutating func descend(_ network: UNet) {
        var kept = [channels]
        for (depth, outputs) in features.enumerated() {
            for _ in 0..<network.blocks {
                let forms = block(channels, outputs, network)
                channels = outputs
                down.append(Self.named("input_blocks.\(down.count)", forms))
                kept.append(channels)
            }
            guard depth < features.count - 1 else { continue }
            down.append(Self.named("input_blocks.\(down.count)", [resampling(.down, network)]))
            kept.append(channels)
            width /= 2
        }
        let middle = Form.residual(inputs: channels, outputs: channels, nil)
        self.middle = Self.named(
            "middle_block", [middle] + (network.attendsInMiddle ? [.attention(channels: channels)] : []) + [middle])
        if network.kind == .energy { ascend(network, &kept) }
    }

    private mutating func ascend(_ network: UNet, _ kept: inout [Int]) {
        for (depth, outputs) in features.enumerated().reversed() {
            for number in 0...network.blocks {
                var forms = block(channels + kept.removeLast(), outputs, network)
                channels = outputs
                if depth > 0, number == network.blocks {
                    forms.append(resampling(.up, network))
                    width *= 2
                }
                up.append(Self.named("output_blocks.\(up.count)", forms))
            }
        }
    }

    private func block(_ inputs: Int, _ outputs: Int, _ network: UNet) -> [Form] {
        [.residual(inputs: inputs, outputs: outputs, nil)]
            + (network.attention.contains(width) ? [.attention(channels: outputs)] : [])
    }

    private func resampling(_ direction: Direction, _ network: UNet) -> Form {
        network.resampling == .block
            ? .residual(inputs: channels, outputs: channels, direction)
            : .resampling(channels: channels, direction)
    }

    private static func named(_ name: String, _ forms: [Form]) -> [Layer] {
        forms.enumerated().map { Layer(name: "\(name).\($0)", form: $1) }
    }

    /// All of them, in their order.
    var layers: [Layer] { down.flatMap(\.self) + middle + up.flatMap(\.self) }
}

extension UNet {
    /// Features of each resolution.
    var features: [Int] { multipliers.map { Int(($0 * Double(modelChannels)).rounded()) } }

    var parameters: [NetworkParameter] {
        let layout = UNetLayout(self)
        var list: [NetworkParameter] = []
        func add(_ name: String, _ shape: Int...) { list.append(NetworkParameter(name: name, shape: shape)) }
        func norm(_ name: String, _ channels: Int) {
            add(name + ".weight", channels)
            add(name + ".bias", channels)
        }
        func linear(_ name: String, _ inputs: Int, _ outputs: Int) {
            add(name + ".weight", outputs, inputs)
            add(name + ".bias", outputs)
        }
        /// A linear map of every pixel's features, as files of one-dimensional convolutions have it.
        func projection(_ name: String, _ inputs: Int, _ outputs: Int) {
            add(name + ".weight", outputs, inputs, 1)
            add(name + ".bias", outputs)
        }
        func convolution(_ name: String, _ inputs: Int, _ outputs: Int, kernel: Int = 3) {
            add(name + ".weight", outputs, inputs, kernel, kernel)
            add(name + ".bias", outputs)
        }
        linear("time_embed.0", modelChannels, embedding)
        linear("time_embed.2", embedding, embedding)
        if let conditions {
            add("label_emb.weight", conditions, embedding)
            if hasNullLabel { add("null_emb.weight", 1, embedding) }
        }
        for layer in layout.layers {
            switch layer.form {
            case .entrance(let inputs, let outputs): convolution(layer.name, inputs, outputs)
            case .residual(let inputs, let outputs, _):
                norm(layer.name + ".in_layers.0", inputs)
                convolution(layer.name + ".in_layers.2", inputs, outputs)
                linear(layer.name + ".emb_layers.1", embedding, (scalesAndShifts ? 2 : 1) * outputs)
                norm(layer.name + ".out_layers.0", outputs)
                convolution(layer.name + ".out_layers.3", outputs, outputs)
                if inputs != outputs { convolution(layer.name + ".skip_connection", inputs, outputs, kernel: 1) }
            case .attention(let channels):
                norm(layer.name + ".norm", channels)
                projection(layer.name + ".qkv", channels, 3 * channels)
                projection(layer.name + ".proj_out", channels, channels)
            case .resampling(let channels, let direction):
                guard resampling == .convolution else { continue }
                convolution(layer.name + (direction == .down ? ".op" : ".conv"), channels, channels)
            }
        }
        norm("out.0", layout.channels)
        switch kind {
        case .energy: convolution("out.2", layout.channels, outputs)
        case .classifier:
            let pixels = layout.width * (height >> (multipliers.count - 1))
            add("out.2.positional_embedding", layout.channels, pixels + 1)
            projection("out.2.qkv_proj", layout.channels, 3 * layout.channels)
            projection("out.2.c_proj", layout.channels, classes ?? 0)
        }
        return list
    }

    var parameterCount: Int { parameters.reduce(0) { $0 + $1.shape.reduce(1, *) } }
}
