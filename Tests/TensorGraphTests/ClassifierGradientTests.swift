import EnergyModels
import Testing

@testable import TensorGraph

@Suite("Gradients of classifiers")
struct ClassifierGradientTests {
    /// Shapes of classifiers: two labels and more, with blocks and without, more than two dimensions.
    struct Shape: Sendable, CustomTestStringConvertible {
        var classes = 4
        var dimension = 2
        var blocks = 2

        var testDescription: String { "\(classes) classes, \(dimension) dimensions, \(blocks) blocks" }

        var description: NetworkDescription {
            NetworkDescription(
                architecture: .init(
                    kind: .classifier, dimension: dimension, hidden: 6, widen: 2, blocks: blocks, embedding: 3,
                    levels: 4, classes: classes),
                energy: nil, schedule: .init(kind: .cosine, levels: 4))
        }

        static let all = [
            Shape(), Shape(classes: 2, blocks: 1), Shape(classes: 3, dimension: 5, blocks: 1),
            Shape(classes: 2, dimension: 1, blocks: 0),
        ]
    }

    /// Log probabilities of three points, the cross entropy of their labels, and gradients, with numbers for
    /// everything.
    private struct Case {
        static let rows = 3
        let classifier: ClassifierGraph
        let points: Value
        let labels: Value
        let weights: [Value]
        /// The log probabilities of the labels, summed.
        let sum: Value
        let gradient: Value
        let gradients: [Value]
        let inputs: [Value]
        var interpreter = DoubleInterpreter()

        init(_ shape: Shape) {
            let graph = Graph()
            let architecture = shape.description.architecture
            let weights = architecture.parameters.map { graph.input($0.shape, rate: .level) }
            let points = graph.input([Self.rows, shape.dimension], rate: .evaluation)
            let labels = graph.input([Self.rows, shape.classes], rate: .evaluation)
            let levels = graph.indices(Self.rows, rate: .evaluation)
            classifier = ClassifierGraph(shape.description, parameters: weights, points: points, levels: levels)
            sum = classifier.logProbability(of: labels).sum(0, 1)
            gradient = graph.gradient(of: sum, withRespectTo: [points])[0]
            gradients = graph.gradient(of: sum, withRespectTo: weights)
            (self.points, self.labels, self.weights) = (points, labels, weights)
            inputs = weights + [points, labels, levels]

            var state: UInt64 = 7
            for value in weights + [points] {
                interpreter.inputs[value.index] = (0..<value.shape.elementCount).map { _ in
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    return Double(Float(Double(state >> 40) / Double(1 << 24) - 0.5))
                }
            }
            interpreter.indices[levels.index] = [2, 0, 3]
            interpreter.inputs[labels.index] = (0..<Self.rows * shape.classes).map { place in
                place % shape.classes == place / shape.classes % shape.classes ? 1 : 0
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

        /// The largest error of a gradient of `sum` with respect to the points, relative to 1 or its size.
        func worstError(of gradient: Value) -> Double {
            let exact = interpreter.values(gradient)
            return exact.indices.map { place in
                let slope = slope(sum, along: points, place)
                return (slope - exact[place]).magnitude / (1 + slope.magnitude)
            }.max() ?? 0
        }
    }

    @Test("Probabilities are above zero and add up to one", arguments: Shape.all)
    func probabilities(_ shape: Shape) {
        let test = Case(shape)
        let sums = test.interpreter.values(test.classifier.logProbabilities.exponential().sum(-1))
        #expect(sums.count == Case.rows)
        for sum in sums { #expect((sum - 1).magnitude < 1e-12) }
    }

    @Test("The gradient of a log probability with respect to the points is its slope", arguments: Shape.all)
    func points(_ shape: Shape) {
        let test = Case(shape)
        #expect(test.worstError(of: test.gradient) < 1e-7)
    }

    // Logits alone, as if their softmax had no part in the slope: what a classifier's guidance often is by mistake.
    @Test("The gradient of the label's logit is found out, and so is that of another label", arguments: Shape.all)
    func mistakes(_ shape: Shape) {
        let test = Case(shape)
        let graph = test.points.graph
        let all = test.classifier.logProbabilities
        // As they are where the first is zero: a softmax is the same whatever all logits have in common.
        let logits = all - all.slice(1, 0..<1)
        let uncentred = graph.gradient(of: (test.labels * logits).sum(0, 1), withRespectTo: [test.points])[0]
        #expect(test.worstError(of: uncentred) > 1e-3)
        let next = Value.concatenate(
            [test.labels.slice(1, 1..<shape.classes), test.labels.slice(1, 0..<1)], axis: 1)
        let other = graph.gradient(of: test.classifier.logProbability(of: next).sum(0, 1), withRespectTo: [test.points])
        #expect(test.worstError(of: other[0]) > 1e-3)
    }

    @Test("The gradient of the cross entropy is right for every weight", arguments: Shape.all)
    func training(_ shape: Shape) {
        let test = Case(shape)
        for (weights, gradient) in zip(test.weights, test.gradients) {
            let exact = test.interpreter.values(gradient)
            for place in stride(from: 0, to: exact.count, by: max(1, exact.count / 5)) {
                let slope = test.slope(test.sum, along: weights, place)
                #expect(abs(slope - exact[place]) < 1e-7 * (1 + abs(slope)))
            }
        }
    }

    @Test("The plan of a classifier and of its training computes both in single precision", arguments: Shape.all)
    func plan(_ shape: Shape) throws {
        let test = Case(shape)
        let outputs = [test.classifier.logProbabilities, test.gradient, test.sum] + test.gradients
        let execution = try Execution(EvaluationPlan(inputs: test.inputs, outputs: outputs))
        for (number, input) in test.inputs.dropLast().enumerated() {
            let values = test.interpreter.inputs[input.index] ?? []
            execution.setInput(number) { span in for place in values.indices { span[place] = Float(values[place]) } }
        }
        execution.setIndices(0, [2, 0, 3])
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

    /// The log softmax of three numbers, and the gradient of its first with respect to them, in single precision.
    private func logSoftmax(_ numbers: [Float]) throws -> (values: [Float], gradient: [Float]) {
        let graph = Graph()
        let x = graph.input([1, 3], rate: .evaluation)
        let logarithms = x.logSoftmax(-1)
        let gradient = graph.gradient(of: logarithms.slice(1, 0..<1), withRespectTo: [x])[0]
        let execution = try Execution(EvaluationPlan(inputs: [x], outputs: [logarithms, gradient]))
        execution.setInput(0) { span in for place in 0..<3 { span[place] = numbers[place] } }
        execution.run()
        func read(_ number: Int) -> [Float] { execution.withOutput(number) { span in (0..<3).map { span[$0] } } }
        return (read(0), read(1))
    }

    @Test("Huge logits give finite log probabilities and gradients, and lose no digits to what they share")
    func hugeLogits() throws {
        let far = try logSoftmax([1e30, -1e30, 0])
        #expect(far.values == [0, -2e30, -1e30])
        #expect(far.gradient == [0, 0, 0])
        let under = try logSoftmax([-1e30, 1e30, 0])
        #expect(under.values == [-2e30, 0, -1e30])
        #expect(under.gradient == [1, -1, 0])
        // 2^20 more of each: exact in single precision.
        #expect(try logSoftmax([1.5, 0.25, -3]).values == logSoftmax([1_048_577.5, 1_048_576.25, 1_048_573]).values)
    }

    @Test(
        "What is not finite gives no number for the label",
        arguments: [[Float.nan, 0, 0], [0, .nan, 0], [.infinity, 0, 0], [0, .infinity, 0], [-.infinity, 0, 0]])
    func notFinite(logits: [Float]) throws {
        let found = try logSoftmax(logits).values[0]
        #expect(!found.isFinite)
    }
}
