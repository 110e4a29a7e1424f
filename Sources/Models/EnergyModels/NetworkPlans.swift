import TensorGraph

/// The plans of a network, for any numbers of rows. All are written down in one graph, so that the weights are in
/// memory once, in the forms in which they are used.
struct NetworkPlans {
    /// What is evaluated together: so many rows, in equal groups of neighbours with a label each.
    struct Rows: Hashable {
        let count: Int
        let groups: Int
    }

    private let description: NetworkDescription
    private let graph = Graph()
    private let parameters: [Value]
    /// Made on first use.
    private var plans: [Rows: EvaluationPlan] = [:]

    /// Takes from the parameters what plans need of them: the plan of one row needs the same as any other.
    ///
    /// - Parameter parameter: gives the numbers of one, by its place in `description.architecture.parameters`. It may be
    ///   asked for one several times.
    init<Failure: Error>(
        _ description: NetworkDescription, parameter: @Sendable (Int) throws(Failure) -> [Float]
    ) throws(Failure) {
        self.description = description
        parameters = description.architecture.parameters.enumerated().map { [graph] number, parameter in
            graph.parameter(number, shape: parameter.shape)
        }
        let one = Rows(count: 1, groups: 1)
        plans[one] = try plan(one, parameter)
    }

    /// Bytes that the weights take in all their forms.
    var weightBytes: Int { graph.foldedBytes }

    /// The plan for so many rows.
    mutating func plan(_ rows: Rows) -> EvaluationPlan {
        if let plan = plans[rows] { return plan }
        let plan = plan(rows) { _ in preconditionFailure("weights that the plan of one row does not need") }
        plans[rows] = plan
        return plan
    }

    private func plan<Failure: Error>(
        _ rows: Rows, _ parameter: (Int) throws(Failure) -> [Float]
    ) throws(Failure) -> EvaluationPlan {
        let (inputs, outputs) =
            switch description.architecture.kind {
            case .energy:
                NetworkGraph.written(
                    description, in: graph, parameters: parameters, rows: rows.count, groups: rows.groups)
            case .classifier:
                ClassifierGraph.written(
                    description, in: graph, parameters: parameters, rows: rows.count, groups: rows.groups)
            }
        return try EvaluationPlan(inputs: inputs, outputs: outputs, parameters: parameter)
    }
}
