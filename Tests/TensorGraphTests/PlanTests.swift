import Foundation
import Testing

@testable import TensorGraph

@Suite("Compiled plans")
struct PlanTests {
    private func layer(_ graph: Graph, level: Value, x: Value) -> Value {
        let weights = graph.constant(Tensor(shape: [8, 4], values: (0..<32).map { Float($0) * 0.01 }))
        let shift = 2 * level.exponential()
        return (x.matrixMultiply(weights, transposingOther: true) + shift).swish().sum(-1)
    }

    @Test("What depends on the level alone is not computed again with every evaluation")
    func rates() throws {
        let graph = Graph()
        let (level, x) = (graph.input([1, 8], rate: .level), graph.input([3, 4], rate: .evaluation))
        let plan = EvaluationPlan(inputs: [level, x], outputs: [layer(graph, level: level, x: x)])
        #expect(plan.levelSteps.count == 1)
        #expect(plan.evaluationSteps.count == 2)

        let execution = try Execution(plan)
        execution.setInput(1) { span in for index in 0..<12 { span[index] = 1 } }
        execution.runLevel()
        execution.run()
        let before = execution.withOutput(0) { $0[0] }
        execution.setInput(0) { span in for index in 0..<8 { span[index] = 1 } }
        execution.run()
        #expect(execution.withOutput(0) { $0[0] } == before)
        execution.runLevel()
        execution.run()
        #expect(execution.withOutput(0) { $0[0] } != before)
    }

    @Test("Equal expressions are one node, and a chain of elementwise operations is one pass")
    func fusion() {
        let graph = Graph()
        let x = graph.input([16, 16], rate: .evaluation)
        let swish = x.sigmoid() * x
        let chain = (swish - 1).exponential() / (swish + 1)
        let plan = EvaluationPlan(inputs: [x], outputs: [chain, chain.sum(-1)])
        #expect(plan.evaluationSteps.count == 1)
        #expect((x.sigmoid() * x).index == swish.index)
    }

    @Test("A row of a multiply depends on its own numbers and its place alone")
    func rows() throws {
        let graph = Graph()
        let (level, x) = (graph.input([1, 8], rate: .level), graph.input([64, 4], rate: .evaluation))
        let execution = try Execution(EvaluationPlan(inputs: [level, x], outputs: [layer(graph, level: level, x: x)]))
        execution.runLevel()
        func run(_ others: Float) -> [Float] {
            execution.setInput(1) { span in
                for index in 0..<256 { span[index] = index / 4 % 3 == 0 ? Float(index % 17) * 0.1 : others }
            }
            execution.run()
            return execution.withOutput(0) { span in stride(from: 0, to: 64, by: 3).map { span[$0] } }
        }
        #expect(run(0.5) == run(-700))
    }

    @Test("Arrays that are alive together never share memory")
    func memory() {
        var state: UInt64 = 1
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for _ in 0..<200 {
            let needs = (0..<30).map { node in
                let first = random(20)
                return MemoryPlan.Need(node: node, count: 1 + random(100), life: first...(first + random(10)))
            }
            let plan = MemoryPlan(needs)
            for a in needs {
                let start = plan.offsets[a.node] ?? -1
                #expect(start >= 0 && start % 16 == 0 && start + a.count <= plan.count)
                for b in needs where b.node < a.node && b.life.overlaps(a.life) {
                    let other = plan.offsets[b.node] ?? -1
                    #expect(start + a.count <= other || other + b.count <= start)
                }
            }
            #expect(plan.count <= needs.reduce(0) { $0 + ($1.count + 15) / 16 * 16 })
        }
    }

    @Test("A value that the output does not depend on has a gradient of zeros")
    func zeroGradient() throws {
        let graph = Graph()
        let (x, y) = (graph.input([3], rate: .evaluation), graph.input([2], rate: .evaluation))
        let execution = try Execution(
            EvaluationPlan(inputs: [x, y], outputs: graph.gradient(of: x * x, withRespectTo: [y, x.stopGradient()])))
        execution.run()
        #expect(execution.withOutput(0) { [$0[0], $0[1]] } == [0, 0])
    }

    @Test("Elementary functions are within a few units in the last place, and right at the edges")
    func elementary() throws {
        let inputs: [Float] = [
            -.infinity, -200, -88, -85, -1, -1e-6, 0, 1e-6, 0.5, 1, 2, 20, 88, 88.72, 89, 200, .infinity, .nan,
            .leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude,
        ]
        let graph = Graph()
        let x = graph.input([inputs.count], rate: .evaluation)
        let execution = try Execution(
            EvaluationPlan(inputs: [x], outputs: [x.exponential(), x.logarithm(), x.sigmoid(), x.squareRoot()]))
        execution.setInput(0) { span in for index in inputs.indices { span[index] = inputs[index] } }
        execution.run()
        let exact: [(Double) -> Double] = [exp, log, { 1 / (1 + exp(-$0)) }, { $0.squareRoot() }]
        for (output, function) in exact.enumerated() {
            execution.withOutput(output) { span in
                for (index, input) in inputs.enumerated() {
                    let (got, wanted) = (Double(span[index]), function(Double(input)))
                    if wanted.isNaN {
                        #expect(got.isNaN, "\(output) of \(input)")
                    } else if wanted.isInfinite || abs(wanted) > Double(Float.greatestFiniteMagnitude) {
                        #expect(got == Double(Float(wanted)), "\(output) of \(input)")
                    } else {
                        // Below e^-85.8 the exponential is zero.
                        #expect(abs(got - wanted) <= 4e-7 * abs(wanted) + 6e-38, "\(output) of \(input)")
                    }
                }
            }
        }
    }

    @Test(
        "However many arrays are reduced or added over one space, loops hold what they touch", arguments: [300, 1_200])
    func manyReductions(count: Int) throws {
        let graph = Graph()
        let inputs = (0..<count).map { _ in graph.input([2, 8], rate: .evaluation) }
        let sums = inputs.map { $0.sum(-1) }
        let all = inputs.dropFirst().reduce(inputs[0], +)
        let execution = try Execution(EvaluationPlan(inputs: inputs, outputs: sums + [all]))
        for number in inputs.indices {
            execution.setInput(number) { span in for place in 0..<16 { span[place] = Float(number + place) } }
        }
        execution.run()
        for number in sums.indices {
            let found = execution.withOutput(number) { [$0[0], $0[1]] }
            #expect(found == [Float(8 * number + 28), Float(8 * number + 92)])
        }
        let total = execution.withOutput(count) { $0[3] }
        #expect(total == Float(count * (count - 1) / 2 + 3 * count))
    }

    @Test("Plans of one graph share its fixed tensors, and one that is packed alone is kept in no other form")
    func sharedConstants() throws {
        let graph = Graph()
        let weights = graph.parameter(0, shape: [20, 24])
        var asked: [Int] = []
        func plan(rows: Int) -> EvaluationPlan {
            let x = graph.input([rows, 24], rate: .evaluation)
            let y = x.matrixMultiply(weights, transposingOther: true)
            let gradient = graph.gradient(of: y * y, withRespectTo: [x])[0]
            return EvaluationPlan(inputs: [x], outputs: [y, gradient]) { number in
                asked.append(number)
                return (0..<480).map { Float($0 % 7) - 3 }
            }
        }
        let (one, many) = (plan(rows: 1), plan(rows: 5))
        // Once for the product and once for its gradient.
        #expect(asked == [0, 0])
        func starts(_ plan: EvaluationPlan) -> Set<UnsafeMutablePointer<Float>> { Set(plan.constants.map(\.start)) }
        #expect(starts(one).intersection(starts(many)).count == 2)
        let packed = PackedMatrix.count(inner: 24, columns: 20) + PackedMatrix.count(inner: 20, columns: 24)
        #expect(graph.foldedBytes < 4 * (packed + 480))

        func row(_ plan: EvaluationPlan, of rows: Int) throws -> [Float] {
            let execution = try Execution(plan)
            execution.setInput(0) { span in for place in 0..<span.count { span[place] = Float(place % 24) } }
            execution.run()
            return execution.withOutput(1) { span in ((rows - 1) * 24..<rows * 24).map { span[$0] } }
        }
        #expect(try row(one, of: 1) == row(many, of: 5))
    }

    @Test("The gradient of attention keeps two arrays of queries and keys, not a third that follows from them")
    func arraysOfAttention() {
        let graph = Graph()
        let x = graph.input([64, 4], rate: .evaluation)
        let mixed = x.attention(keys: 2 * x, values: 3 * x)
        let plan = EvaluationPlan(
            inputs: [x], outputs: [graph.gradient(of: (mixed * mixed).sum(0, 1), withRespectTo: [x])[0]])
        // Beside the two there are what comes back and what goes on from there.
        #expect(plan.evaluationCount < 64 * 64 * 9 / 2)
    }

    @Test func `Memory that no system has is told, and ends nothing`() throws {
        let graph = Graph()
        let x = graph.input([1 << 24, 1 << 24], rate: .evaluation)
        let plan = EvaluationPlan(inputs: [x], outputs: [x + x])
        #expect(throws: OutOfMemory.self) { try Execution(plan) }
    }
}
