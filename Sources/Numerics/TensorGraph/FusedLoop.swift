import CVectorMath

/// A loop of a plan, ready to run: one pass over an iteration space, strip by strip, that keeps
/// whatever no other step reads in cache-sized registers.
///
/// A class, so that taking a step of a plan in hand counts one reference and not that of each array.
final class FusedLoop: Sendable {
    /// Members of a loop and arrays from outside that they read, together, at most: each takes a register or less, and
    /// is an array or none.
    static let capacity = Int(min(RRR_REGISTERS, RRR_OPERANDS))

    private let lengths: [Int]
    private let strides: [Int]
    private let operands: [rrr_operand]
    private let instructions: [rrr_instruction]
    /// Registers in use.
    let registers: Int

    func run(_ regions: Regions) {
        lengths.withUnsafeBufferPointer { lengths in
            strides.withUnsafeBufferPointer { strides in
                operands.withUnsafeBufferPointer { operands in
                    instructions.withUnsafeBufferPointer { instructions in
                        var loop = rrr_loop(
                            rank: lengths.count, lengths: lengths.baseAddress, operand_count: operands.count,
                            operands: operands.baseAddress, strides: strides.baseAddress,
                            register_count: registers, instruction_count: instructions.count,
                            instructions: instructions.baseAddress)
                        rrr_run_loop(&loop, regions.starts, regions.scratch)
                    }
                }
            }
        }
    }

    /// - Parameters:
    ///   - stored: the members that other steps read.
    ///   - place: where a stored member or an operand from outside is.
    init(_ graph: Graph, space: [Int], members: [Int], stored: Set<Int>, place: (Int) -> MemoryAddress) {
        var builder = LoopBuilder(graph: graph, space: space, members: members, stored: stored)
        builder.build()
        (lengths, strides) = builder.joinAxes()
        operands = builder.arrays.map { array in
            let place = place(graph.source(array.node))
            return rrr_operand(
                role: UInt16(array.role.rawValue), reg: UInt16(array.register), region: UInt32(place.region),
                offset: place.offset, count: graph.nodes[array.node].shape.elementCount)
        }
        instructions = builder.instructions
        registers = builder.registers
        precondition(
            registers <= RRR_REGISTERS && operands.count <= RRR_OPERANDS && lengths.count <= RRR_RANK,
            "a loop of \(registers) registers, \(operands.count) arrays and \(lengths.count) axes")
    }
}

/// Turns the members of a loop into a program over registers.
private struct LoopBuilder {
    /// How the loop touches an array.
    struct Access {
        let node: Int
        var role: rrr_role
        let register: Int
        let strides: [Int]
    }

    let graph: Graph
    let space: [Int]
    let members: [Int]
    let stored: Set<Int>

    private(set) var arrays: [Access] = []
    private(set) var instructions: [rrr_instruction] = []
    private(set) var registers = 0
    /// The register that holds a node's strip.
    private var holder: [Int: Int] = [:]
    private var free: [Int] = []

    init(graph: Graph, space: [Int], members: [Int], stored: Set<Int>) {
        self.graph = graph
        self.space = space
        self.members = members
        self.stored = stored
    }

    mutating func build() {
        let inside = Set(members)
        // Until which member a register is read; what a reduction reads lasts to the end of the program.
        var lastUse: [Int: Int] = [:]
        for (position, member) in members.enumerated() {
            for operand in graph.nodes[member].operands {
                let use = graph.nodes[member].isReduction ? members.count : position
                lastUse[original(operand), default: 0] = max(lastUse[original(operand), default: 0], use)
            }
        }
        for (position, member) in members.enumerated() {
            let node = graph.nodes[member]
            for operand in node.operands where !inside.contains(operand) && holder[operand] == nil { load(operand) }
            let sources = node.operands.compactMap { holder[$0] }
            if case .reduce(let kind, _) = node.operation {
                let role = kind == .sum ? RRR_ACCUMULATE_SUM : RRR_ACCUMULATE_MAXIMUM
                arrays.append(Access(node: member, role: role, register: sources[0], strides: strides(member)))
                continue
            }
            if isAlias(member) {
                holder[member] = sources[0]
                continue
            }
            for operand in Set(node.operands.map(original)) where lastUse[operand] == position {
                if inside.contains(operand), !stored.contains(operand), let register = holder[operand] {
                    free.append(register)
                }
            }
            let result = stored.contains(member) ? newRegister() : free.popLast() ?? newRegister()
            holder[member] = result
            if stored.contains(member) {
                arrays.append(Access(node: member, role: RRR_STORE, register: result, strides: strides(member)))
            }
            instructions.append(
                rrr_instruction(
                    operation: UInt16(node.operation.code.rawValue), result: UInt16(result), first: UInt16(sources[0]),
                    second: UInt16(sources.last ?? sources[0])))
        }
    }

    /// A member that hands on its operand's strip.
    private func isAlias(_ member: Int) -> Bool {
        switch graph.nodes[member].operation {
        case .broadcast, .stopGradient: !stored.contains(member)
        default: false
        }
    }

    /// The node whose register a node shares.
    private func original(_ index: Int) -> Int {
        members.contains(index) && isAlias(index) ? original(graph.nodes[index].operands[0]) : index
    }

    private mutating func newRegister() -> Int {
        registers += 1
        return registers - 1
    }

    private mutating func load(_ operand: Int) {
        let register = newRegister()
        holder[operand] = register
        arrays.append(Access(node: operand, role: RRR_LOAD, register: register, strides: strides(operand)))
    }

    private func strides(_ index: Int) -> [Int] { graph.nodes[index].shape.strides(over: space) }

    /// Lengths of the iteration space and strides of the arrays, neighbouring axes joined wherever all
    /// arrays step through them as through one; then it is known which arrays give one number a strip.
    mutating func joinAxes() -> (lengths: [Int], strides: [Int]) {
        var lengths: [Int] = []
        var steps = arrays.map { _ in [Int]() }
        for axis in space.indices where space[axis] != 1 {
            let own = arrays.map { $0.strides[axis] }
            if let last = lengths.indices.last, zip(steps, own).allSatisfy({ $0[last] == $1 * space[axis] }) {
                lengths[last] *= space[axis]
                for array in steps.indices { steps[array][last] = own[array] }
            } else {
                lengths.append(space[axis])
                for array in steps.indices { steps[array].append(own[array]) }
            }
        }
        if lengths.isEmpty {
            lengths = [1]
            for array in steps.indices { steps[array] = [1] }
        }
        for array in arrays.indices where arrays[array].role == RRR_LOAD && steps[array].last == 0 {
            arrays[array].role = RRR_SPLAT
        }
        return (lengths, steps.flatMap(\.self))
    }
}

extension Operation {
    /// What the loop's interpreter calls it.
    fileprivate var code: rrr_operation {
        guard case .elementwise(let operation) = self else { return RRR_COPY }
        return switch operation {
        case .negate: RRR_NEGATE
        case .exponential: RRR_EXPONENTIAL
        case .logarithm: RRR_LOGARITHM
        case .squareRoot: RRR_SQUARE_ROOT
        case .sigmoid: RRR_SIGMOID
        case .add: RRR_ADD
        case .subtract: RRR_SUBTRACT
        case .multiply: RRR_MULTIPLY
        case .divide: RRR_DIVIDE
        case .maximum: RRR_MAXIMUM
        case .greater: RRR_GREATER
        }
    }
}
