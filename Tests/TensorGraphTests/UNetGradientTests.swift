import EnergyModels
import Testing

@testable import TensorGraph

@Suite("Gradients of U-Nets")
struct UNetGradientTests {
    /// A small U-Net with some of the options.
    struct Shape: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let energy: NetworkDescription.Energy?
        var change: @Sendable (inout UNet) -> Void = { _ in }

        var description: NetworkDescription {
            var network = UNet(
                height: 2, width: 4, channels: 1, modelChannels: 2, multipliers: [1, 2], blocks: 1, attention: [2],
                heads: .channels(2), groups: 1, levels: 3, classes: 2)
            change(&network)
            return NetworkDescription(
                architecture: .unet(network), energy: energy, schedule: .init(kind: .linear(), levels: 3))
        }

        static let all = [
            Shape(testDescription: "denoising, in blocks", energy: .init(kind: .denoising, scale: 0.5)),
            Shape(testDescription: "squared norm, scale and shift, in convolutions", energy: .init(kind: .squaredNorm))
            {
                $0.scalesAndShifts = true
                $0.resampling = .convolution
                $0.padding = .rightBottom
                $0.projections = .split
            },
            Shape(testDescription: "v, by pooling", energy: .init(kind: .noise, prediction: .v)) {
                $0.resampling = .pool
                $0.outputs = 2
            },
            Shape(testDescription: "a classifier", energy: nil) { $0.kind = .classifier },
        ]
    }

    /// What is trained on: a scalar of the prediction of the noise, itself a gradient, or of the log probabilities.
    private struct Case {
        static let rows = 2
        let points: Value
        let weights: [Value]
        let prediction: Value
        let energy: Value?
        let loss: Value
        let gradients: [Value]
        var interpreter = DoubleInterpreter()

        init(_ shape: Shape) {
            let graph = Graph()
            let description = shape.description
            let architecture = description.architecture
            weights = architecture.parameters.map { graph.input($0.shape, rate: .level) }
            points = graph.input([Self.rows, architecture.dimension], rate: .evaluation)
            let levels = graph.indices(Self.rows, rate: .evaluation)
            if architecture.kind == .classifier {
                let classifier = ClassifierGraph(description, parameters: weights, points: points, levels: levels)
                (prediction, energy) = (classifier.logProbabilities, nil)
            } else {
                let labels = graph.indices(Self.rows, rate: .evaluation)
                interpreter.indices[labels.index] = [2, 1]
                let network = NetworkGraph(
                    description, parameters: weights, points: points, levels: levels, labels: labels)
                (prediction, energy) = (network.gradient, network.energy)
            }
            let residual = prediction - 0.3
            loss = (residual * residual).sum(0, 1)
            gradients = graph.gradient(of: loss, withRespectTo: weights)
            interpreter.indices[levels.index] = [2, 0]
            var state: UInt64 = 7
            for value in weights + [points] {
                interpreter.inputs[value.index] = (0..<value.shape.elementCount).map { _ in
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    return Double(state >> 40) / Double(1 << 24) - 0.5
                }
            }
        }

        /// (f(x + h) - f(x - h)) / 2 h for the sum of a value's elements.
        func slope(_ value: Value, along input: Value, _ place: Int) -> Double {
            let step = 1e-5
            let sums = [step, -step].map { step in
                var moved = interpreter
                moved.inputs[input.index]?[place] += step
                return moved.values(value).reduce(0, +)
            }
            return (sums[0] - sums[1]) / (2 * step)
        }
    }

    @Test("The prediction of the noise is the gradient of the energy", arguments: Shape.all.prefix(2))
    func prediction(_ shape: Shape) throws {
        let test = Case(shape)
        let energy = try #require(test.energy)
        let gradient = test.interpreter.values(test.prediction)
        for place in gradient.indices {
            let slope = test.slope(energy, along: test.points, place)
            #expect(abs(slope - gradient[place]) < 1e-6 * (1 + abs(slope)))
        }
    }

    @Test("The gradient of the training loss is right for every weight", arguments: Shape.all)
    func training(_ shape: Shape) {
        let test = Case(shape)
        for (number, (weights, gradient)) in zip(test.weights, test.gradients).enumerated() {
            let exact = test.interpreter.values(gradient)
            let place = number * 5 % exact.count
            let slope = test.slope(test.loss, along: weights, place)
            #expect(abs(slope - exact[place]) < 1e-5 * (1 + abs(slope)))
        }
    }
}
