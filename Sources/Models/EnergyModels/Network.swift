import Synchronization
import TensorGraph
import VectorMath

/// A trained network, ready to evaluate: shared by every block, thread and job that uses it.
public final class Network: Sendable {
    /// What its file says.
    public let description: NetworkDescription
    /// Bytes that its weights take, whatever is evaluated.
    public let weightBytes: Int
    private let plans: Mutex<NetworkPlans>

    /// - Parameter parameters: in the order and with the shapes of `description.architecture.parameters`.
    public convenience init(description: NetworkDescription, parameters: [[Float]]) {
        precondition(description.architecture.parameters.count == parameters.count)
        self.init(description) { parameters[$0] }
    }

    /// - Parameter parameter: gives the numbers of one, by its place in `description.architecture.parameters`, and may
    ///   be asked for it several times. No more than one is in memory at a time beside what is made of them.
    /// - Throws: what `parameter` throws.
    init<Failure: Error>(
        _ description: NetworkDescription, parameter: @Sendable (Int) throws(Failure) -> [Float]
    ) throws(Failure) {
        self.description = description
        let plans = try NetworkPlans(description, parameter: parameter)
        weightBytes = plans.weightBytes
        self.plans = Mutex(plans)
    }

    /// The density log p_t = -E / sigma_t that the network learned, for one label or for none.
    /// Not for a classifier: see ``classifier``.
    public func density(label: Int? = nil) -> any Density {
        precondition(description.architecture.kind == .energy, "a classifier has no density")
        precondition(label != nil || description.architecture.isUsableWithoutLabel, "a network that needs a label")
        return NetworkLeaf(network: self, label: label)
    }

    /// Energies [n], nil for a network without, and the predicted noise, dE/dx, [n, dimension] row by row.
    /// Not for a classifier: see ``classify(points:level:label:)``.
    ///
    /// - Parameters:
    ///   - points: [n, dimension], row by row.
    ///   - level: as the network knows it, below the number of levels.
    ///   - label: below the number of classes; nil for none.
    public func evaluate(points: [Float], level: Int, label: Int? = nil) -> (energy: [Float]?, gradient: [Float]) {
        precondition(description.architecture.kind == .energy, "a classifier has no energy")
        let dimension = description.architecture.dimension
        let count = points.count / dimension
        var evaluator = NetworkEvaluator(network: self, labels: [label], points: max(1, min(count, 64)), level: level)
        var energy = [Float](repeating: 0, count: count)
        var gradient = [Float](repeating: 0, count: points.count)
        evaluator.evaluate(
            count: count, point: { points[$0 * dimension + $1] }, value: { energy[$1] = $2 },
            gradient: { gradient[$1 * dimension + $2] = $3 })
        return (description.energy?.kind == .noise ? nil : energy, gradient)
    }

    /// A plan for rows in equal groups with a label each, with memory of its own.
    func execution(rows: Int, groups: Int) -> Execution {
        Execution(plans.withLock { $0.plan(NetworkPlans.Rows(count: rows, groups: groups)) })
    }
}
