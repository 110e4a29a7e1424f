import ContentHash
import EnergyModels
package import JobFile
import Sampling
import VectorMath

/// The density that a job's chains end at: its target at the last level, up to a constant.
package struct TargetDensity: Sendable {
    private let density: any Density
    private let level: NoiseLevel

    /// The target of a job; nil where it has a score and no energy, or a model that takes a server to evaluate.
    ///
    /// - Throws: `SafetensorsError` for a network whose file can't be read.
    package init?(of job: Job) throws {
        guard job.hasEnergy, job.servers.isEmpty else { return nil }
        let plan = try job.plan { digest in
            // A job that was read has the paths of all its networks.
            try Network(NetworkFile(path: job.modelPaths[digest] ?? digest.hex))
        }
        density = plan.density
        level = plan.refinement.last ?? plan.schedule.levels[0]
    }

    /// Log densities at the midpoints of `size` x `size` small squares, row by row from the lower left, in nats.
    func values(
        horizontal: ClosedRange<Double>, vertical: ClosedRange<Double>, size: Int
    ) throws(EvaluationError) -> [Double] {
        var (values, x) = ([Double](), LaneMatrix(rows: 2, lanes: size))
        var evaluator = density.evaluator(lanes: size, at: level)
        var evaluation = Evaluation(dimension: 2, lanes: size)
        for column in 0..<size { x[0, column] = Self.midpoint(column, of: horizontal, size: size) }
        for row in 0..<size {
            for column in 0..<size { x[1, column] = Self.midpoint(row, of: vertical, size: size) }
            try evaluator.evaluate(at: x, into: &evaluation)
            values += evaluation.logDensity
        }
        return values
    }

    /// Log densities of points with one coordinate, at the midpoints of `size` pieces of a range, in nats.
    func values(along range: ClosedRange<Double>, size: Int) throws(EvaluationError) -> [Double] {
        var x = LaneMatrix(rows: 1, lanes: size)
        for index in 0..<size { x[0, index] = Self.midpoint(index, of: range, size: size) }
        var evaluator = density.evaluator(lanes: size, at: level)
        var evaluation = Evaluation(dimension: 1, lanes: size)
        try evaluator.evaluate(at: x, into: &evaluation)
        return evaluation.logDensity
    }

    /// Densities as parts of the largest; 0 where there is no number.
    static func parts(_ logDensities: [Double]) -> [Double] {
        let largest = logDensities.filter(\.isFinite).max() ?? 0
        return logDensities.map { $0.isFinite ? Elementary.exp($0 - largest) : 0 }
    }

    private static func midpoint(_ index: Int, of range: ClosedRange<Double>, size: Int) -> Double {
        range.lowerBound + (Double(index) + 0.5) * (range.upperBound - range.lowerBound) / Double(size)
    }
}
