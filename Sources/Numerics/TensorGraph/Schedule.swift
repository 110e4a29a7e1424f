/// A part of a plan that runs as one: a fused loop over elementwise operations and reductions, or any
/// other operation alone.
enum Step {
    /// Members, in an order in which each follows its operands, over one iteration space.
    case loop(space: [Int], members: [Int])
    case single(Int)

    var members: [Int] {
        switch self {
        case .loop(_, let members): members
        case .single(let node): [node]
        }
    }
}

extension [Step] {
    /// The step that computes each node, be it by itself or as a part of another's.
    func homes(_ sums: StoredSums, _ normed: NormedSources) -> [Int: Int] {
        var homes: [Int: Int] = [:]
        for (number, step) in enumerated() {
            for member in step.members { homes[member] = number }
        }
        for (part, end) in sums.ends { homes[part] = homes[end] }
        for (norm, convolution) in normed.convolutions { homes[norm] = homes[convolution] }
        return homes
    }
}

/// The order in which the nodes of one rate are computed.
///
/// Nodes are taken as they were written down. An elementwise operation or a reduction joins the first
/// loop over its iteration space that does not run before its operands are there, so a chain of them
/// becomes a single pass; in particular a derivative is computed where its argument still is in cache. A loop that has
/// grown to what the interpreter of loops can hold takes no more.
struct Schedule {
    var steps: [Step] = []
    let graph: Graph
    private let rate: Rate
    /// The step that computes a node.
    private var place: [Int: Int] = [:]
    /// By step, what a loop's members are and read.
    private var touched: [Int: Set<Int>] = [:]

    /// - Parameters:
    ///   - needed: ascending nodes of any rate; those of `rate` are scheduled.
    ///   - sums: additions that are steps of their own, by the kernels of what they add to.
    ///   - normed: norms that are part of other steps.
    ///   - outputs: nodes whose arrays are read when the plan has run.
    init(
        _ graph: Graph, rate: Rate, needed: [Int], sums: StoredSums, normed: NormedSources, outputs: Set<Int>
    ) {
        self.graph = graph
        self.rate = rate
        for index in needed where graph.nodes[index].rate == rate && sums.ends[index] == nil {
            guard normed.convolutions[index] == nil else { continue }
            switch graph.nodes[index].operation {
            case _ where sums.sums[index] != nil:
                place[index] = steps.count
                steps.append(.single(index))
            case .input, .indices, .constant, .parameter, .reshape: continue
            case .elementwise, .broadcast, .stopGradient, .reduce: join(index)
            default:
                place[index] = steps.count
                steps.append(.single(index))
            }
        }
        deferMembers(needed: needed, sums: sums, normed: normed, outputs: outputs)
    }

    private mutating func join(_ index: Int) {
        let space = graph.space(index)
        let earliest = graph.nodes[index].operands.map { after($0, in: space) }.max() ?? 0
        for step in earliest..<max(earliest, steps.count) {
            guard case .loop(space, let members) = steps[step], take(index, into: step) else { continue }
            steps[step] = .loop(space: space, members: members + [index])
            place[index] = step
            return
        }
        place[index] = steps.count
        _ = take(index, into: steps.count)
        steps.append(.loop(space: space, members: [index]))
    }

    /// Counts a node and its operands among what a loop touches.
    ///
    /// - Returns: false, without doing so, if the loop has no room for them.
    mutating func take(_ index: Int, into step: Int) -> Bool {
        let union = touched[step, default: []].union([index] + graph.nodes[index].operands)
        guard union.count <= FusedLoop.capacity else { return false }
        touched[step] = union
        return true
    }

    /// The first step that can read an operand: the very loop that computes it, if that is over the
    /// same space and hands the number on, or the step after.
    private func after(_ operand: Int, in space: [Int]) -> Int {
        let source = graph.source(operand)
        guard let step = place[source] else { return 0 }
        guard source == operand, case .loop(space, _) = steps[step], !graph.nodes[source].isReduction else {
            return step + 1
        }
        return step
    }
}

extension Graph.Node {
    var isReduction: Bool {
        if case .reduce = operation { true } else { false }
    }
}

extension Graph {
    /// What a fused node is computed over: its own shape, or that of what it reduces.
    func space(_ index: Int) -> [Int] {
        nodes[index].isReduction ? nodes[nodes[index].operands[0]].shape : nodes[index].shape
    }

    /// The node whose memory holds a node's numbers: a reshape has none of its own.
    func source(_ index: Int) -> Int {
        nodes[index].operation == .reshape ? source(nodes[index].operands[0]) : index
    }

    /// The nodes that the given ones depend on, and they themselves, ascending.
    func needed(for outputs: [Int]) -> [Int] {
        var needed = Set(outputs)
        var waiting = outputs
        while let index = waiting.popLast() {
            for operand in nodes[index].operands where needed.insert(operand).inserted { waiting.append(operand) }
        }
        return needed.sorted()
    }
}
