import CVectorMath

/// A graph compiled for running: constants folded, the steps of each rate in order, elementwise chains
/// fused, every array placed in memory. Plans are values that threads share; each thread runs a plan
/// with an ``Execution`` of its own.
package struct EvaluationPlan: Sendable {
    struct Input: Sendable {
        let place: MemoryAddress
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
    package var numbers: Int { levelCount + evaluationCount + indexCount + registers * Int(RRR_STRIP) }

    /// Compiles what `outputs` depend on.
    ///
    /// - Parameters:
    ///   - inputs: the graph's inputs and indices, in the order in which an execution counts them, each kind
    ///     from 0; all that the outputs depend on must be there.
    ///   - outputs: what is computed, in the order in which an execution counts them.
    package init(inputs: [Value], outputs: [Value]) {
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
    package init<Failure: Error>(
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
