import EnergyModels
import Foundation
import Testing
import VectorMath

@Suite("Classifiers")
struct ClassifierTests {
    private func network(_ name: String = "classifier") throws -> Network {
        try Network(NetworkFile(path: NetworkFixtureTests.path(name + ".safetensors")))
    }

    private func evaluate(_ network: Network, label: Int, lanes: Int, level: Int) throws -> Evaluation {
        let schedule = NoiseSchedule(network.description.schedule)
        let classifier = try #require(network.classifier)
        var evaluator = classifier.logProbability(of: label).evaluator(lanes: lanes, at: schedule.levels[9])
        evaluator.move(to: schedule.levels[level])
        var x = LaneMatrix(rows: 2, lanes: lanes)
        for lane in 0..<lanes { (x[0, lane], x[1, lane]) = (0.1 * Double(lane % 13) - 0.5, 0.05 * Double(lane % 7)) }
        var evaluation = Evaluation(dimension: 2, lanes: lanes)
        try evaluator.evaluate(at: x, into: &evaluation)
        return evaluation
    }

    /// What Fixtures/make_classifier_fixture.py and make_unet_fixtures.py computed in double precision.
    private struct Expected: Decodable {
        struct Case: Decodable {
            let level: Int
            let log_probabilities: [[Double]]
            let gradients: [[[Double]]]
        }

        let points: [[Double]]
        let cases: [Case]
    }

    @Test(
        "Log probabilities and gradients of a classifier made elsewhere are its maker's to 1e-5",
        arguments: ["classifier", "unet-classifier"])
    func fixture(_ name: String) throws {
        let network = try network(name)
        let expected = try JSONDecoder().decode(
            Expected.self, from: Data(contentsOf: URL(filePath: NetworkFixtureTests.path(name + ".json"))))
        let points = expected.points.flatMap { $0.map(Float.init) }
        func expectClose(_ numbers: [Float], _ wanted: [Double]) {
            #expect(numbers.count == wanted.count)
            let scale = wanted.map(abs).max() ?? 0
            for (number, wanted) in zip(numbers, wanted) { #expect(abs(Double(number) - wanted) <= 1e-5 * scale) }
        }
        #expect(expected.cases.count >= 2)
        for test in expected.cases {
            for (label, gradient) in test.gradients.enumerated() {
                let found = try network.classify(points: points, level: test.level, label: label)
                expectClose(found.logProbabilities, test.log_probabilities.flatMap(\.self))
                expectClose(try #require(found.gradient), gradient.flatMap(\.self))
            }
            #expect(try network.classify(points: points, level: test.level).gradient == nil)
        }
    }

    @Test("What guides is the log probability of the label and its gradient, undivided by the noise")
    func density() throws {
        let network = try network()
        for label in 0..<3 {
            let evaluation = try evaluate(network, label: label, lanes: 3, level: 4)
            let found = try network.classify(points: [-0.5, 0, -0.4, 0.05, -0.3, 0.1], level: 4, label: label)
            let gradient = try #require(found.gradient)
            for lane in 0..<3 {
                #expect(evaluation.logDensity[lane] == Double(found.logProbabilities[lane * 3 + label]))
                for row in 0..<2 { #expect(evaluation.score[row, lane] == Double(gradient[lane * 2 + row])) }
            }
        }
    }

    @Test("A chain's bits do not depend on how many run beside it", arguments: [1, 2, 3, 7, 64, 100, 257, 600])
    func width(_ lanes: Int) throws {
        let network = try network()
        let few = try evaluate(network, label: 1, lanes: lanes, level: 2)
        let many = try evaluate(network, label: 1, lanes: 601, level: 2)
        for lane in 0..<lanes {
            #expect(few.logDensity[lane] == many.logDensity[lane])
            #expect(few.score[0, lane] == many.score[0, lane] && few.score[1, lane] == many.score[1, lane])
        }
    }

    @Test("A copy of an evaluator at another level, and one of another label, leave the first where it was")
    func copies() throws {
        let classifier = try #require(try network().classifier)
        #expect(classifier.shape.dimension == 2 && classifier.classes == 3)
        let levels = NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 10)).levels
        var first = classifier.logProbability(of: 0).evaluator(lanes: 2, at: levels[0])
        let x = LaneMatrix(rows: 2, lanes: 2, repeating: 0.3)
        var (before, after) = (Evaluation(dimension: 2, lanes: 2), Evaluation(dimension: 2, lanes: 2))
        try first.evaluate(at: x, into: &before)
        var second = first
        second.move(to: levels[9])
        try second.evaluate(at: x, into: &after)
        #expect(after != before)
        var other = classifier.logProbability(of: 1).evaluator(lanes: 2, at: levels[0])
        try other.evaluate(at: x, into: &after)
        #expect(after != before)
        try first.evaluate(at: x, into: &after)
        #expect(after == before)
    }

    @Test("A network with an energy is no classifier")
    func energies() throws {
        for name in ["denoising", "noise", "labelled"] {
            let file = try NetworkFile(path: NetworkFixtureTests.path(name + ".safetensors"))
            let network = try Network(file)
            #expect(network.classifier == nil)
        }
    }

    /// Recorded once; every x86-64 processor gives these bits, whichever vectors it has.
    @Test("The bits of log probabilities and gradient are the recorded ones")
    func recorded() throws {
        let found = try network().classify(points: [0.25, -0.5, 1, 2], level: 3, label: 2)
        let bits = (found.logProbabilities + (found.gradient ?? [])).map(\.bitPattern)
        #expect(
            bits == [
                3_221_665_447, 3_200_468_918, 3_218_151_192, 3_187_817_585, 3_223_875_338, 3_225_618_995, 3_191_110_673,
                3_201_366_440, 1_033_187_357, 3_215_385_576,
            ])
    }
}
