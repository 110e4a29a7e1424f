package import StrictJSON

/// Reads a network's shape number by number, so that one reading names what is wrong in each.
package struct ArchitectureDecoder: JSONSectionDecoder {
    /// More numbers than any network that fits a worker: 8 GiB of them.
    static let mostParameters = 1 << 31

    /// What was wrong so far.
    package var problems: [JSONProblem] = []
    /// What stands for what is left out; nil where nothing may be.
    private let usual: ResidualNetwork?

    /// - Parameter usual: what stands for what is left out of a residual network, but for classes; nil where nothing
    ///   may be.
    package init(usual: ResidualNetwork? = nil) { self.usual = usual }

    /// The shape, its numbers each in its range; nil if something is wrong, which is then among the problems.
    package mutating func decode(_ field: JSONField) -> NetworkDescription.Architecture? {
        guard let members = attempt({ () throws(JSONProblem) in try field.members("a network's shape") }) else {
            return nil
        }
        let (hasUsual, names) = (usual != nil, NetworkDescription.Architecture.names)
        let name = attempt { () throws(JSONProblem) -> String in
            if members["kind"] == nil, hasUsual { return names[0] }
            return try members.required("kind", "\"\(names[0])\"").choice(names, "architecture")
        }
        let kind = name?.hasSuffix("_classifier") == true ? NetworkDescription.Architecture.Kind.classifier : .energy
        let architecture: NetworkDescription.Architecture?
        if name?.hasPrefix("unet") == true {
            var decoder = UNetDecoder(kind: kind, members: members)
            architecture = decoder.decode().map { .unet($0) }
            problems += decoder.problems
        } else {
            architecture = residual(name.map { _ in kind }, members)
        }
        // Each factor is small enough for the sum not to overflow.
        guard let architecture, architecture.parameterCount > Self.mostParameters else { return architecture }
        problems.append(
            field.problem("has \(architecture.parameterCount) parameters; at most \(Self.mostParameters) are possible"))
        return nil
    }

    /// - Parameter kind: nil if it is not known, which is among the problems then.
    private mutating func residual(
        _ kind: NetworkDescription.Architecture.Kind?, _ members: JSONMembers
    ) -> NetworkDescription.Architecture? {
        refuse(
            members, beside: ["kind", "dimension", "hidden", "widen", "blocks", "embedding", "levels", "classes"])
        let dimension = number("dimension", 1...4096, members, usual?.dimension)
        let hidden = number("hidden", 1...16_384, members, usual?.hidden)
        let widen = number("widen", 1...64, members, usual?.widen)
        let blocks = number("blocks", 0...1024, members, usual?.blocks)
        let embedding = number("embedding", 1...16_384, members, usual?.embedding)
        let levels = number("levels", 1...65_535, members, usual?.levels)
        let classes = attempt { () throws(JSONProblem) in
            try kind.map { kind throws(JSONProblem) in try members.classes(kind) } ?? nil
        }
        guard let kind, let dimension, let hidden, let widen, let blocks, let embedding, let levels, let classes
        else { return nil }
        return NetworkDescription.Architecture(
            kind: kind, dimension: dimension, hidden: hidden, widen: widen, blocks: blocks, embedding: embedding,
            levels: levels, classes: classes)
    }
}

extension JSONSectionDecoder {
    /// Takes the first member of another name than those of a network's shape for a problem.
    mutating func refuse(_ members: JSONMembers, beside known: [String]) {
        _ = attempt { () throws(JSONProblem) in try members.owner.members("a network's shape", allowed: known) }
    }

    /// A whole number in a range, or what stands for it if it is left out.
    mutating func number(_ name: String, _ range: ClosedRange<Int>, _ members: JSONMembers, _ usual: Int? = nil) -> Int?
    {
        attempt { () throws(JSONProblem) -> Int in
            if members[name] == nil, let usual { return usual }
            return try members.required(name, "a whole number").integer(range)
        }
    }
}

extension JSONMembers {
    /// How many labels a network knows.
    func classes(_ kind: NetworkDescription.Architecture.Kind) throws(JSONProblem) -> Int? {
        switch kind {
        case .energy: try self["classes"]?.integer(1...1 << 20)
        case .classifier: try required("classes", "how many labels it tells apart").integer(2...1 << 20)
        }
    }
}
