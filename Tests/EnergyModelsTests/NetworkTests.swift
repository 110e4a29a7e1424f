import EnergyModels
import Testing
import VectorMath

@Suite("Networks as densities")
struct NetworkTests {
    private func network(_ name: String) throws -> Network {
        try Network(NetworkFile(path: NetworkFixtureTests.path(name + ".safetensors")))
    }

    private func evaluate(_ network: Network, lanes: Int, level: Int, label: Int? = nil) throws -> Evaluation {
        let schedule = NoiseSchedule(network.description.schedule)
        var evaluator = network.density(label: label).evaluator(lanes: lanes, at: schedule.levels[9])
        evaluator.move(to: schedule.levels[level])
        var x = LaneMatrix(rows: 2, lanes: lanes)
        for lane in 0..<lanes { (x[0, lane], x[1, lane]) = (0.1 * Double(lane % 13) - 0.5, 0.05 * Double(lane % 7)) }
        var evaluation = Evaluation(dimension: 2, lanes: lanes)
        try evaluator.evaluate(at: x, into: &evaluation)
        return evaluation
    }

    @Test("Log density and score are energy and gradient over minus sigma")
    func noiseLevel() throws {
        let network = try network("denoising")
        let sigma = NoiseSchedule(network.description.schedule).levels[4].noise
        let evaluation = try evaluate(network, lanes: 3, level: 4)
        let (energy, gradient) = try network.evaluate(points: [-0.5, 0, -0.4, 0.05, -0.3, 0.1], level: 4)
        for lane in 0..<3 {
            #expect(evaluation.logDensity[lane] == -1 / sigma * Double(try #require(energy)[lane]))
            for row in 0..<2 {
                #expect(evaluation.score[row, lane] == -1 / sigma * Double(gradient[lane * 2 + row]))
            }
        }
    }

    @Test("A chain's bits do not depend on how many run beside it", arguments: [1, 2, 3, 7, 64, 100, 257, 600])
    func width(_ lanes: Int) throws {
        let network = try network("denoising")
        let (few, many) = try (evaluate(network, lanes: lanes, level: 2), evaluate(network, lanes: 601, level: 2))
        for lane in 0..<lanes {
            #expect(few.logDensity[lane] == many.logDensity[lane])
            #expect(few.score[0, lane] == many.score[0, lane] && few.score[1, lane] == many.score[1, lane])
        }
    }

    @Test("A label is a condition, and no label is one too")
    func labels() throws {
        let network = try network("labelled")
        let densities = try [nil, 0, 1, 2].map { try evaluate(network, lanes: 2, level: 1, label: $0).logDensity }
        for (index, one) in densities.enumerated() {
            for other in densities[..<index] { #expect(one != other) }
        }
    }

    @Test("A copy of an evaluator at another level leaves the first where it was")
    func copies() throws {
        let network = try network("denoising")
        let levels = NoiseSchedule(network.description.schedule).levels
        var first = network.density().evaluator(lanes: 2, at: levels[0])
        let x = LaneMatrix(rows: 2, lanes: 2, repeating: 0.3)
        var (before, after) = (Evaluation(dimension: 2, lanes: 2), Evaluation(dimension: 2, lanes: 2))
        try first.evaluate(at: x, into: &before)
        var second = first
        second.move(to: levels[9])
        try second.evaluate(at: x, into: &after)
        #expect(after != before)
        try first.evaluate(at: x, into: &after)
        #expect(after == before)
    }

    @Test("A network without an energy has a log density of zero throughout")
    func noiseKind() throws {
        let evaluation = try evaluate(try network("noise"), lanes: 4, level: 3)
        #expect(evaluation.logDensity == [0, 0, 0, 0])
        #expect(evaluation.score.elements.allSatisfy { $0 != 0 })
    }

    /// Recorded once; every x86-64 processor gives these bits, whichever vectors it has.
    @Test("The bits of energy and gradient are the recorded ones")
    func recorded() throws {
        let network = try network("denoising")
        let (energy, gradient) = try network.evaluate(points: [0.25, -0.5, 1, 2], level: 3)
        let bits = (try #require(energy) + gradient).map(\.bitPattern)
        #expect(bits == [1_016_766_996, 1_099_507_432, 1_032_129_109, 1_051_834_233, 1_092_835_772, 1_091_733_921])
    }
}
