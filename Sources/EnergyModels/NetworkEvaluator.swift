import TensorGraph

/// Evaluates a network at one noise level, so many points at a time, with memory of its own.
struct NetworkEvaluator {
    /// Beyond this many rows the arrays of an evaluation no longer fit the cache, and it slows down.
    private static let mostRows = 256

    private let network: Network
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
        execution.setIndices(0, CollectionOfOne(Int32(level)))
        if let classes = network.description.architecture.classes {
            execution.setIndices(1, CollectionOfOne(Int32(label ?? classes)))
        }
        execution.runLevel()
    }

    /// Evaluates `count` points; the last group is filled up with the origin.
    ///
    /// - Parameters:
    ///   - point: the coordinate of a point, by point and axis.
    ///   - energy: takes the energy of a point; 0 for a network without one.
    ///   - gradient: takes a component of dE/dx, by point and axis.
    mutating func evaluate(
        count: Int, point: (Int, Int) -> Float, energy: (Int, Float) -> Void, gradient: (Int, Int, Float) -> Void
    ) {
        if !isKnownUniquelyReferenced(&execution) { move(to: level) }
        let dimension = network.description.architecture.dimension
        let hasEnergy = network.description.energy.kind != .noise
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
            guard hasEnergy else {
                for row in 0..<group { energy(start + row, 0) }
                continue
            }
            execution.withOutput(1) { span in
                for row in 0..<group { energy(start + row, span[row]) }
            }
        }
    }
}
