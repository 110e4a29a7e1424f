import VectorMath

/// A program beside this one that evaluates a model for it.
package protocol ModelServer: AnyObject, Sendable {
    /// The most rows of one evaluation, at least one.
    var rows: Int { get }

    /// A line to the program, for the thread that asks for it.
    func line() -> any ModelServerLine
}

/// What a model server is asked over, one evaluation after the other.
package protocol ModelServerLine: AnyObject {
    /// Waits for the evaluation of some rows.
    ///
    /// - Throws: ``EvaluationError``: `cancelled`, `sourceFailed` or `sourceAbsent`.
    func evaluate(_ rows: ServedRows) throws(EvaluationError) -> ServedEvaluation
}

/// Points of a noise level that a model server is to evaluate.
package struct ServedRows: Sendable {
    /// Of all points.
    package let level: NoiseLevel
    /// How many they are.
    package let count: Int
    /// Their coordinates, [count][dimension].
    package let points: [Float]
    /// JSON objects, each once.
    package let conditions: [String]
    /// By point, which of the conditions holds for it.
    package let conditionOfRow: [Int]
}

/// What a model server says of points.
package struct ServedEvaluation: Sendable {
    /// E = -log p up to a constant of the level, [count]; empty for a server that gives scores alone.
    package let energies: [Double]
    /// The gradient of E, [count][dimension].
    package let gradients: [Float]

    /// Both as given.
    package init(energies: [Double], gradients: [Float]) {
        self.energies = energies
        self.gradients = gradients
    }
}

/// A model server as a leaf of a composition.
package struct ServedModel: Density {
    /// Who evaluates it.
    let server: any ModelServer
    /// A JSON object that the server understands.
    let condition: String
    /// The shape of a point.
    package let shape: PointShape

    /// A model that the server has for points of this shape.
    package init(server: any ModelServer, condition: String, shape: PointShape) {
        self.server = server
        self.condition = condition
        self.shape = shape
    }

    package func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator {
        SingleLeaf(
            leaves: ServedLeaves(
                server: server, conditions: [condition], views: [nil], shape: shape, lanes: lanes, at: level))
    }
}

/// Leaves that one server evaluates together: the chains for one condition, then those for the next. So each chain has its
/// row, which does not change while its block lives, nor from worker to worker.
struct ServedLeaves: JointLeaves {
    private let line: any ModelServerLine
    private let rows: Int
    private let dimension: Int
    private let conditions: [String]
    /// By leaf, the place of its condition.
    private let conditionOfLeaf: [Int]
    /// What each leaf looks at; nil for the whole point.
    private let views: [PointView?]
    private var level: NoiseLevel

    init(
        server: any ModelServer, conditions: [String], views: [PointView?], shape: PointShape, lanes: Int,
        at level: NoiseLevel
    ) {
        line = server.line()
        rows = server.rows
        dimension = shape.dimension
        var distinct: [String] = []
        for condition in conditions where !distinct.contains(condition) { distinct.append(condition) }
        conditionOfLeaf = conditions.map { condition in distinct.firstIndex(of: condition) ?? 0 }
        self.conditions = distinct
        self.views = views
        self.level = level
    }

    mutating func move(to level: NoiseLevel) { self.level = level }

    func evaluate(
        at x: LaneMatrix, into evaluations: inout [Evaluation], places: [Int]
    ) throws(EvaluationError) {
        let (lanes, total) = (x.lanes, x.lanes * places.count)
        for first in stride(from: 0, to: total, by: rows) {
            let part = first..<min(first + rows, total)
            let answer = try line.evaluate(asked(part, at: x))
            try check(answer, part, at: x)
            for run in runs(part, lanes: lanes) { take(answer, run, into: &evaluations[places[run.leaf]]) }
        }
    }

    /// Rows of a batch that belong to one leaf: those from `row` on are the chains `lanes`.
    private struct Run {
        let leaf: Int
        let lanes: Range<Int>
        let row: Int
    }

    private func runs(_ part: Range<Int>, lanes: Int) -> [Run] {
        (part.lowerBound / lanes...(part.upperBound - 1) / lanes).map { leaf in
            let rows = (leaf * lanes..<(leaf + 1) * lanes).clamped(to: part)
            return Run(
                leaf: leaf, lanes: rows.lowerBound - leaf * lanes..<rows.upperBound - leaf * lanes,
                row: rows.lowerBound - part.lowerBound)
        }
    }

    /// Coordinates that are brought from one order into the other at a time, so that what is read and what is written
    /// lie in a few lines of the cache.
    private static let tile = 16

    private func take(_ answer: ServedEvaluation, _ run: Run, into evaluation: inout Evaluation) {
        for (offset, lane) in run.lanes.enumerated() {
            evaluation.logDensity[lane] = answer.energies.isEmpty ? 0 : -answer.energies[run.row + offset]
        }
        let lanes = evaluation.score.lanes
        let gradients = answer.gradients.span
        var score = evaluation.score.elements.mutableSpan
        for first in stride(from: 0, to: dimension, by: Self.tile) {
            let axes = first..<min(first + Self.tile, dimension)
            for (offset, lane) in run.lanes.enumerated() {
                let start = (run.row + offset) * dimension
                for axis in axes { score[axis * lanes + lane] = -Double(gradients[start + axis]) }
            }
        }
    }

    private func asked(_ part: Range<Int>, at x: LaneMatrix) -> ServedRows {
        var points = [Float](repeating: 0, count: part.count * dimension)
        for run in runs(part, lanes: x.lanes) { put(x, run, into: &points) }
        return ServedRows(
            level: level, count: part.count, points: points, conditions: conditions,
            conditionOfRow: part.map { conditionOfLeaf[$0 / x.lanes] })
    }

    private func put(_ x: LaneMatrix, _ run: Run, into points: inout [Float]) {
        let lanes = x.lanes
        let view = views[run.leaf]
        let coordinates = x.elements.span
        var points = points.mutableSpan
        for first in stride(from: 0, to: dimension, by: Self.tile) {
            let axes = first..<min(first + Self.tile, dimension)
            for (offset, lane) in run.lanes.enumerated() {
                let start = (run.row + offset) * dimension
                for axis in axes {
                    let row = view.map { Int($0.coordinates[axis]) } ?? axis
                    points[start + axis] = Float(coordinates[row * lanes + lane])
                }
            }
        }
    }

    /// A chain that has diverged has no number to show, which is its own matter. That no chain has one is the server's.
    private func check(_ answer: ServedEvaluation, _ part: Range<Int>, at x: LaneMatrix) throws(EvaluationError) {
        func isNumber(_ row: Int) -> Bool {
            let start = row * dimension
            guard answer.energies.isEmpty else { return !answer.energies[row].isNaN }
            return !answer.gradients[start..<start + dimension].contains(where: \.isNaN)
        }
        guard !(0..<part.count).contains(where: isNumber) else { return }
        func isFinite(_ place: Int) -> Bool {
            let view = views[place / x.lanes]
            return (0..<dimension).allSatisfy { axis in
                Float(x[view.map { Int($0.coordinates[axis]) } ?? axis, place % x.lanes]).isFinite
            }
        }
        if part.contains(where: isFinite) {
            throw .sourceFailed(
                "the model server gave NaN for all \(part.count) points of an evaluation at level \(level.index)")
        }
    }
}
