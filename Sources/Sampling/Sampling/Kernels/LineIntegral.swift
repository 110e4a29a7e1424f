package import EnergyModels
package import VectorMath

/// l(y) - l(x) from scores alone: the trapezoid rule along the straight segments from x to y of a block of chains.
///
/// With n points its error is that of the rule, of order |y - x|^3 / (n - 1)^2; there is none where the score is
/// linear. A segment along which a score is not finite has an integral that is not finite.
package struct LineIntegral {
    private let points: Int
    private var step: LaneMatrix
    private var point: LaneMatrix
    private var sum: LaneMatrix
    private var evaluation: Evaluation

    /// - Parameter points: evenly spaced, both ends among them; one of ``AcceptanceRule/points``.
    package init(points: Int, dimension: Int, lanes: Int) {
        precondition(AcceptanceRule.points.contains(points))
        self.points = points
        step = LaneMatrix(rows: dimension, lanes: lanes)
        point = step
        sum = step
        evaluation = Evaluation(dimension: dimension, lanes: lanes)
    }

    /// Integrates along every chain's segment, at the cost of an evaluation for each point between the ends.
    ///
    /// - Parameters:
    ///   - x: where the segments begin, [dimension][lanes].
    ///   - scoreAtX: the score there.
    ///   - y: where they end.
    ///   - scoreAtY: the score there.
    ///   - change: takes the integrals, [lanes].
    package mutating func integrate(
        from x: LaneMatrix, _ scoreAtX: LaneMatrix, to y: LaneMatrix, _ scoreAtY: LaneMatrix,
        target: inout any DensityEvaluator, into change: inout [Double]
    ) throws(EvaluationError) {
        let segments = Double(points - 1)
        step.set(y, plus: -1, x)
        sum.setScaled(0.5, scoreAtX)
        sum.add(0.5, scoreAtY)
        for index in 1..<points - 1 {
            let part = Double(index) / segments
            point.setScaled(1 - part, x)
            point.add(part, y)
            try target.evaluate(at: point, into: &evaluation)
            sum.add(1, evaluation.score)
        }
        for lane in change.indices { change[lane] = 0 }
        for row in 0..<step.rows {
            for lane in change.indices { change[lane] += step[row, lane] * sum[row, lane] / segments }
        }
    }
}
