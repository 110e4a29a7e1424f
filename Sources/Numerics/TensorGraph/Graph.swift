/// A computation over tensors of fixed shapes, as a directed graph that only grows.
///
/// A graph is written down once with ordinary operators on ``Value``s, differentiated with
/// ``gradient(of:withRespectTo:)`` any number of times, and compiled into a ``EvaluationPlan``. Equal nodes are
/// the same node, so common parts are shared from the start.
package final class Graph {
    struct Node: Hashable {
        let operation: Operation
        let operands: [Int]
        let shape: [Int]
        let rate: Rate
    }

    private(set) var nodes: [Node] = []
    private(set) var constants: [Tensor] = []
    private var known: [Node: Int] = [:]
    private var scalars: [UInt32: Int] = [:]
    /// What plans compiled from this graph read of its fixed tensors: each array is there once, for all of them.
    var folded: [FoldedArray: ConstantMemory] = [:]

    /// A graph without nodes.
    package init() {}

    /// A tensor that the caller sets before running.
    package func input(_ shape: [Int], rate: Rate) -> Value { input(.input, shape, rate) }

    /// Whole numbers [count] that the caller sets before running, to gather by.
    package func indices(_ count: Int, rate: Rate) -> Value { input(.indices, [count], rate) }

    /// A fixed tensor.
    package func constant(_ tensor: Tensor) -> Value {
        constants.append(tensor)
        return add(.constant(constants.count - 1), [], tensor.shape, rate: .constant)
    }

    /// A fixed number.
    package func constant(_ number: Float) -> Value {
        if let index = scalars[number.bitPattern] { return Value(graph: self, index: index) }
        let value = constant(Tensor(shape: [], values: [number]))
        scalars[number.bitPattern] = value.index
        return value
    }

    /// A fixed tensor whose numbers the graph does not hold: plans are given them when they are compiled, see
    /// ``EvaluationPlan/init(inputs:outputs:parameters:)``. The same number always stands for the same tensor.
    package func parameter(_ number: Int, shape: [Int]) -> Value {
        add(.parameter(number), [], shape, rate: .constant)
    }

    private func input(_ operation: Operation, _ shape: [Int], _ rate: Rate) -> Value {
        // Each is a node of its own, whatever its shape.
        nodes.append(Node(operation: operation, operands: [], shape: shape, rate: rate))
        return Value(graph: self, index: nodes.count - 1)
    }

    func add(_ operation: Operation, _ operands: [Value], _ shape: [Int], rate: Rate? = nil) -> Value {
        precondition(operands.allSatisfy { $0.graph === self }, "a value of another graph")
        let rate = rate ?? operands.map(\.rate).max() ?? .constant
        let node = Node(operation: operation, operands: operands.map(\.index), shape: shape, rate: rate)
        if let index = known[node] { return Value(graph: self, index: index) }
        known[node] = nodes.count
        nodes.append(node)
        return Value(graph: self, index: nodes.count - 1)
    }

    /// The number that a node stands for throughout, if it is a fixed scalar.
    func number(_ value: Value) -> Float? {
        guard case .constant(let index) = nodes[value.index].operation else { return nil }
        return constants[index].values.count == 1 ? constants[index].values[0] : nil
    }
}

/// A node of a ``Graph``: a tensor yet to be computed.
package struct Value {
    /// Where it belongs.
    package let graph: Graph
    let index: Int

    var node: Graph.Node { graph.nodes[index] }
    var rate: Rate { node.rate }

    /// The lengths of the axes.
    package var shape: [Int] { node.shape }
}
