import EnergyModels
import Foundation
import Safetensors
import StrictJSON
import Testing
import VectorMath

@Suite("U-Nets")
struct UNetTests {
    private func network(_ name: String) throws -> Network {
        try Network(NetworkFile(path: NetworkFixtureTests.path("unet-\(name).safetensors")))
    }

    private func points(_ shape: PointShape, lanes: Int) -> LaneMatrix {
        var x = LaneMatrix(rows: shape.dimension, lanes: lanes)
        for row in 0..<shape.dimension {
            for lane in 0..<lanes { x[row, lane] = 0.03 * Double((row * 7 + lane * 5) % 61) - 0.9 }
        }
        return x
    }

    private func evaluate(_ density: any Density, lanes: Int, at level: NoiseLevel) throws -> Evaluation {
        var evaluator = density.evaluator(lanes: lanes, at: level)
        var evaluation = Evaluation(dimension: density.dimension, lanes: lanes)
        try evaluator.evaluate(at: points(density.shape, lanes: lanes), into: &evaluation)
        return evaluation
    }

    private func level(_ network: Network, _ index: Int) -> NoiseLevel {
        NoiseSchedule(network.description.schedule).levels[index]
    }

    @Test("any memory to work in gives the same bits: of points and labels so many pass at a time as fit")
    func memory() throws {
        let whole = SmallUNet.network()
        let level = NoiseSchedule(whole.description.schedule).levels[1]
        let x = points(whole.description.architecture.shape, lanes: 8)
        func evaluate(_ network: Network) throws -> [Evaluation] {
            let leaves = [0, 1, 0].map { network.density(label: $0) }
            var evaluator = JointEvaluator(leaves, lanes: 8, at: level)
            var evaluations = leaves.map { Evaluation(dimension: $0.dimension, lanes: 8) }
            // The second time every level and label has been another one meanwhile.
            for _ in 0..<2 { try evaluator.evaluate(at: x, into: &evaluations) }
            return evaluations
        }
        let wanted = try evaluate(whole)
        #expect(wanted[0].score.elements == wanted[2].score.elements)
        #expect(wanted[0].score.elements != wanted[1].score.elements)
        for rows in [0, 1, 2, 3, 5, 8, 20] {
            let found = try evaluate(whole.working(within: whole.leastWork * rows))
            for (a, b) in zip(found, wanted) {
                #expect(a.logDensity == b.logDensity && a.score.elements == b.score.elements, "\(rows)")
            }
        }
    }

    @Test("each malformed file is refused with its own words", arguments: MalformedUNet.all)
    func refusal(of malformed: MalformedUNet) throws {
        let file = ScratchFile()
        try file.write(SmallNetwork.bytes(malformed.tensors, metadata: ["rrr.model": malformed.text]))
        let error = try #require(throws: SafetensorsError.self) { try NetworkFile(path: file.path) }
        #expect(error.code == .badData)
        #expect(error.message == malformed.message)
    }

    @Test("the files that the table changes are networks, and the table has a name for each")
    func table() throws {
        #expect(MalformedUNet.all.count >= 50)
        #expect(Set(MalformedUNet.all.map(\.testDescription)).count == MalformedUNet.all.count)
        let file = ScratchFile()
        for (description, text) in [
            (SmallUNet.description, SmallUNet.text), (SmallUNet.classifier, SmallUNet.classifierText),
        ] {
            try file.write(SmallNetwork.bytes(SmallUNet.tensors(description), metadata: ["rrr.model": text]))
            let network = try NetworkFile(path: file.path)
            #expect(network.description == description)
            #expect(
                try network.description.architecture.parameters.map(network.values) == SmallUNet.parameters(description)
            )
            #expect(network.description.architecture.shape.lengths == [1, 4, 4])
        }
    }

    @Test("what is written of every option comes back")
    func options() throws {
        var network = SmallUNet.architecture
        network.outputs = 2
        network.scalesAndShifts = true
        network.projections = .split
        network.attendsInMiddle = false
        network.normEpsilon = 1e-6
        network.padding = .rightBottom
        network.multipliers = [0.5, 1]
        network.groups = 1
        network.heads = .count(1)
        network.time.order = .sinesFirst
        network.time.shift = 1
        network.time.scale = 0.25
        let description = NetworkDescription(
            architecture: .unet(network), energy: .init(kind: .noise, scale: 2, prediction: .v),
            schedule: .init(kind: .scaledLinear(first: 0.01), levels: 3))
        let scratch = ScratchFile()
        try NetworkFile.write(
            description: description, parameters: SmallUNet.parameters(description), as: .float16, to: scratch.path)
        let file = try NetworkFile(path: scratch.path)
        #expect(file.description == description)
        #expect(try description.architecture.parameters.map(file.values) == SmallUNet.parameters(description))
    }

    @Test("a file without a row for no label gives a network that needs one")
    func withoutNullRow() throws {
        #expect(try network("energy").description.architecture.isUsableWithoutLabel)
        #expect(try network("ddpm").description.architecture.isUsableWithoutLabel)
        #expect(try !network("guided").description.architecture.isUsableWithoutLabel)
    }

    @Test(
        "A chain's bits do not depend on how many run beside it",
        arguments: ["energy", "convolution", "pool", "ddpm"], [1, 2, 5, 9, 16])
    func width(name: String, lanes: Int) throws {
        let network = try network(name)
        let level = level(network, 20)
        let few = try evaluate(network.density(), lanes: lanes, at: level)
        let many = try evaluate(network.density(), lanes: 21, at: level)
        for lane in 0..<lanes {
            #expect(few.logDensity[lane] == many.logDensity[lane])
            for row in 0..<network.description.architecture.dimension {
                #expect(few.score[row, lane] == many.score[row, lane])
            }
        }
    }

    @Test("The network is told the level of the schedule that it was trained on")
    func original() throws {
        let network = try network("energy")
        let description = ScheduleDescription(kind: .cosine, levels: 100, spaced: 12)
        let level = NoiseSchedule(description).levels[7]
        #expect(level.original == 63)
        let spaced = try evaluate(network.density(label: 1), lanes: 2, at: level)
        #expect(try spaced == evaluate(network.density(label: 1), lanes: 2, at: self.level(network, 63)))
        #expect(try spaced != evaluate(network.density(label: 1), lanes: 2, at: self.level(network, 7)))
    }

    @Test(
        "Leaves of one network that are evaluated together have the bits that they have alone",
        arguments: [1, 3, 8, 20])
    func together(lanes: Int) throws {
        let (labelled, guided, classifier) = (try network("energy"), try network("guided"), try network("classifier"))
        let judge = try #require(classifier.classifier)
        let densities: [any Density] = [
            labelled.density(), guided.density(label: 0), labelled.density(label: 2), judge.logProbability(of: 2),
            labelled.density(label: 0), UniformImage(shape: judge.shape), judge.logProbability(of: 0),
            guided.density(label: 1),
        ]
        let levels = [40, 3].map { level(labelled, $0) }
        var joint = JointEvaluator(densities, lanes: lanes, at: levels[0])
        var evaluations = densities.map { Evaluation(dimension: $0.dimension, lanes: lanes) }
        for level in levels {
            joint.move(to: level)
            try joint.evaluate(at: points(judge.shape, lanes: lanes), into: &evaluations)
            for (density, evaluation) in zip(densities, evaluations) {
                #expect(try evaluation == evaluate(density, lanes: lanes, at: level))
            }
            #expect(evaluations[0] != evaluations[2] && evaluations[3] != evaluations[6])
        }
    }

    @Test("A copy of a joint evaluator at another level leaves the first where it was")
    func copies() throws {
        let network = try network("energy")
        let levels = [10, 90].map { level(network, $0) }
        let densities = [network.density(), network.density(label: 1)]
        let x = points(network.description.architecture.shape, lanes: 2)
        var first = JointEvaluator(densities, lanes: 2, at: levels[0])
        var before = densities.map { Evaluation(dimension: $0.dimension, lanes: 2) }
        try first.evaluate(at: x, into: &before)
        var (second, after) = (first, before)
        second.move(to: levels[1])
        try second.evaluate(at: x, into: &after)
        #expect(after != before)
        try first.evaluate(at: x, into: &after)
        #expect(after == before)
    }
}

/// A density that is no network: the same everywhere.
private struct UniformImage: Density {
    let shape: PointShape

    func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator { Evaluator() }

    struct Evaluator: DensityEvaluator {
        mutating func move(to level: NoiseLevel) {}

        mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) {
            for lane in 0..<x.lanes { evaluation.logDensity[lane] = 0.25 }
            for row in 0..<x.rows {
                for lane in 0..<x.lanes { evaluation.score[row, lane] = 0 }
            }
        }
    }
}
