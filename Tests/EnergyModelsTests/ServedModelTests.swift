import EnergyModels
import Synchronization
import Testing
import VectorMath

/// Energy |x|^2 / 2 plus the length of the condition, and a note of what was asked.
private final class Recorder: ModelServer {
    let rows: Int
    let givesEnergy: Bool
    /// The energy of points beyond 100; that of all if `spoils`.
    let spoils: Bool
    let asked = Mutex<[ServedRows]>([])

    init(rows: Int, givesEnergy: Bool = true, spoils: Bool = false) {
        (self.rows, self.givesEnergy, self.spoils) = (rows, givesEnergy, spoils)
    }

    func line() -> any ModelServerLine { Line(recorder: self) }

    private final class Line: ModelServerLine {
        let recorder: Recorder
        init(recorder: Recorder) { self.recorder = recorder }

        func evaluate(_ rows: ServedRows) throws(EvaluationError) -> ServedEvaluation {
            recorder.asked.withLock { $0.append(rows) }
            let size = rows.points.count / rows.count
            let energies = (0..<rows.count).map { row -> Double in
                let point = rows.points[row * size..<(row + 1) * size]
                if recorder.spoils || point.contains(where: { $0 > 100 }) { return .nan }
                return point.reduce(0) { $0 + Double($1 * $1) / 2 }
                    + Double(rows.conditions[rows.conditionOfRow[row]].utf8.count)
            }
            return ServedEvaluation(energies: recorder.givesEnergy ? energies : [], gradients: rows.points)
        }
    }
}

@Suite("Served models")
struct ServedModelTests {
    private static let level = NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 10)).levels[3]

    private static func models(_ server: Recorder, _ conditions: [String]) throws -> [any Density] {
        let shape = try #require(PointShape([2]))
        return conditions.map { ServedModel(server: server, condition: $0, shape: shape) }
    }

    private static func points(_ lanes: Int) -> LaneMatrix {
        var x = LaneMatrix(rows: 2, lanes: lanes)
        for lane in 0..<lanes { (x[0, lane], x[1, lane]) = (Double(lane), Double(-2 * lane)) }
        return x
    }

    @Test("log density and score are those of the energy, with their signs turned")
    func signs() throws {
        for givesEnergy in [true, false] {
            let model = try Self.models(Recorder(rows: 64, givesEnergy: givesEnergy), ["{}"])[0]
            var evaluator = model.evaluator(lanes: 3, at: Self.level)
            var evaluation = Evaluation(dimension: 2, lanes: 3)
            try evaluator.evaluate(at: Self.points(3), into: &evaluation)
            #expect(evaluation.logDensity == (givesEnergy ? [-2, -4.5, -12] : [0, 0, 0]))
            #expect((0..<3).map { evaluation.score[0, $0] } == [0, -1, -2])
            #expect((0..<3).map { evaluation.score[1, $0] } == [0, 2, 4])
        }
    }

    @Test("the leaves of one server are one batch, cut at its rows, and a chain keeps its row")
    func batches() throws {
        let server = Recorder(rows: 7)
        let models = try Self.models(server, ["{}", "{\"a\":1}", "{}"])
        var evaluator = JointEvaluator(models, lanes: 4, at: Self.level)
        var evaluations = models.map { Evaluation(dimension: $0.dimension, lanes: 4) }
        for _ in 0..<2 { try evaluator.evaluate(at: Self.points(4), into: &evaluations) }
        let asked = server.asked.withLock { $0 }
        #expect(asked.map(\.count) == [7, 5, 7, 5])
        #expect(asked[0].conditions == ["{}", "{\"a\":1}"])
        #expect(asked[0].conditionOfRow + asked[1].conditionOfRow == [0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0])
        #expect(asked[0].points == asked[2].points && asked[1].points == asked[3].points)
        #expect(asked[0].level == Self.level)
        for lane in 0..<4 {
            let own = -2.5 * Double(lane * lane)
            #expect(evaluations.map { $0.logDensity[lane] } == [own - 2, own - 7, own - 2])
        }
    }

    @Test("a leaf that looks at some coordinates of a larger point is asked about these alone")
    func views() throws {
        let server = Recorder(rows: 64)
        let models = try Self.models(server, ["{}", "{\"a\":1}"])
        let views = [PointView(coordinates: [2, 0]), PointView(coordinates: [1, 2])]
        var x = LaneMatrix(rows: 3, lanes: 2)
        for row in 0..<3 { (x[row, 0], x[row, 1]) = (Double(row), Double(10 * row)) }
        var evaluator = JointEvaluator(models, views: views, lanes: 2, at: Self.level)
        var evaluations = models.map { Evaluation(dimension: $0.dimension, lanes: 2) }
        try evaluator.evaluate(at: x, into: &evaluations)
        let asked = server.asked.withLock { $0 }
        #expect(asked.map(\.points) == [[2, 0, 20, 0, 1, 2, 10, 20]] && asked[0].conditionOfRow == [0, 0, 1, 1])
        #expect(evaluations[0].logDensity == [-4, -202] && evaluations[1].score.elements == [-1, -10, -2, -20])
        // Where what a leaf looks at has diverged in every chain, NaN is not the fault of the server.
        x[1, 0] = .infinity
        x[1, 1] = .nan
        let spoilt = JointEvaluator(
            try Self.models(Recorder(rows: 64, spoils: true), ["{}"]), views: [views[1]], lanes: 2, at: Self.level)
        var (lost, one) = (spoilt, [Evaluation(dimension: 2, lanes: 2)])
        try lost.evaluate(at: x, into: &one)
        #expect(one[0].logDensity[0].isNaN && one[0].logDensity[1].isNaN)
    }

    @Test("two servers are asked each for its own")
    func twoServers() throws {
        let servers = [Recorder(rows: 64), Recorder(rows: 64)]
        let models = try servers.flatMap { try Self.models($0, ["{}"]) }
        var evaluator = JointEvaluator(models, lanes: 2, at: Self.level)
        var evaluations = models.map { Evaluation(dimension: $0.dimension, lanes: 2) }
        try evaluator.evaluate(at: Self.points(2), into: &evaluations)
        #expect(servers.map { $0.asked.withLock { $0.map(\.count) } } == [[2], [2]])
    }

    @Test("NaN for one chain is the chain's matter, NaN for all of them the server's")
    func notANumber() throws {
        var x = Self.points(3)
        x[0, 1] = 1e6
        var evaluation = Evaluation(dimension: 2, lanes: 3)
        var one = try Self.models(Recorder(rows: 64), ["{}"])[0].evaluator(lanes: 3, at: Self.level)
        try one.evaluate(at: x, into: &evaluation)
        #expect(evaluation.logDensity.map(\.isNaN) == [false, true, false])
        var all = try Self.models(Recorder(rows: 64, spoils: true), ["{}"])[0].evaluator(lanes: 3, at: Self.level)
        let error = #expect(throws: EvaluationError.self) { try all.evaluate(at: x, into: &evaluation) }
        #expect("\(try #require(error))".contains("gave NaN for all 3 points"))
        for lane in 0..<3 { x[0, lane] = .infinity }
        try all.evaluate(at: x, into: &evaluation)
    }
}
