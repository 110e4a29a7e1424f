import TensorGraph

/// Evaluates a network at one noise level, so many points at a time, with memory of its own.
struct NetworkEvaluator {
    /// Beyond this many rows the arrays of an evaluation no longer fit the cache, and it slows down.
    private static let mostRows = 256

    private let network: Network
    /// The condition, or what a classifier is asked about.
    private let label: Int?
    private var level: Int
    private let rows: Int
    private var execution: Execution

    /// - Parameter points: how many are evaluated together; they go in equal groups of at most 256 rows,
    ///   so a point's result depends on its place among them and on nothing else.
    init(network: Network, label: Int?, points: Int, level: Int) {
        self.network = network
        self.label = label
        self.level = level
        let groups = (points + Self.mostRows - 1) / Self.mostRows
        rows = (points + groups - 1) / groups
        execution = network.execution(rows: rows)
        setLevel()
    }

    mutating func move(to level: Int) {
        self.level = level
        // A copy of an evaluator shares its memory until one of the two is used.
        if !isKnownUniquelyReferenced(&execution) { execution = network.execution(rows: rows) }
        setLevel()
    }

    private func setLevel() {
        let architecture = network.description.architecture
        execution.setIndices(0, CollectionOfOne(Int32(level)))
        switch architecture.kind {
        case .energy:
            if let classes = architecture.conditions {
                execution.setIndices(1, CollectionOfOne(Int32(label ?? classes)))
            }
        case .classifier:
            execution.setInput(1) { span in for place in 0..<span.count { span[place] = place == label ? 1 : 0 } }
        }
        execution.runLevel()
    }

    /// Evaluates `count` points; the last group is filled up with the origin.
    ///
    /// - Parameters:
    ///   - point: the coordinate of a point, by point and axis.
    ///   - value: takes the energy of a point, 0 for a network without one, or a classifier's log probability of
    ///     the label.
    ///   - gradient: takes a component of the value's gradient, by point and axis.
    ///   - logProbability: takes a classifier's log probability, by point and label.
    mutating func evaluate(
        count: Int, point: (Int, Int) -> Float, value: (Int, Float) -> Void, gradient: (Int, Int, Float) -> Void,
        logProbability: ((Int, Int, Float) -> Void)? = nil
    ) {
        if !isKnownUniquelyReferenced(&execution) { move(to: level) }
        let (dimension, outputs) = (
            network.description.architecture.dimension, network.description.architecture.outputs
        )
        let hasValue = network.description.energy?.kind != .noise
        for start in stride(from: 0, to: count, by: rows) {
            let group = min(rows, count - start)
            execution.setInput(0) { span in
                for row in 0..<rows {
                    for axis in 0..<dimension {
                        span[row * dimension + axis] = row < group ? point(start + row, axis) : 0
                    }
                }
            }
            execution.run()
            execution.withOutput(0) { span in
                for row in 0..<group {
                    for axis in 0..<dimension { gradient(start + row, axis, span[row * dimension + axis]) }
                }
            }
            guard hasValue else {
                for row in 0..<group { value(start + row, 0) }
                continue
            }
            execution.withOutput(1) { span in
                for row in 0..<group { value(start + row, span[row]) }
            }
            guard let logProbability else { continue }
            execution.withOutput(2) { span in
                for row in 0..<group {
                    for label in 0..<outputs { logProbability(start + row, label, span[row * outputs + label]) }
                }
            }
        }
    }
}
