/// What a model file says of its network: everything but the weights.
public struct NetworkDescription: Sendable, Equatable {
    /// The shape of a residual network over points, conditioned on the noise level (science: the network of Du
    /// et al. 2023 for two dimensions).
    public struct Architecture: Sendable, Equatable {
        /// What the network gives for a point, by its name in model files.
        public enum Kind: String, Sendable, CaseIterable {
            /// f [dimension], of which an energy or a prediction of the noise is made.
            case energy = "residual_mlp"
            /// Logits [classes], whose softmax is p(y | x, t), the probability of each label at a noised point.
            case classifier = "residual_mlp_classifier"
        }

        /// What it gives.
        public var kind: Kind
        /// Coordinates of a point.
        public var dimension: Int
        /// Features of the residual stream.
        public var hidden: Int
        /// Inside a block there are `widen` times `hidden` features.
        public var widen: Int
        /// Residual blocks.
        public var blocks: Int
        /// Features of the embedding of level and label.
        public var embedding: Int
        /// Noise levels that have an embedding: the schedule's.
        public var levels: Int
        /// Labels, 0 to `classes` - 1: those that a point may be conditioned on, nil for an unconditional network;
        /// or those that a classifier tells apart, at least 2.
        public var classes: Int?

        /// A shape; nothing is checked here.
        public init(
            kind: Kind = .energy, dimension: Int, hidden: Int, widen: Int, blocks: Int, embedding: Int, levels: Int,
            classes: Int? = nil
        ) {
            self.kind = kind
            self.dimension = dimension
            self.hidden = hidden
            self.widen = widen
            self.blocks = blocks
            self.embedding = embedding
            self.levels = levels
            self.classes = classes
        }

        /// Labels that a point may be conditioned on; nil for an unconditional network and for a classifier.
        public var conditions: Int? { kind == .energy ? classes : nil }

        /// The shape of a point.
        public var shape: PointShape { PointShape(dimension: dimension) }

        /// Numbers that the network gives for a point.
        public var outputs: Int { kind == .energy ? dimension : classes ?? 0 }
    }

    /// How the network's output f becomes an energy E(x, t) whose gradient predicts the noise, so that
    /// log p_t = -E / sigma_t + constant.
    public struct Energy: Sendable, Equatable {
        /// The form, by its name in model files.
        public enum Kind: String, Sendable, CaseIterable {
            /// sum of (x - f)^2.
            case denoising
            /// 1/2 sum of f^2.
            case squaredNorm = "squared_norm"
            /// sum of x f.
            case innerProduct = "inner_product"
            /// None: f itself predicts the noise.
            case noise
        }

        /// The form.
        public var kind: Kind
        /// What the form, or for ``Kind/noise`` the prediction, is multiplied by; above zero.
        public var scale: Double

        /// An energy of a form.
        public init(kind: Kind, scale: Double = 1) {
            self.kind = kind
            self.scale = scale
        }
    }

    /// The network's shape.
    public var architecture: Architecture
    /// From output to energy; nil for a classifier, and for nothing else.
    public var energy: Energy?
    /// The noise levels that the network was trained on.
    public var schedule: ScheduleDescription

    /// A description; nothing is checked here.
    public init(architecture: Architecture, energy: Energy?, schedule: ScheduleDescription) {
        self.architecture = architecture
        self.energy = energy
        self.schedule = schedule
    }
}

/// A named array of a network: one weight, bias or embedding.
public struct NetworkParameter: Sendable, Equatable {
    /// As model files call it, such as `blocks.0.hidden.weight`.
    public let name: String
    /// Row-major; weights of linear maps are [out, in].
    public let shape: [Int]
}

extension NetworkDescription.Architecture {
    /// Every parameter of the network, in the order in which it is used.
    public var parameters: [NetworkParameter] {
        let wide = widen * hidden
        var list = [NetworkParameter(name: "time_embedding.weight", shape: [levels, embedding])]
        if let conditions {
            list.append(NetworkParameter(name: "label_embedding.weight", shape: [conditions + 1, embedding]))
        }
        func linear(_ name: String, _ inputs: Int, _ outputs: Int) {
            list.append(NetworkParameter(name: name + ".weight", shape: [outputs, inputs]))
            list.append(NetworkParameter(name: name + ".bias", shape: [outputs]))
        }
        linear("input", dimension, hidden)
        for block in 0..<blocks {
            list.append(NetworkParameter(name: "blocks.\(block).norm.weight", shape: [hidden]))
            list.append(NetworkParameter(name: "blocks.\(block).norm.bias", shape: [hidden]))
            linear("blocks.\(block).hidden", hidden, wide)
            linear("blocks.\(block).time", embedding, wide)
            linear("blocks.\(block).inner", wide, wide)
            linear("blocks.\(block).output", wide, hidden)
        }
        linear("output", hidden, outputs)
        return list
    }
}
