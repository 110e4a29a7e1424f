import EnergyModels
import Testing

@testable import TensorGraph

@Suite("Gradients of networks")
struct NetworkGradientTests {
    /// A network in its shapes: every energy form, with and without labels, more than two dimensions.
    struct Shape: Sendable, CustomTestStringConvertible {
        let kind: NetworkDescription.Energy.Kind
        var dimension = 2
        var blocks = 2
        var classes: Int?

        var testDescription: String { "\(kind), \(dimension) dimensions, \(blocks) blocks, \(classes ?? 0) classes" }

        var description: NetworkDescription {
            NetworkDescription(
                architecture: .init(
                    dimension: dimension, hidden: 6, widen: 2, blocks: blocks, embedding: 3, levels: 4, classes: classes
                ),
                energy: .init(kind: kind, scale: 0.75), schedule: .init(kind: .cosine, levels: 4))
        }

        static let all =
            NetworkDescription.Energy.Kind.allCases.map { Shape(kind: $0) } + [
                Shape(kind: .denoising, classes: 3), Shape(kind: .denoising, dimension: 5, blocks: 1),
                Shape(kind: .innerProduct, dimension: 1, blocks: 0), Shape(kind: .noise, dimension: 3, classes: 2),
            ]
    }

    /// Energy, prediction, loss and the loss's gradients of three points, with numbers for everything.
    private struct Case {
        static let rows = 3
        let network: NetworkGraph
        let points: Value
        let weights: [Value]
        let loss: Value
        let gradients: [Value]
        let inputs: [Value]
        var interpreter: DoubleInterpreter

        init(_ shape: Shape) {
            let graph = Graph()
            let architecture = shape.description.architecture
            let weights = architecture.parameters.map { graph.input($0.shape, rate: .level) }
            let points = graph.input([Self.rows, shape.dimension], rate: .evaluation)
            let levels = graph.indices(Self.rows, rate: .evaluation)
            let labels = shape.classes.map { _ in graph.indices(Self.rows, rate: .evaluation) }
            network = NetworkGraph(
                shape.description, parameters: weights, points: points, levels: levels, labels: labels)
            let residual = network.gradient - 0.3
            loss = (residual * residual).sum(0, 1)
            gradients = graph.gradient(of: loss, withRespectTo: weights)
            (self.points, self.weights) = (points, weights)
            inputs = weights + [points, levels] + (labels.map { [$0] } ?? [])

            interpreter = DoubleInterpreter()
            var state: UInt64 = 7
            for value in weights + [points] {
                interpreter.inputs[value.index] = (0..<value.shape.elementCount).map { _ in
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    return Double(Float(Double(state >> 40) / Double(1 << 24) - 0.5))
                }
            }
            interpreter.indices[levels.index] = [2, 0, 3]
            if let labels, let classes = shape.classes { interpreter.indices[labels.index] = [0, classes, 1] }
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

    @Test(
        "The prediction of the noise is the gradient of the energy", arguments: Shape.all.filter { $0.kind != .noise })
    func prediction(_ shape: Shape) throws {
        let test = Case(shape)
        let energy = try #require(test.network.energy)
        let gradient = test.interpreter.values(test.network.gradient)
        for place in gradient.indices {
            let slope = test.slope(energy, along: test.points, place)
            #expect(abs(slope - gradient[place]) < 1e-7 * (1 + abs(slope)))
        }
    }

    @Test(
        "The gradient of the training loss, a derivative of a derivative, is right for every weight",
        arguments: Shape.all)
    func training(_ shape: Shape) {
        let test = Case(shape)
        for (weights, gradient) in zip(test.weights, test.gradients) {
            let exact = test.interpreter.values(gradient)
            for place in stride(from: 0, to: exact.count, by: max(1, exact.count / 5)) {
                let slope = test.slope(test.loss, along: weights, place)
                #expect(abs(slope - exact[place]) < 1e-6 * (1 + abs(slope)))
            }
        }
    }

    @Test("The plan of a network and of its training computes both in single precision", arguments: Shape.all)
    func plan(_ shape: Shape) throws {
        let test = Case(shape)
        let outputs = [test.network.gradient, test.loss] + (test.network.energy.map { [$0] } ?? []) + test.gradients
        let execution = try Execution(EvaluationPlan(inputs: test.inputs, outputs: outputs))
        var (floats, indices) = (0, 0)
        for input in test.inputs {
            if let values = test.interpreter.inputs[input.index] {
                execution.setInput(floats) { span in for place in values.indices { span[place] = Float(values[place]) }
                }
                floats += 1
            } else {
                execution.setIndices(indices, (test.interpreter.indices[input.index] ?? []).map(Int32.init))
                indices += 1
            }
        }
        execution.runLevel()
        execution.run()
        for (number, output) in outputs.enumerated() {
            let exact = test.interpreter.values(output)
            let scale = exact.map(abs).max() ?? 0
            execution.withOutput(number) { span in
                for place in exact.indices { #expect(abs(Double(span[place]) - exact[place]) < 3e-5 * (scale + 0.01)) }
            }
        }
    }
}
