public import StrictJSON

/// Reads a network's shape number by number, so that one reading names what is wrong in each.
public struct ArchitectureDecoder: JSONSectionDecoder {
    /// More numbers than any network that fits a worker: 8 GiB of them.
    private static let mostParameters = 1 << 31

    /// What was wrong so far.
    public var problems: [JSONProblem] = []
    /// What stands for what is left out; nil where nothing may be.
    private let usual: NetworkDescription.Architecture?

    /// - Parameter usual: what stands for what is left out, but for classes; nil where nothing may be.
    public init(usual: NetworkDescription.Architecture? = nil) { self.usual = usual }

    /// The shape, its numbers each in its range; nil if something is wrong, which is then among the problems.
    public mutating func decode(_ field: JSONField) -> NetworkDescription.Architecture? {
        let wish = "a network's shape"
        guard let members = attempt({ () throws(JSONProblem) in try field.members(wish) }) else { return nil }
        let keys = ["kind", "dimension", "hidden", "widen", "blocks", "embedding", "levels", "classes"]
        _ = attempt { () throws(JSONProblem) in try field.members(wish, allowed: keys) }
        let standard = usual
        let kind = attempt { () throws(JSONProblem) -> NetworkDescription.Architecture.Kind in
            if members["kind"] == nil, let standard { return standard.kind }
            return try members.required("kind", "\"residual_mlp\"").choice(
                NetworkDescription.Architecture.Kind.self, "architecture")
        }
        let dimension = number("dimension", 1...4096, members, usual?.dimension)
        let hidden = number("hidden", 1...16_384, members, usual?.hidden)
        let widen = number("widen", 1...64, members, usual?.widen)
        let blocks = number("blocks", 0...1024, members, usual?.blocks)
        let embedding = number("embedding", 1...16_384, members, usual?.embedding)
        let levels = number("levels", 1...65_535, members, usual?.levels)
        let classes = attempt { () throws(JSONProblem) -> Int? in
            switch kind {
            case .energy: try members["classes"]?.integer(1...1 << 20)
            case .classifier: try members.required("classes", "how many labels it tells apart").integer(2...1 << 20)
            case nil: nil
            }
        }
        guard let kind, let dimension, let hidden, let widen, let blocks, let embedding, let levels, let classes
        else { return nil }
        let architecture = NetworkDescription.Architecture(
            kind: kind, dimension: dimension, hidden: hidden, widen: widen, blocks: blocks, embedding: embedding,
            levels: levels, classes: classes)
        // Each factor is small enough for the sum not to overflow.
        guard architecture.parameterCount <= Self.mostParameters else {
            problems.append(
                field.problem(
                    "has \(architecture.parameterCount) parameters; at most \(Self.mostParameters) are possible"))
            return nil
        }
        return architecture
    }

    private mutating func number(
        _ name: String, _ range: ClosedRange<Int>, _ members: JSONMembers, _ usual: Int?
    ) -> Int? {
        attempt { () throws(JSONProblem) -> Int in
            if members[name] == nil, let usual { return usual }
            return try members.required(name, "a whole number").integer(range)
        }
    }
}
