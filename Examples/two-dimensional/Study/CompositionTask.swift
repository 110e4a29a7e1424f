import StrictJSON

/// A composition of two distributions in the plane.
enum CompositionTask: String, CaseIterable, Sendable {
    /// A ring of eight Gaussians AND a bar, which leaves two of the Gaussians.
    case product
    /// One bar OR another.
    case mixture
    /// A square BUT NOT a smaller one in its middle: the first to the power 1.3 times the second to the power -0.3.
    case negation

    /// A distribution that a task is composed of.
    struct Part {
        /// As the job calls it.
        let name: String
        /// Its exact density, as a job describes a model.
        let exact: JSONText
        /// The model file of the network that was trained on it, without its ending.
        let network: String
    }

    /// The centres of the ring's Gaussians, 0.5 (cos 2 pi i / 8, sin 2 pi i / 8).
    static let ringCentres: [Point] = {
        let diagonal = 0.125.squareRoot()
        return [
            Point(x: 0.5, y: 0), Point(x: diagonal, y: diagonal), Point(x: 0, y: 0.5), Point(x: -diagonal, y: diagonal),
            Point(x: -0.5, y: 0), Point(x: -diagonal, y: -diagonal), Point(x: 0, y: -0.5),
            Point(x: diagonal, y: -diagonal),
        ]
    }()
    /// The standard deviation of each along each axis.
    static let ringDeviation = 0.03
    static let bar = Rectangle(x: -0.2...0.2, y: -1...1)
    static let leftBar = Rectangle(x: -0.3 ... -0.1, y: -1...1)
    static let rightBar = Rectangle(x: 0.1...0.3, y: -1...1)
    static let outerSquare = Rectangle(x: -0.7...0.7, y: -0.7...0.7)
    static let innerSquare = Rectangle(x: -0.3...0.3, y: -0.3...0.3)

    var parts: [Part] {
        switch self {
        case .product:
            let ring = JSONText.object([
                ("kind", .string("gaussian_mixture")),
                ("means", .array(Self.ringCentres.map { .array([.number($0.x), .number($0.y)]) })),
                ("std", .number(Self.ringDeviation)),
            ])
            return [
                Part(name: "ring", exact: ring, network: "eight-gaussians"),
                Part(name: "bar", exact: Self.bar.model, network: "bar"),
            ]
        case .mixture:
            return [
                Part(name: "left", exact: Self.leftBar.model, network: "left-bar"),
                Part(name: "right", exact: Self.rightBar.model, network: "right-bar"),
            ]
        case .negation:
            return [
                Part(name: "outer", exact: Self.outerSquare.model, network: "large-box"),
                Part(name: "inner", exact: Self.innerSquare.model, network: "small-box"),
            ]
        }
    }

    /// The target of a job over the parts' names.
    var target: JSONText {
        let names = JSONText.array(parts.map { .string($0.name) })
        switch self {
        case .product: return .object([("product", names)])
        case .mixture: return .object([("mixture", names)])
        case .negation: return .object([("product", names), ("weights", .array([.number(1.3), .number(-0.3)]))])
        }
    }

    /// What is said above a table or a picture.
    var title: String {
        switch self {
        case .product: "Product: ring and bar"
        case .mixture: "Mixture: left or right bar"
        case .negation: "Negation: square but not its middle"
        }
    }
}
