/// Compiles the rates of a plan one after the other.
struct PlanCompiler {
    let graph: Graph
    let needed: [Int]
    let indexInputs: [EvaluationPlan.IndexInput]
    private(set) var places: [Int: MemoryAddress] = [:]
    /// Numbers in each region.
    private(set) var counts: [Rate: Int] = [:]
    private let outputs: Set<Int>
    let sums: StoredSums
    let normed: NormedSources
    private let inputs: [Int]
    private(set) var indexOffsets: [Int: Int] = [:]
    /// Right-hand sides of products that change less often than the products, and are packed when they do.
    private var packings: [Packing] = []

    /// A matrix packed for ``PackedProduct``, or weights for ``ConvolutionProduct``.
    struct Packing: Equatable {
        enum Kind: Hashable {
            case matrix(inner: Int, columns: Int, transposed: Bool)
            case convolution(Convolution, ConvolutionProduct.Direction)

            /// Numbers that it takes.
            var count: Int {
                switch self {
                case .matrix(let inner, let columns, _): PackedMatrix.count(inner: inner, columns: columns)
                case .convolution(let convolution, let direction):
                    ConvolutionProduct.packedCount(convolution, direction)
                }
            }
        }

        let source: Int
        let rate: Rate
        let kind: Kind
    }

    /// - Parameters:
    ///   - inputs: nodes that are set from outside.
    ///   - outputs: nodes whose arrays are read from outside.
    init(graph: Graph, inputs: [Int], outputs: [Int]) {
        self.graph = graph
        let needed = graph.needed(for: outputs)
        self.needed = needed
        self.outputs = Set(outputs.map(graph.source))
        sums = StoredSums(graph, needed: needed, outputs: self.outputs)
        normed = NormedSources(graph, needed: needed, outputs: self.outputs)
        self.inputs = inputs
        for index in needed where [.input, .indices].contains(graph.nodes[index].operation) {
            precondition(inputs.contains(index), "an output depends on an input that is not listed")
        }
        var offset = 0
        var indexInputs: [EvaluationPlan.IndexInput] = []
        for input in inputs where graph.nodes[input].operation == .indices {
            let tables = needed.compactMap { index -> Int? in
                let node = graph.nodes[index]
                guard node.operands.count == 2, node.operands[1] == input else { return nil }
                return node.operation == .gather ? graph.nodes[node.operands[0]].shape[0] : node.shape[0]
            }
            let count = graph.nodes[input].shape[0]
            indexOffsets[input] = offset
            indexInputs.append(EvaluationPlan.IndexInput(offset: offset, count: count, limit: tables.min() ?? .max))
            offset += count
        }
        self.indexInputs = indexInputs
        for index in needed {
            guard let packing = packing(index), !packings.contains(packing) else { continue }
            packings.append(packing)
        }
    }

    /// Gives a place to each array that nodes of other rates, or the caller, read of fixed tensors.
    ///
    /// - Returns: the arrays, in the order in which places count them.
    mutating func placeConstants() -> [FoldedArray] {
        var arrays: [FoldedArray] = []
        func isConstant(_ index: Int) -> Bool {
            graph.nodes[index].rate == .constant
        }
        for packing in packings where packing.rate == .constant {
            places[number(packing)] = MemoryAddress(foldedArray: arrays.count)
            arrays.append(FoldedArray(source: packing.source, packing: packing.kind))
        }
        var plain = outputs.filter(isConstant)
        for index in needed where !isConstant(index) && graph.nodes[index].operation != .reshape {
            let packed = packing(index)
            for (position, operand) in graph.nodes[index].operands.enumerated() where isConstant(operand) {
                if position != 1 || packed == nil { plain.insert(graph.source(operand)) }
            }
        }
        for source in plain.sorted() {
            places[source] = MemoryAddress(foldedArray: arrays.count)
            arrays.append(FoldedArray(source: source, packing: nil))
        }
        return arrays
    }

    /// The packing of a product's right-hand side or of a convolution's weights, if it is worth one.
    func packing(_ index: Int) -> Packing? {
        let node = graph.nodes[index]
        guard node.operands.count == 2, let kind = packingKind(node), graph.nodes[node.operands[1]].rate < node.rate
        else { return nil }
        return Packing(source: graph.source(node.operands[1]), rate: graph.nodes[node.operands[1]].rate, kind: kind)
    }

    private func packingKind(_ node: Graph.Node) -> Packing.Kind? {
        let right = graph.nodes[node.operands[1]]
        switch node.operation {
        case .matrixMultiply(_, let transposed) where node.shape.count == 2:
            return .matrix(inner: right.shape[transposed ? 1 : 0], columns: node.shape[1], transposed: transposed)
        case .convolution(let convolution): return .convolution(convolution, .toOutput)
        case .convolutionToInput(let convolution): return .convolution(convolution, .toInput)
        default: return nil
        }
    }

    /// What stands for a packed array among the nodes with a place.
    func number(_ packing: Packing) -> Int { graph.nodes.count + (packings.firstIndex(of: packing) ?? 0) }

    /// What stands for a node's scratch memory among the nodes with a place.
    func workspace(_ index: Int) -> Int { graph.nodes.count + packings.count + index }

    /// What stands for the statistics that a norm leaves for its gradient.
    func statistics(_ index: Int) -> Int { 2 * graph.nodes.count + packings.count + index }

    /// Numbers of scratch memory that a node takes while it is computed: what it packs itself comes first.
    private func workspaceCount(_ index: Int) -> Int {
        let node = graph.nodes[index]
        let packs = packing(index) == nil
        switch node.operation {
        case .matrixMultiply(_, let transposed):
            guard packs, let right = node.operands.last.map({ graph.nodes[$0].shape.suffix(2) }) else { return 0 }
            let (rows, columns) = (right.first ?? 0, right.last ?? 0)
            return PackedMatrix.count(inner: transposed ? columns : rows, columns: transposed ? rows : columns)
        case .convolution(let convolution): return workspaceCount(convolution, .toOutput, packs: packs)
        case .convolutionToInput(let convolution): return workspaceCount(convolution, .toInput, packs: packs)
        case .convolutionToWeights(let convolution): return ConvolutionToWeights.workspaceCount(convolution)
        case .groupNorm(let norm), .groupNormToInput(let norm):
            return Normalization.workspaceCount(norm, node.shape)
        default: return 0
        }
    }

    private func workspaceCount(
        _ convolution: Convolution, _ direction: ConvolutionProduct.Direction, packs: Bool
    ) -> Int {
        ConvolutionProduct.workspaceCount(convolution, direction)
            + (packs ? ConvolutionProduct.packedCount(convolution, direction) : 0)
    }

    func array(_ value: Value) -> EvaluationPlan.Input {
        guard let place = places[graph.source(value.index)] else { preconditionFailure("an array without a place") }
        return EvaluationPlan.Input(place: place, count: value.shape.elementCount)
    }

    /// Schedules the nodes of a rate, places their arrays and makes their instructions.
    mutating func compile(_ rate: Rate) -> [Instruction] {
        let steps = Schedule(graph, rate: rate, needed: needed, sums: sums, normed: normed, outputs: outputs).steps
        let stored = place(steps, rate)
        return steps.flatMap { step -> [Instruction] in
            switch step {
            case .loop(let space, let members):
                [
                    .loop(
                        FusedLoop(graph, space: space, members: members, stored: stored) { [places] index in
                            guard let place = places[index] else { preconditionFailure("an array without a place") }
                            return place
                        })
                ]
            case .single(let index): instructions(index)
            }
        }
            + packings.filter { $0.rate == rate }.map {
                pack($0.kind, from: place($0.source), to: place(number($0)))
            }
    }

    func pack(_ kind: Packing.Kind, from source: MemoryAddress, to result: MemoryAddress) -> Instruction {
        switch kind {
        case .matrix(let inner, let columns, let transposed):
            .pack(
                PackedMatrix(inner: inner, columns: columns, transposed: transposed, source: source, result: result))
        case .convolution(let convolution, let direction):
            .packConvolution(
                PackedConvolution(convolution: convolution, direction: direction, source: source, result: result))
        }
    }

    /// Gives a place to every array of a rate that more than one step touches.
    ///
    /// - Returns: the nodes whose arrays are in memory.
    private mutating func place(_ steps: [Step], _ rate: Rate) -> Set<Int> {
        let home = steps.homes(sums, normed)
        var lives: [Int: ClosedRange<Int>] = [:]
        func touch(_ source: Int, until last: Int) {
            let first = home[source] ?? 0
            let previous = lives[source]?.upperBound ?? first
            lives[source] = first...max(previous, last)
        }
        for index in needed where graph.nodes[index].rate == rate {
            switch graph.nodes[index].operation {
            case .input, .constant, .parameter: touch(index, until: graph.nodes[index].operation == .input ? .max : 0)
            default: if graph.nodes[index].isReduction { touch(index, until: home[index] ?? 0) }
            }
            if outputs.contains(index) { touch(index, until: .max) }
        }
        for index in inputs where graph.nodes[index].rate == rate && graph.nodes[index].operation == .input {
            touch(index, until: .max)
        }
        for index in needed where graph.nodes[index].operation != .reshape {
            let packed = packing(index)
            for (position, operand) in graph.nodes[index].operands.enumerated() {
                let source = graph.source(operand)
                guard graph.nodes[source].rate == rate, graph.nodes[source].operation != .indices,
                    sums.ends[source] == nil, normed.convolutions[source] == nil
                else { continue }
                guard graph.nodes[index].rate == rate, let step = home[index] else {
                    // A matrix is packed after the last step, and not read in its own form again.
                    touch(source, until: position == 1 && packed != nil ? steps.count : .max)
                    continue
                }
                // Within a loop numbers are handed on in registers.
                if home[source] != step || source != operand { touch(source, until: step) }
            }
        }
        let packed = packings.filter { $0.rate == rate }.map {
            MemoryPlan.Need(node: number($0), count: $0.kind.count, life: steps.count...Int.max)
        }
        let workspaces = home.sorted { $0.key < $1.key }.compactMap { index, step -> MemoryPlan.Need? in
            let count = workspaceCount(index)
            return count > 0 ? MemoryPlan.Need(node: workspace(index), count: count, life: step...step) : nil
        }
        let memory = MemoryPlan(
            lives.map { .init(node: $0.key, count: graph.nodes[$0.key].shape.elementCount, life: $0.value) } + packed
                + workspaces + statistics(home))
        for (node, offset) in memory.offsets { places[node] = MemoryAddress(rate, offset: offset) }
        counts[rate] = memory.count
        return Set(lives.keys)
    }

    /// What norms leave for their gradients, from the step of the one to that of the other.
    private func statistics(_ home: [Int: Int]) -> [MemoryPlan.Need] {
        var lives: [Int: ClosedRange<Int>] = [:]
        for (gradient, norm) in normed.measured {
            guard let first = home[norm], let last = home[gradient] else { continue }
            lives[norm] = first...max(last, lives[norm]?.upperBound ?? last)
        }
        return lives.map { norm, life in
            .init(
                node: statistics(norm), count: Normalization.statisticsCount(graph.nodes[norm].shape), life: life)
        }
    }

    func place(_ index: Int) -> MemoryAddress {
        guard let place = places[index < graph.nodes.count ? graph.source(index) : index] else {
            preconditionFailure("an array without a place")
        }
        return place
    }
}
