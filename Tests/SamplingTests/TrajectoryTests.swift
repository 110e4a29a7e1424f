import Composition
import EnergyModels
import Foundation
import RandomStreams
import Sampling
import Testing
import VectorMath

private let level = cosineSchedule.levels[20]
private let mixture = GaussianMixture(
    means: [[0.8, 0], [-0.5, 0.6]], standardDeviations: [[0.4, 0.6], [0.5, 0.3]], weights: [1, 2])

/// A state with given positions and momenta, evaluated.
private func state(
    _ position: LaneMatrix, _ momentum: LaneMatrix, _ target: inout any DensityEvaluator
) throws -> ChainState {
    var state = ChainState(dimension: position.rows, lanes: position.lanes)
    state.position = position
    state.momentum = momentum
    try state.evaluate(&target)
    return state
}

private func start(lanes: Int, _ target: inout any DensityEvaluator) throws -> ChainState {
    var (position, momentum) = (LaneMatrix(rows: 2, lanes: lanes), LaneMatrix(rows: 2, lanes: lanes))
    let stream = RandomStream(seed: 6, firstChain: 0)
    stream.fillNormals(&position, purpose: .initialPosition, level: 0)
    stream.fillNormals(&momentum, purpose: .initialMomentum, level: 0)
    return try state(position, momentum, &target)
}

/// A path of so many steps, at its end.
private func end(
    from state: ChainState, steps: Int, stepSize: Double, within bounds: Bounds? = nil,
    _ target: inout any DensityEvaluator
) throws -> Trajectory {
    var trajectory = Trajectory(dimension: 2, lanes: state.position.lanes)
    trajectory.start(at: state, momentum: state.momentum)
    try trajectory.leapfrog(steps: steps, stepSize: stepSize, target: &target, reflectingAt: bounds)
    return trajectory
}

private func determinant(_ matrix: [[Double]]) -> Double {
    if matrix.count == 1 { return matrix[0][0] }
    return matrix.indices.reduce(0.0) { sum, column in
        let minor = matrix.dropFirst().map { row in row.indices.filter { $0 != column }.map { row[$0] } }
        return sum + (column % 2 == 0 ? 1 : -1) * matrix[0][column] * determinant(minor)
    }
}

@Suite("Trajectory")
struct TrajectoryTests {
    @Test("A path with its momentum turned around leads back to its start")
    func reversible() throws {
        var target = mixture.evaluator(lanes: 32, at: level)
        let first = try start(lanes: 32, &target)
        let there = try end(from: first, steps: 20, stepSize: 0.1, &target)
        var turned = there.momentum
        turned.scale(by: -1)
        let back = try end(from: state(there.position, turned, &target), steps: 20, stepSize: 0.1, &target)
        for index in first.position.elements.indices {
            #expect((there.position.elements[index] - first.position.elements[index]).magnitude > 1e-4)
            #expect((back.position.elements[index] - first.position.elements[index]).magnitude < 1e-10)
            #expect((back.momentum.elements[index] + first.momentum.elements[index]).magnitude < 1e-10)
        }
    }

    @Test("A path preserves the volume of phase space in the plane")
    func volume() throws {
        // Lanes 2 k and 2 k + 1 are displaced along axis k of phase space, there and back.
        let delta = 1e-5
        var target = mixture.evaluator(lanes: 8, at: level)
        for origin in [[0.3, -0.2, 1, 0.4], [-1, 1.1, -0.3, 0.8], [0.1, 0.3, 0, -1.5]] {
            var (position, momentum) = (LaneMatrix(rows: 2, lanes: 8), LaneMatrix(rows: 2, lanes: 8))
            for lane in 0..<8 {
                var point = origin
                point[lane / 2] += lane % 2 == 0 ? delta : -delta
                (position[0, lane], position[1, lane]) = (point[0], point[1])
                (momentum[0, lane], momentum[1, lane]) = (point[2], point[3])
            }
            let path = try end(from: state(position, momentum, &target), steps: 7, stepSize: 0.25, &target)
            let columns: [[Double]] = (0..<4).map { axis in
                let there = column(path.position, 2 * axis) + column(path.momentum, 2 * axis)
                let back = column(path.position, 2 * axis + 1) + column(path.momentum, 2 * axis + 1)
                return zip(there, back).map { ($0 - $1) / (2 * delta) }
            }
            #expect((determinant(columns) - 1).magnitude < 1e-6)
            // No plain translation: the map does deform.
            #expect((columns[0][0] - 1).magnitude > 1e-2)
        }
    }

    @Test("A path that is reflected at walls leads back, too")
    func walls() throws {
        let bounds = Bounds(low: [-0.8, -0.6], high: [0.9, 0.7])
        var target = mixture.evaluator(lanes: 32, at: level)
        var first = try start(lanes: 32, &target)
        let unbounded = try end(from: first, steps: 20, stepSize: 0.1, &target)
        bounds.fold(&first.position, momentum: &first.momentum)
        try first.evaluate(&target)
        let there = try end(from: first, steps: 20, stepSize: 0.1, within: bounds, &target)
        var turned = there.momentum
        turned.scale(by: -1)
        let back = try end(
            from: state(there.position, turned, &target), steps: 20, stepSize: 0.1, within: bounds, &target)
        var reflected = 0
        for lane in 0..<32 {
            for axis in 0..<2 {
                #expect((bounds.low[axis]...bounds.high[axis]).contains(there.position[axis, lane]))
                #expect((back.position[axis, lane] - first.position[axis, lane]).magnitude < 1e-10)
                #expect((back.momentum[axis, lane] + first.momentum[axis, lane]).magnitude < 1e-10)
            }
            reflected += (there.position[0, lane] - unbounded.position[0, lane]).magnitude > 1e-3 ? 1 : 0
        }
        #expect(reflected > 10)
    }

    @Test("The energy error of a path is of second order in the step")
    func order() throws {
        var target = mixture.evaluator(lanes: 64, at: level)
        let first = try start(lanes: 64, &target)
        func error(steps: Int) throws -> Double {
            let path = try end(from: first, steps: steps, stepSize: 1.2 / Double(steps), &target)
            let squares = (0..<64).map { lane in
                let kinetic = zip(column(path.momentum, lane), column(first.momentum, lane))
                    .reduce(0.0) { $0 + ($1.0 * $1.0 - $1.1 * $1.1) / 2 }
                let change = kinetic - path.evaluation.logDensity[lane] + first.evaluation.logDensity[lane]
                return change * change
            }
            return mean(squares).squareRoot()
        }
        let errors = try [24, 48, 96, 192].map(error)
        for (coarse, fine) in zip(errors, errors.dropFirst()) {
            #expect((3.8...4.2).contains(coarse / fine))
        }
    }

    @Test("Merged half steps are the same path as separate ones")
    func merging() throws {
        var target = mixture.evaluator(lanes: 16, at: level)
        let first = try start(lanes: 16, &target)
        let merged = try end(from: first, steps: 5, stepSize: 0.2, &target)
        var step = first
        for _ in 0..<5 {
            let path = try end(from: step, steps: 1, stepSize: 0.2, &target)
            step.position = path.position
            step.momentum = path.momentum
            step.evaluation = path.evaluation
        }
        for index in merged.position.elements.indices {
            #expect((merged.position.elements[index] - step.position.elements[index]).magnitude < 1e-13)
            #expect((merged.momentum.elements[index] - step.momentum.elements[index]).magnitude < 1e-13)
        }
    }
}
