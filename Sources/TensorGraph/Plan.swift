import CVectorMath

/// A graph compiled for running: constants folded, the steps of each rate in order, elementwise chains
/// fused, every array placed in memory. Plans are values that threads share; each thread runs a plan
/// with an ``Execution`` of its own.
public struct Plan: Sendable {
    struct Input: Sendable {
        let place: Place
        let count: Int
    }

    struct IndexInput: Sendable {
        let offset: Int
        let count: Int
        /// Indices stay below it: the rows of the smallest table that they gather from.
        let limit: Int
    }

    let inputs: [Input]
    let indexInputs: [IndexInput]
    let outputs: [Input]
    let levelSteps: [Instruction]
    let evaluationSteps: [Instruction]
    /// What it reads of fixed tensors: the graph's, which all of its plans share.
    let constants: [ConstantMemory]
    let levelCount: Int
    let evaluationCount: Int
    let indexCount: Int
    let registers: Int

    /// Numbers in the memory of its own that an ``Execution`` makes.
    public var numbers: Int { levelCount + evaluationCount + indexCount + registers * Int(RRR_STRIP) }

    /// Compiles what `outputs` depend on.
    ///
    /// - Parameters:
    ///   - inputs: the graph's inputs and indices, in the order in which an execution counts them, each kind
    ///     from 0; all that the outputs depend on must be there.
    ///   - outputs: what is computed, in the order in which an execution counts them.
    public init(inputs: [Value], outputs: [Value]) {
        self.init(inputs: inputs, outputs: outputs) { _ in preconditionFailure("a graph with parameters") }
    }

    /// Compiles what `outputs` depend on, in a graph with parameters.
    ///
    /// - Parameters:
    ///   - inputs: as before.
    ///   - outputs: as before.
    ///   - parameters: gives the numbers of ``Graph/parameter(_:shape:)``, row-major. It is asked for those that an
    ///     array is made of which no earlier plan of the same graph had, once for each such array: of those that are
    ///     only packed nothing but the packed forms is kept.
    /// - Throws: what `parameters` throws.
    public init<Failure: Error>(
        inputs: [Value], outputs: [Value], parameters: (Int) throws(Failure) -> [Float]
    ) throws(Failure) {
        let graph = outputs[0].graph
        var compiler = PlanCompiler(graph: graph, inputs: inputs.map(\.index), outputs: outputs.map(\.index))
        var constants: [ConstantMemory] = []
        for array in compiler.placeConstants() { constants.append(try graph.fold(array, parameters: parameters)) }
        self.constants = constants
        levelSteps = compiler.compile(.level)
        evaluationSteps = compiler.compile(.evaluation)
        self.inputs = inputs.filter { $0.node.operation == .input }.map(compiler.array)
        self.outputs = outputs.map(compiler.array)
        indexInputs = compiler.indexInputs
        (levelCount, evaluationCount) = (compiler.counts[.level] ?? 0, compiler.counts[.evaluation] ?? 0)
        indexCount = indexInputs.reduce(0) { $0 + $1.count }
        registers = (levelSteps + evaluationSteps).map(\.registers).max() ?? 0
    }
}

extension Instruction {
    var registers: Int {
        if case .loop(let loop) = self { loop.registers } else { 0 }
    }
}

/// Compiles the rates of a plan one after the other.
struct PlanCompiler {
    let graph: Graph
    let needed: [Int]
    let indexInputs: [Plan.IndexInput]
    private(set) var places: [Int: Place] = [:]
    /// Numbers in each region.
    private(set) var counts: [Rate: Int] = [:]
    private let outputs: Set<Int>
    private let sums: StoredSums
    private let inputs: [Int]
    private var indexOffsets: [Int: Int] = [:]
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
        self.inputs = inputs
        for index in needed where [.input, .indices].contains(graph.nodes[index].operation) {
            precondition(inputs.contains(index), "an output depends on an input that is not listed")
        }
        var offset = 0
        var indexInputs: [Plan.IndexInput] = []
        for input in inputs where graph.nodes[input].operation == .indices {
            let tables = needed.compactMap { index -> Int? in
                let node = graph.nodes[index]
                guard node.operands.count == 2, node.operands[1] == input else { return nil }
                return node.operation == .gather ? graph.nodes[node.operands[0]].shape[0] : node.shape[0]
            }
            let count = graph.nodes[input].shape[0]
            indexOffsets[input] = offset
            indexInputs.append(Plan.IndexInput(offset: offset, count: count, limit: tables.min() ?? .max))
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
            places[number(packing)] = Place(foldedArray: arrays.count)
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
            places[source] = Place(foldedArray: arrays.count)
            arrays.append(FoldedArray(source: source, packing: nil))
        }
        return arrays
    }

    /// The packing of a product's right-hand side or of a convolution's weights, if it is worth one.
    private func packing(_ index: Int) -> Packing? {
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
    private func number(_ packing: Packing) -> Int { graph.nodes.count + (packings.firstIndex(of: packing) ?? 0) }

    /// What stands for a node's scratch memory among the nodes with a place.
    private func workspace(_ index: Int) -> Int { graph.nodes.count + packings.count + index }

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
            return GroupNormPass.workspaceCount(norm, node.shape)
        default: return 0
        }
    }

    private func workspaceCount(
        _ convolution: Convolution, _ direction: ConvolutionProduct.Direction, packs: Bool
    ) -> Int {
        ConvolutionProduct.workspaceCount(convolution, direction)
            + (packs ? ConvolutionProduct.packedCount(convolution, direction) : 0)
    }

    func array(_ value: Value) -> Plan.Input {
        guard let place = places[graph.source(value.index)] else { preconditionFailure("an array without a place") }
        return Plan.Input(place: place, count: value.shape.elementCount)
    }

    /// Schedules the nodes of a rate, places their arrays and makes their instructions.
    mutating func compile(_ rate: Rate) -> [Instruction] {
        let steps = Schedule(graph, rate: rate, needed: needed, sums: sums, outputs: outputs).steps
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

    func pack(_ kind: Packing.Kind, from source: Place, to result: Place) -> Instruction {
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
        var home: [Int: Int] = [:]
        for (number, step) in steps.enumerated() {
            for member in step.members { home[member] = number }
        }
        for (part, end) in sums.ends { home[part] = home[end] }
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
                    sums.ends[source] == nil
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
                + workspaces)
        for (node, offset) in memory.offsets { places[node] = Place(rate, offset: offset) }
        counts[rate] = memory.count
        return Set(lives.keys)
    }

    func place(_ index: Int) -> Place {
        guard let place = places[index < graph.nodes.count ? graph.source(index) : index] else {
            preconditionFailure("an array without a place")
        }
        return place
    }

    /// The instructions of an operation that is not fused.
    private func instructions(_ end: Int) -> [Instruction] {
        let sum = sums.sums[end]
        let index = sum?.kernel ?? end
        let node = graph.nodes[index]
        let shapes = node.operands.map { graph.nodes[$0].shape }
        switch node.operation {
        case .matrixMultiply(let transposeLeft, let transposeRight):
            let rank = node.shape.count
            let inner = shapes[0][transposeLeft ? rank - 2 : rank - 1]
            if let packing = packing(index) {
                return [
                    .multiplyPacked(
                        PackedProduct(
                            rows: node.shape[0], inner: inner, columns: node.shape[1], transposeLeft: transposeLeft,
                            left: place(node.operands[0]), right: place(number(packing)), result: place(index)))
                ]
            }
            return [
                .multiply(
                    MatrixProduct(
                        count: node.shape.dropLast(2).reduce(1, *), rows: node.shape[rank - 2], inner: inner,
                        columns: node.shape[rank - 1], transposeLeft: transposeLeft, transposeRight: transposeRight,
                        left: place(node.operands[0]), right: place(node.operands[1]), result: place(index),
                        workspace: place(workspace(index))))
            ]
        case .convolution(let convolution):
            return convolve(index, convolution, .toOutput, sum, into: end)
        case .convolutionToInput(let convolution):
            return convolve(index, convolution, .toInput, sum, into: end)
        case .convolutionToWeights(let convolution):
            return [
                .convolveToWeights(
                    ConvolutionToWeights(
                        convolution: convolution, images: shapes[0][0], input: place(node.operands[0]),
                        output: place(node.operands[1]), result: place(index), workspace: place(workspace(index))))
            ]
        case .groupNorm(let norm): return [.groupNorm(groupNorm(index, norm))]
        case .groupNormToInput(let norm): return [.groupNorm(groupNormToInput(index, norm, sum, into: end))]
        case .spread(let scale), .pool(let scale):
            let enlarges = node.shape[1] > shapes[0][1]
            return [
                .resample(
                    Resampling(
                        enlarges: enlarges, scale: scale, shape: enlarges ? shapes[0] : node.shape,
                        source: place(node.operands[0]), result: place(index)))
            ]
        case .transpose(let order):
            let strides = shapes[0].strides
            return [
                .copy(
                    StridedCopy(
                        lengths: node.shape, from: (place(node.operands[0]), order.map { strides[$0] }),
                        to: (place(index), node.shape.strides)))
            ]
        case .slice(let axis, let start):
            return [copy(node.operands[0], shapes[0], axis, start, into: index, node.shape, at: 0, lengths: node.shape)]
        case .concatenate(let axis):
            var start = 0
            return zip(node.operands, shapes).map { operand, shape in
                defer { start += shape[axis] }
                return copy(operand, shape, axis, 0, into: index, node.shape, at: start, lengths: shape)
            }
        case .gather:
            return [
                .gather(
                    RowTransfer(
                        table: place(node.operands[0]), list: place(index),
                        indices: indexOffsets[node.operands[1]] ?? 0,
                        count: node.shape[0], tableRows: shapes[0][0], width: node.shape[1]))
            ]
        case .scatterSum:
            return [
                .scatterSum(
                    RowTransfer(
                        table: place(index), list: place(node.operands[0]),
                        indices: indexOffsets[node.operands[1]] ?? 0,
                        count: shapes[0][0], tableRows: node.shape[0], width: node.shape[1]))
            ]
        case .input, .indices, .constant, .parameter, .elementwise, .broadcast, .stopGradient, .reduce, .reshape:
            return []
        }
    }

    private func convolve(
        _ index: Int, _ convolution: Convolution, _ direction: ConvolutionProduct.Direction, _ sum: StoredSums.Sum?,
        into result: Int
    ) -> [Instruction] {
        let node = graph.nodes[index]
        var workspace = place(workspace(index))
        var weights = workspace
        var steps: [Instruction] = []
        if let packing = packing(index) {
            weights = place(number(packing))
        } else {
            steps = [pack(.convolution(convolution, direction), from: place(node.operands[1]), to: weights)]
            workspace = Place(
                region: workspace.region,
                offset: workspace.offset + ConvolutionProduct.packedCount(convolution, direction))
        }
        return steps + [
            .convolve(
                ConvolutionProduct(
                    convolution: convolution, direction: direction, images: node.shape[0],
                    source: place(node.operands[0]), weights: weights,
                    channelAddends: (sum?.channels ?? []).map { addend in
                        .init(place: place(addend), varies: varies(addend, node.shape))
                    }, addend: sum?.numbers.map(place), result: place(result), workspace: workspace))
        ]
    }

    /// Whether each image has numbers of its own.
    private func varies(_ channels: Int, _ images: [Int]) -> Bool {
        graph.nodes[channels].shape.elementCount > images[3]
    }

    private func groupNorm(_ index: Int, _ norm: GroupNorm) -> GroupNormPass {
        let node = graph.nodes[index]
        return GroupNormPass(
            norm: norm, shape: node.shape, weightsVary: varies(node.operands[1], node.shape),
            biasesVary: varies(node.operands[2], node.shape), input: place(node.operands[0]),
            weight: place(node.operands[1]), bias: place(node.operands[2]), gradient: nil, addend: nil,
            result: place(index), workspace: place(workspace(index)))
    }

    private func groupNormToInput(
        _ index: Int, _ norm: GroupNorm, _ sum: StoredSums.Sum?, into result: Int
    ) -> GroupNormPass {
        let node = graph.nodes[index]
        return GroupNormPass(
            norm: norm, shape: node.shape, weightsVary: varies(node.operands[2], node.shape),
            biasesVary: varies(node.operands[3], node.shape), input: place(node.operands[1]),
            weight: place(node.operands[2]), bias: place(node.operands[3]), gradient: place(node.operands[0]),
            addend: sum?.numbers.map(place), result: place(result), workspace: place(workspace(index)))
    }

    /// Copies between parts of two arrays that begin at given places of one axis.
    private func copy(
        _ source: Int, _ sourceShape: [Int], _ axis: Int, _ sourceStart: Int, into result: Int, _ resultShape: [Int],
        at resultStart: Int, lengths: [Int]
    ) -> Instruction {
        func part(_ index: Int, _ shape: [Int], _ start: Int) -> (Place, [Int]) {
            let whole = place(index)
            return (Place(region: whole.region, offset: whole.offset + start * shape.strides[axis]), shape.strides)
        }
        return .copy(
            StridedCopy(
                lengths: lengths, from: part(source, sourceShape, sourceStart),
                to: part(result, resultShape, resultStart)))
    }
}
