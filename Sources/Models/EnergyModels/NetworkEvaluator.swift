import TensorGraph

/// Evaluates a network at one noise level, so many points at a time for each of some labels, with memory of its own. Each
/// label may have points of its own, and the same label may come several times.
///
/// All labels' rows pass through the network together, if they fit; a row's numbers depend on that row alone.
struct NetworkEvaluator {
    private let network: Network
    /// The conditions, or what a classifier is asked about.
    private let labels: [Int?]
    private var level: Int
    /// Points that pass together.
    private let group: Int
    /// Labels for which they pass together.
    private let together: Int
    /// Nil where there was no room for it: then an evaluation tries once more, and tells.
    private var execution: Execution?

    /// - Parameters:
    ///   - labels: for each of which points are evaluated.
    ///   - points: how many are evaluated for each; they go in equal groups of as many as the network takes at most.
    ///   - level: as the network knows it.
    init(network: Network, labels: [Int?], points: Int, level: Int) {
        self.network = network
        self.labels = labels
        self.level = level
        (group, together) = network.group(points: points, labels: labels.count)
        execution = try? network.execution(rows: group * together, groups: together)
        setLevel(labelsFrom: 0)
    }

    mutating func move(to level: Int) {
        self.level = level
        // A copy of an evaluator shares its memory until one of the two is used.
        if !isKnownUniquelyReferenced(&execution) {
            execution = try? network.execution(rows: group * together, groups: together)
        }
        setLevel(labelsFrom: 0)
    }

    /// Sets the level, and of the labels those from a place on; behind the last it is that once more.
    private func setLevel(labelsFrom first: Int) {
        guard let execution else { return }
        let labels = (first..<first + together).lazy.map { [labels] in labels[min($0, labels.count - 1)] }
        let architecture = network.description.architecture
        execution.setIndices(0, CollectionOfOne(Int32(level)))
        switch architecture.kind {
        case .energy:
            if let classes = architecture.conditions {
                execution.setIndices(1, labels.map { Int32($0 ?? classes) })
            }
        case .classifier:
            let classes = architecture.outputs
            execution.setInput(1) { span in
                for place in 0..<span.count { span[place] = place % classes == labels[first + place / classes] ? 1 : 0 }
            }
        }
        execution.runLevel()
    }

    /// Evaluates `count` points for each label; the last group is filled up with the origin.
    ///
    /// - Parameters:
    ///   - point: the coordinate of a point, by the label's place, point and axis.
    ///   - value: takes, by the label's place and point, the energy, 0 for a network without one, or a classifier's
    ///     log probability of the label.
    ///   - gradient: takes a component of the value's gradient, by the label's place, point and axis.
    ///   - logProbability: takes a classifier's log probability, by point and class.
    /// - Throws: `cancelled` and `outOfMemory`.
    mutating func evaluate(
        count: Int, point: (Int, Int, Int) -> Float, value: (Int, Int, Float) -> Void,
        gradient: (Int, Int, Int, Float) -> Void, logProbability: ((Int, Int, Float) -> Void)? = nil
    ) throws(EvaluationError) {
        if execution == nil || !isKnownUniquelyReferenced(&execution) { move(to: level) }
        guard let execution else {
            throw .outOfMemory("\(group) points of a network at a time; let the worker take fewer (--memory)")
        }
        for first in stride(from: 0, to: labels.count, by: together) {
            if together < labels.count { setLevel(labelsFrom: first) }
            try evaluate(
                execution, labels: first..<min(first + together, labels.count), count: count, point: point,
                value: value, gradient: gradient, logProbability: logProbability)
        }
    }

    /// Evaluates them for the labels that are set.
    private func evaluate(
        _ execution: Execution, labels: Range<Int>, count: Int, point: (Int, Int, Int) -> Float,
        value: (Int, Int, Float) -> Void,
        gradient: (Int, Int, Int, Float) -> Void, logProbability: ((Int, Int, Float) -> Void)?
    ) throws(EvaluationError) {
        let architecture = network.description.architecture
        let dimension = architecture.dimension
        let hasValue = network.description.energy?.kind != .noise
        for start in stride(from: 0, to: count, by: group) {
            let filled = min(group, count - start)
            execution.setInput(0) { span in
                for place in 0..<together {
                    // Behind the last label it is that once more.
                    let label = min(labels.lowerBound + place, labels.upperBound - 1)
                    for row in 0..<group {
                        let begin = (place * group + row) * dimension
                        for axis in 0..<dimension {
                            span[begin + axis] = row < filled ? point(label, start + row, axis) : 0
                        }
                    }
                }
            }
            do throws(ExecutionCancelled) { try execution.runUnlessStopped() } catch { throw .cancelled }
            execution.withOutput(0) { span in
                for place in labels {
                    for row in 0..<filled {
                        let begin = ((place - labels.lowerBound) * group + row) * dimension
                        for axis in 0..<dimension { gradient(place, start + row, axis, span[begin + axis]) }
                    }
                }
            }
            guard hasValue else {
                for place in labels {
                    for row in 0..<filled { value(place, start + row, 0) }
                }
                continue
            }
            execution.withOutput(1) { span in
                for place in labels {
                    for row in 0..<filled {
                        value(place, start + row, span[(place - labels.lowerBound) * group + row])
                    }
                }
            }
            guard let logProbability else { continue }
            let classes = architecture.outputs
            execution.withOutput(2) { span in
                for row in 0..<filled {
                    for label in 0..<classes { logProbability(start + row, label, span[row * classes + label]) }
                }
            }
        }
    }
}
