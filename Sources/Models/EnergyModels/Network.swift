import Synchronization
import TensorGraph
import VectorMath

/// A trained network, ready to evaluate: shared by every block, thread and job that uses it.
package final class Network: Sendable {
    /// What its file says.
    package let description: NetworkDescription
    private let weights: Weights
    /// Bytes that an evaluator's own memory takes at most, if one row fits into them.
    private let workLimit: Int

    /// The weights, in the plans that share them.
    private final class Weights: Sendable {
        let bytes: Int
        let plans: Mutex<NetworkPlans>

        init(bytes: Int, plans: consuming sending NetworkPlans) {
            self.bytes = bytes
            self.plans = Mutex(plans)
        }
    }

    /// - Parameter parameters: in the order and with the shapes of `description.architecture.parameters`.
    package convenience init(description: NetworkDescription, parameters: [[Float]]) {
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
        weights = Weights(bytes: plans.weightBytes, plans: plans)
        workLimit = .max
    }

    private init(_ network: Network, workLimit: Int) {
        (description, weights, self.workLimit) = (network.description, network.weights, workLimit)
    }

    /// Bytes that its weights take, whatever is evaluated.
    package var weightBytes: Int { weights.bytes }

    /// Bytes of its own that an evaluator of one row takes.
    package var leastWork: Int { work(points: 1, labels: 1) }

    /// The same network, weights and all, whose evaluators take no more than so many bytes of their own: of the points
    /// that they are given, and of the labels, as many pass through it at a time as that allows, at least one. What
    /// comes out is the same, to the bit.
    package func working(within bytes: Int) -> Network { Network(self, workLimit: bytes) }

    /// The density log p_t = -E / sigma_t that the network learned, for one label or for none.
    /// Not for a classifier: see ``classifier``.
    package func density(label: Int? = nil) -> any Density {
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
    package func evaluate(
        points: [Float], level: Int, label: Int? = nil
    ) throws(EvaluationError) -> (energy: [Float]?, gradient: [Float]) {
        precondition(description.architecture.kind == .energy, "a classifier has no energy")
        let dimension = description.architecture.dimension
        let count = points.count / dimension
        var evaluator = NetworkEvaluator(network: self, labels: [label], points: max(1, min(count, 64)), level: level)
        var energy = [Float](repeating: 0, count: count)
        var gradient = [Float](repeating: 0, count: points.count)
        try evaluator.evaluate(
            count: count, point: { points[$1 * dimension + $2] }, value: { energy[$1] = $2 },
            gradient: { gradient[$1 * dimension + $2] = $3 })
        return (description.energy?.kind == .noise ? nil : energy, gradient)
    }

    /// A plan for rows in equal groups with a label each, with memory of its own.
    func execution(rows: Int, groups: Int) throws(OutOfMemory) -> Execution {
        try Execution(plan(rows: rows, groups: groups))
    }

    private func plan(rows: Int, groups: Int) -> EvaluationPlan {
        weights.plans.withLock { $0.plan(NetworkPlans.Rows(count: rows, groups: groups)) }
    }

    private func work(points: Int, labels: Int) -> Int {
        plan(rows: points * labels, groups: labels).numbers * MemoryLayout<Float>.stride
    }

    /// How many of so many points pass through the network together, and for how many of so many labels at once.
    func group(points: Int, labels: Int) -> (points: Int, labels: Int) {
        func largest(upTo most: Int, _ work: (Int) -> Int) -> Int {
            guard workLimit < .max, most > 1, work(most) > workLimit else { return most }
            var (fits, exceeds) = (1, most)
            while exceeds - fits > 1 {
                let middle = (fits + exceeds) / 2
                if work(middle) > workLimit { exceeds = middle } else { fits = middle }
            }
            return fits
        }
        let together = largest(upTo: labels) { work(points: 1, labels: $0) }
        let most = largest(upTo: min(points, max(1, description.architecture.form.mostRows / together))) {
            work(points: $0, labels: together)
        }
        // In equal groups.
        let groups = (points + most - 1) / most
        return ((points + groups - 1) / groups, together)
    }
}
