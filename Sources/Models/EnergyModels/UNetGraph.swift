import TensorGraph
import VectorMath

extension UNet: NetworkForm {
    /// As many as have a layer of full size within a megabyte, a cache's share: more gain nothing and take memory.
    var mostRows: Int { max(1, min(8, (1 << 18) / (height * width * modelChannels))) }

    /// Images [rows, height, width, channels], as layers of images take them.
    func arranged(_ points: Value) -> Value {
        points.reshape([points.shape[0], channels, height, width]).transpose([0, 2, 3, 1])
    }

    func points(_ arranged: Value) -> Value {
        arranged.transpose([0, 3, 1, 2]).reshape([arranged.shape[0], channels * height * width])
    }

    /// Forward: down, middle, up, where each block on the way up also takes what the block of its size gave on the
    /// way down, behind what comes from below; then norm, swish and a convolution, or attention over the pixels.
    func output(parameters: [Value], points: Value, levels: Value, labels: Value?) -> Value {
        let pass = UNetPass(self, parameters: parameters, images: points, levels: levels, labels: labels)
        let layout = UNetLayout(self)
        var image = points
        var kept: [Value] = []
        for layers in layout.down {
            image = pass.through(layers, image)
            kept.append(image)
        }
        image = pass.through(layout.middle, image)
        for layers in layout.up {
            image = pass.through(layers, .concatenate([image, kept.removeLast()], axis: 3))
        }
        let features = pass.norm("out.0", image).swish()
        return kind == .classifier
            ? pass.pooled("out.2", features) : pass.convolve("out.2", features, outputs: channels)
    }
}

/// A pass of images through the layers of a U-Net.
private struct UNetPass {
    private let network: UNet
    private let weights: [String: Value]
    private let rows: Int
    /// Of level and label, as blocks take it: [n, 4 model channels], one for all images or for equal groups of them.
    /// It does not depend on the images.
    private let embedding: Value

    init(_ network: UNet, parameters: [Value], images: Value, levels: Value, labels: Value?) {
        self.network = network
        rows = images.shape[0]
        let weights = Dictionary(uniqueKeysWithValues: zip(network.parameters.map(\.name), parameters))
        self.weights = weights
        func linear(_ name: String, _ x: Value) -> Value {
            x.matrixMultiply(weights.required(name + ".weight"), transposingOther: true)
                + weights.required(name + ".bias")
        }
        let features = images.graph.constant(network.timeFeatures).gather(levels)
        var embedding = linear("time_embed.2", linear("time_embed.0", features).swish())
        if network.conditions != nil {
            guard let labels else { preconditionFailure("a network with classes needs labels") }
            var table = weights.required("label_emb.weight")
            if network.hasNullLabel { table = .concatenate([table, weights.required("null_emb.weight")], axis: 0) }
            embedding = embedding + table.gather(labels)
        }
        self.embedding = embedding.swish()
    }

    private func weight(_ name: String) -> Value { weights.required(name + ".weight") }
    private func bias(_ name: String) -> Value { weights.required(name + ".bias") }

    func through(_ layers: [UNetLayout.Layer], _ image: Value) -> Value {
        layers.reduce(image) { image, layer in
            switch layer.form {
            case .entrance: convolve(layer.name, image)
            case .residual(let inputs, let outputs, let direction):
                residual(layer.name, image, joins: inputs != outputs, direction)
            case .attention: attend(layer.name, image)
            case .resampling(_, let direction): resample(layer.name, image, direction)
            }
        }
    }

    func norm(_ name: String, _ image: Value) -> Value { norm(image, weight: weight(name), bias: bias(name)) }

    private func norm(_ image: Value, weight: Value, bias: Value) -> Value {
        image.groupNorm(groups: network.groups, weight: weight, bias: bias, epsilon: Float(network.normEpsilon))
    }

    /// - Parameter outputs: how many channels of the result are wanted; nil for all.
    func convolve(_ name: String, _ image: Value, outputs: Int? = nil) -> Value {
        let (weight, bias) = (weight(name), bias(name))
        let wanted = 0..<(outputs ?? bias.shape[0])
        return image.convolve(weight.slice(0, wanted)) + bias.slice(0, wanted)
    }

    /// x + out(swish(norm(in(swish(norm(x))) + e))) with the embedding e, the resolution changed before `in`.
    private func residual(
        _ name: String, _ image: Value, joins: Bool, _ direction: UNetLayout.Direction?
    ) -> Value {
        func resized(_ image: Value) -> Value {
            switch direction {
            case .down: image.averagePooled()
            case .up: image.upsampled()
            case nil: image
            }
        }
        let inner = resized(norm(name + ".in_layers.0", image).swish()).convolve(weight(name + ".in_layers.2"))
        // Bias and embedding first: both may depend on the level alone.
        let shift =
            embedding.matrixMultiply(weight(name + ".emb_layers.1"), transposingOther: true)
            + bias(name + ".emb_layers.1")
        let outer = name + ".out_layers.0"
        let entry = bias(name + ".in_layers.2")
        let normed: Value
        if network.scalesAndShifts {
            let channels = entry.shape[0]
            let scale = shift.slice(1, 0..<channels) + 1
            normed = norm(
                inner + entry, weight: perImage(weight(outer) * scale),
                bias: perImage(bias(outer) * scale + shift.slice(1, channels..<2 * channels)))
        } else {
            normed = norm(inner + perImage(entry + shift), weight: weight(outer), bias: bias(outer))
        }
        let image = resized(image)
        let skip = joins ? convolve(name + ".skip_connection", image) : image
        return skip + convolve(name + ".out_layers.3", normed.swish())
    }

    /// What is added to or multiplies the channels, [n, channels] for all images or for equal groups of them, in the
    /// shape that goes with images.
    private func perImage(_ shift: Value) -> Value {
        let (spread, channels) = (shift.spread(over: rows), shift.shape[1])
        return spread.reshape(spread.shape[0] == 1 ? [channels] : [spread.shape[0], 1, 1, channels])
    }

    private func resample(_ name: String, _ image: Value, _ direction: UNetLayout.Direction) -> Value {
        switch (network.resampling, direction) {
        case (.convolution, .down):
            image.convolve(
                weight(name + ".op"), stride: 2, padding: network.padding == .symmetric ? .symmetric : .rightAndBottom)
                + bias(name + ".op")
        case (.convolution, .up): convolve(name + ".conv", image.upsampled())
        case (_, .down): image.averagePooled()
        case (_, .up): image.upsampled()
        }
    }

    /// x + out(attention(norm(x))) over the pixels of each image.
    private func attend(_ name: String, _ image: Value) -> Value {
        let channels = image.shape[3]
        let pixels = norm(name + ".norm", image).reshape([rows, image.shape[1] * image.shape[2], channels])
        let joined = attend(name + ".qkv", queries: pixels, keys: pixels, split: network.projections == .split)
        return image + linear(name + ".proj_out", joined).reshape(image.shape)
    }

    /// Attention with the pixels' mean as the query, over the mean and the pixels, each with what its position adds:
    /// [rows, outputs].
    func pooled(_ name: String, _ image: Value) -> Value {
        let channels = image.shape[3]
        let pixels = image.reshape([rows, image.shape[1] * image.shape[2], channels])
        let positions = weights.required(name + ".positional_embedding").transpose([1, 0])
        let tokens = Value.concatenate([pixels.mean(1), pixels], axis: 1) + positions
        let joined = attend(name + ".qkv_proj", queries: tokens.slice(1, 0..<1), keys: tokens, split: true)
        let outputs = linear(name + ".c_proj", joined)
        return outputs.reshape([rows, outputs.shape[2]])
    }

    /// Attention of some tokens [rows, count, channels] to others, head by head.
    ///
    /// - Parameters:
    ///   - name: of the layer that gives queries, keys and values.
    ///   - split: whether it gives those of all heads together.
    private func attend(_ name: String, queries: Value, keys: Value, split: Bool) -> Value {
        let channels = keys.shape[2]
        let heads = network.heads.count(of: channels)
        // The layer as three of its own, head by head: what is done to weights is done once.
        let (order, place) = split ? ([3, channels], 0) : ([heads, 3, channels / heads], 1)
        func projected(_ tokens: Value, _ part: Int) -> Value {
            func own(_ parameter: Value) -> Value {
                let inner = parameter.shape.count > 1 ? [channels] : []
                return parameter.reshape(order + inner).slice(place, part..<part + 1).reshape([channels] + inner)
            }
            return linear(tokens, own(weight(name)), own(bias(name)))
                .reshape([rows, tokens.shape[1], heads, channels / heads]).transpose([0, 2, 1, 3])
        }
        return projected(queries, 0).attention(keys: projected(keys, 1), values: projected(keys, 2))
            .transpose([0, 2, 1, 3]).reshape(queries.shape)
    }

    /// A linear map of tokens [rows, count, channels] whose weights are [outputs, channels, 1].
    private func linear(_ name: String, _ tokens: Value) -> Value {
        let weight = weight(name)
        return linear(tokens, weight.reshape([weight.shape[0], weight.shape[1]]), bias(name))
    }

    private func linear(_ tokens: Value, _ weight: Value, _ bias: Value) -> Value {
        let product = tokens.reshape([rows * tokens.shape[1], tokens.shape[2]])
            .matrixMultiply(weight, transposingOther: true)
        return (product + bias).reshape([rows, tokens.shape[1], weight.shape[0]])
    }
}

extension [String: Value] {
    fileprivate func required(_ name: String) -> Value {
        guard let value = self[name] else { preconditionFailure("no parameter \(name)") }
        return value
    }
}

extension UNet {
    /// Features of every level [levels, model channels], in double precision until the last.
    var timeFeatures: Tensor {
        let half = modelChannels / 2
        func cosine(_ radians: Double) -> Double {
            let turns = radians / (2 * .pi)
            return Elementary.cosine(ofTurns: turns - turns.rounded(.down))
        }
        let frequencies = (0..<half).map { Elementary.power(10_000, -Double($0) / (Double(half) - time.shift)) }
        let values = (0..<levels).flatMap { level -> [Float] in
            let angles = frequencies.map { time.scale * Double(level) * $0 }
            let cosines = angles.map { Float(cosine($0)) }
            let sines = angles.map { Float(cosine($0 - .pi / 2)) }
            return time.order == .cosinesFirst ? cosines + sines : sines + cosines
        }
        return Tensor(shape: [levels, modelChannels], values: values)
    }
}
