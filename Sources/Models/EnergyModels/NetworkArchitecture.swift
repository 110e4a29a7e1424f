package import StrictJSON
import TensorGraph

extension NetworkDescription {
    /// The shape of a network: which numbers it is made of, and how they are joined.
    package enum Architecture: Sendable, Equatable {
        /// A residual network over points without a structure of their own.
        case residual(ResidualNetwork)
        /// A U-Net over images, or the half of one that classifies them.
        case unet(UNet)

        /// What a network gives for a point.
        package enum Kind: Sendable {
            /// f, as many numbers as the point has, of which an energy or a prediction of the noise is made.
            case energy
            /// Logits [classes], whose softmax is p(y | x, t), the probability of each label at a noised point.
            case classifier
        }

        /// A residual network; nothing is checked here.
        package init(
            kind: Kind = .energy, dimension: Int, hidden: Int, widen: Int, blocks: Int, embedding: Int, levels: Int,
            classes: Int? = nil
        ) {
            self = .residual(
                ResidualNetwork(
                    kind: kind, dimension: dimension, hidden: hidden, widen: widen, blocks: blocks,
                    embedding: embedding, levels: levels, classes: classes))
        }

        /// The names that model files have for architectures.
        package static let names = ["residual_mlp", "residual_mlp_classifier", "unet", "unet_classifier"]

        var form: any NetworkForm {
            switch self {
            case .residual(let network): network
            case .unet(let network): network
            }
        }
    }
}

/// What all architectures have in common.
protocol NetworkForm: Sendable {
    /// What it gives.
    var kind: NetworkDescription.Architecture.Kind { get }
    /// Its name in model files.
    var name: String { get }
    /// The shape of a point.
    var shape: PointShape { get }
    /// Noise levels that it knows: the schedule's.
    var levels: Int { get }
    /// Labels: those that a point may be conditioned on, or those that a classifier tells apart.
    var classes: Int? { get }
    /// Whether it knows what to do without a label.
    var isUsableWithoutLabel: Bool { get }
    /// Every parameter, in the order in which it is used.
    var parameters: [NetworkParameter] { get }
    /// Numbers in all parameters together.
    var parameterCount: Int { get }
    /// What a model file says of it beside its name.
    var members: [(String, JSONText)] { get }
    /// How many points are evaluated together at most.
    var mostRows: Int { get }

    /// Points [rows, dimension] as the network's layers take them.
    func arranged(_ points: Value) -> Value
    /// The converse: [rows, dimension].
    func points(_ arranged: Value) -> Value

    /// What the network gives for points that are evaluated together: as ``arranged(_:)`` gives them, or logits
    /// [rows, classes].
    ///
    /// - Parameters:
    ///   - parameters: in the order of ``parameters``.
    ///   - points: as ``arranged(_:)`` gives them.
    ///   - levels: indices of the noise level: one for all points, or one for each of equal groups of neighbours.
    ///   - labels: indices of the label likewise, for a network that takes them; the number of classes means none.
    func output(parameters: [Value], points: Value, levels: Value, labels: Value?) -> Value
}

extension NetworkDescription.Architecture {
    /// What it gives.
    package var kind: Kind { form.kind }
    /// Its name in model files.
    package var name: String { form.name }
    /// The shape of a point: [dimension], or [channels, height, width].
    package var shape: PointShape { form.shape }
    /// The number of coordinates of a point.
    package var dimension: Int { shape.dimension }
    /// Noise levels that it knows: the schedule's.
    package var levels: Int { form.levels }
    /// Labels, 0 to `classes` - 1: those that a point may be conditioned on, nil for an unconditional network; or
    /// those that a classifier tells apart, at least 2.
    package var classes: Int? { form.classes }
    /// Labels that a point may be conditioned on; nil for an unconditional network and for a classifier.
    package var conditions: Int? { kind == .energy ? classes : nil }
    /// Whether a point may have no label: the network takes none, or has learned to do without.
    package var isUsableWithoutLabel: Bool { form.isUsableWithoutLabel }
    /// Numbers that the network gives for a point.
    package var outputs: Int { kind == .energy ? dimension : classes ?? 0 }
    /// Every parameter of the network, in the order in which it is used.
    package var parameters: [NetworkParameter] { form.parameters }
    /// Numbers in all parameters together.
    package var parameterCount: Int { form.parameterCount }

    /// What a model file's `"architecture"` says.
    package var json: JSONText { .object([("kind", .string(name))] + form.members) }
}

/// A named array of a network: one weight, bias or embedding.
package struct NetworkParameter: Sendable, Equatable {
    /// As model files call it, such as `blocks.0.hidden.weight`.
    package let name: String
    /// Row-major; weights of linear maps are [out, in].
    package let shape: [Int]
}

extension Value {
    /// One row for each of `rows`, from one for each of equal groups of neighbours. One row for all of them stays
    /// as it is: arithmetic stretches it.
    func spread(over rows: Int) -> Value {
        let (groups, width) = (shape[0], shape[1])
        precondition(rows.isMultiple(of: groups), "\(groups) groups of \(rows) rows")
        guard groups > 1, groups < rows else { return self }
        return reshape([groups, 1, width]).broadcast(to: [groups, rows / groups, width]).reshape([rows, width])
    }
}
