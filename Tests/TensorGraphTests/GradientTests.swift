import Foundation
import Testing

@testable import TensorGraph

@Suite("Plans and gradients of graphs")
struct GradientTests {
    /// A case with its value summed to a scalar by fixed weights, and that scalar's first and second
    /// gradients: the second is that of a weighted sum of the first.
    private struct Differentiated {
        let inputs: [Value]
        let indices: [Value]
        let scalar: Value
        let first: [Value]
        let sum: Value
        let second: [Value]

        init(_ test: GraphCase, rates: [Rate]) {
            let graph = Graph()
            inputs = test.shapes.enumerated().map { graph.input($1, rate: rates[$0 % rates.count]) }
            indices = test.indices.map { graph.indices($0.count, rate: rates[0]) }
            scalar = Self.weighted([test.build(inputs, indices)])
            first = graph.gradient(of: scalar, withRespectTo: inputs)
            sum = Self.weighted(first)
            second = graph.gradient(of: sum, withRespectTo: inputs)
        }

        private static func weighted(_ values: [Value]) -> Value {
            values.enumerated().map { number, value in
                let weights = (0..<value.shape.elementCount).map { Float(($0 * 7 + number * 3) % 5) * 0.25 + 0.5 }
                let axes = Array(value.shape.indices)
                return (value * value.graph.constant(Tensor(shape: value.shape, values: weights))).reduce(.sum, axes)
                    .reshape([])
            }.reduce(values[0].graph.constant(0), +)
        }

        func interpreter(_ test: GraphCase, _ numbers: [[Double]]) -> DoubleInterpreter {
            DoubleInterpreter(
                inputs: Dictionary(uniqueKeysWithValues: zip(inputs.map(\.index), numbers)),
                indices: Dictionary(uniqueKeysWithValues: zip(indices.map(\.index), test.indices)))
        }
    }

    @Test("First and second gradients agree with finite differences in double precision", arguments: GraphCase.all)
    func gradients(_ test: GraphCase) {
        let graph = Differentiated(test, rates: [.evaluation])
        let numbers = test.numbers(seed: 3)
        let exact = graph.interpreter(test, numbers)
        let step = 1e-5
        for input in numbers.indices {
            let first = exact.values(graph.first[input])
            let second = exact.values(graph.second[input])
            for place in stride(from: 0, to: numbers[input].count, by: max(1, numbers[input].count / 40)) {
                var (above, below) = (numbers, numbers)
                above[input][place] += step
                below[input][place] -= step
                func slope(_ value: Value) -> Double {
                    let difference =
                        graph.interpreter(test, above).values(value)[0]
                        - graph.interpreter(test, below).values(value)[0]
                    return difference / (2 * step)
                }
                #expect(abs(slope(graph.scalar) - first[place]) < 1e-6 * (1 + abs(first[place])))
                #expect(abs(slope(graph.sum) - second[place]) < 1e-6 * (1 + abs(second[place])))
            }
        }
    }

    @Test(
        "A plan computes what the interpreter computes, whatever changes seldom",
        arguments: GraphCase.all, [[Rate.evaluation], [.level, .evaluation], [.evaluation, .level], [.level]])
    func plans(_ test: GraphCase, rates: [Rate]) throws {
        let graph = Differentiated(test, rates: rates)
        let outputs = [graph.scalar] + graph.first + graph.second
        let plan = EvaluationPlan(inputs: graph.inputs + graph.indices, outputs: outputs)
        let execution = try Execution(plan)
        // Twice with other numbers: nothing of the first run may be left in the second.
        for seed in [UInt64(5), 6] {
            let numbers = test.numbers(seed: seed)
            let exact = graph.interpreter(test, numbers)
            for (number, values) in numbers.enumerated() {
                execution.setInput(number) { span in
                    for place in values.indices { span[place] = Float(values[place]) }
                }
            }
            for (number, values) in test.indices.enumerated() { execution.setIndices(number, values.map(Int32.init)) }
            execution.runLevel()
            execution.run()
            for (number, output) in outputs.enumerated() {
                let expected = exact.values(output)
                let scale = expected.map(abs).max() ?? 0
                execution.withOutput(number) { span in
                    #expect(span.count == expected.count)
                    for place in expected.indices {
                        #expect(
                            abs(Double(span[place]) - expected[place]) <= 2e-5 * (scale + 0.1), "\(number) [\(place)]")
                    }
                }
            }
        }
    }

    @Test(
        "A group norm and its gradient are what the definition by other operations gives", arguments: [false, true])
    func groupNormByDefinition(hasSwish: Bool) {
        let graph = Graph()
        let x = graph.input([2, 2, 3, 4], rate: .evaluation)
        let (weight, bias) = (graph.input([2, 1, 1, 4], rate: .level), graph.input([4], rate: .level))
        let norm = GroupNorm(groups: 2, epsilon: 0.01, hasSwish: hasSwish)
        let plain = x.groupNorm(groups: 2, weight: weight, bias: bias, epsilon: 0.01)
        let pairs = [hasSwish ? plain.swish() : plain, x.groupNormByDefinition(weight: weight, bias: bias, norm)]
            .map { y in [y, graph.gradient(of: y * y, withRespectTo: [x])[0]] }
        func numbers(_ count: Int) -> [Double] { (0..<count).map { Double($0 * 37 % 23) * 0.1 - 1 } }
        let exact = DoubleInterpreter(
            inputs: [x.index: numbers(48), weight.index: numbers(8), bias.index: numbers(4)], indices: [:])
        for (one, other) in zip(pairs[0], pairs[1]) {
            #expect(one.index != other.index)
            // The definition's means have 1 / count in single precision.
            for (a, b) in zip(exact.values(one), exact.values(other)) { #expect(abs(a - b) < 1e-6 * (1 + abs(a))) }
        }
    }

    @Test("A sigmoid that is multiplied by its argument has a gradient of its own where that is asked for")
    func sigmoidWithinSwish() {
        let graph = Graph()
        let x = graph.input([7], rate: .evaluation)
        let sigmoid = x.sigmoid()
        // The same with a number of its own in the sigmoid's place.
        let free = graph.input([7], rate: .evaluation)
        func output(_ s: Value) -> Value { (x * s * s.exponential()).sum(0).reshape([]) }
        let gradients = graph.gradient(of: output(sigmoid), withRespectTo: [sigmoid, x])
        let alone = graph.gradient(of: output(sigmoid), withRespectTo: [sigmoid])
        let numbers = [-2, -1, -0.5, 0, 0.5, 1, 2.0]
        let sigmoids = numbers.map { 1 / (1 + exp(-$0)) }
        let step = 1e-6
        let argument = x.index
        func total(_ x: [Double], _ s: [Double]) -> Double {
            DoubleInterpreter(inputs: [argument: x, free.index: s], indices: [:]).values(output(free))[0]
        }
        let exact = DoubleInterpreter(inputs: [x.index: numbers, free.index: sigmoids], indices: [:])
        for place in numbers.indices {
            var (above, below) = (sigmoids, sigmoids)
            above[place] += step
            below[place] -= step
            let slope = (total(numbers, above) - total(numbers, below)) / (2 * step)
            #expect(abs(exact.values(gradients[0])[place] - slope) < 1e-8)
            #expect(abs(exact.values(alone[0])[place] - slope) < 1e-8)
            var (right, left) = (numbers, numbers)
            right[place] += step
            left[place] -= step
            func along(_ x: [Double]) -> Double { total(x, x.map { 1 / (1 + exp(-$0)) }) }
            let whole = (along(right) - along(left)) / (2 * step)
            #expect(abs(exact.values(gradients[1])[place] - whole) < 1e-8)
        }
    }
}
