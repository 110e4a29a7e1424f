import Foundation
import Testing

@testable import Training

private let plain = OptimizerSettings(
    learningRate: 0.1, finalLearningRate: 0, decay: .constant, warmup: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8,
    clipNorm: nil)

@Suite("Optimizer")
struct OptimizerTests {
    /// Within a few roundings of single precision.
    private func expectEqual(_ a: [Float], _ b: [Double], sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(a.count == b.count, sourceLocation: sourceLocation)
        for (x, y) in zip(a, b) {
            #expect((Double(x) - y).magnitude <= 4e-7 * max(1, y.magnitude), sourceLocation: sourceLocation)
        }
    }

    @Test("Two steps of Adam come out as by hand")
    func adam() {
        var adam = Adam(parameters: [1, -2, 0.5])
        adam.step(gradient: [0.5, -4, 0], scale: 1, rate: 0.1, settings: plain, ema: 0)
        // The first step is the rate against the sign of the gradient, whatever its size: m / (1 - b1) = g and
        // sqrt(v / (1 - b2)) = |g|.
        expectEqual(adam.parameters, [0.9, -1.9, 0.5])
        expectEqual(adam.firstMoment, [0.05, -0.4, 0])
        expectEqual(adam.secondMoment, [0.00025, 0.016, 0])
        adam.step(gradient: [1, 2, 3], scale: 0.5, rate: 0.01, settings: plain, ema: 0)
        // g = (0.5, 1, 1.5): m = 0.9 m + 0.1 g, v = 0.999 v + 0.001 g^2.
        let m = [0.095, -0.26, 0.15]
        let v = [0.00049975, 0.016984, 0.00225]
        expectEqual(adam.firstMoment, m)
        expectEqual(adam.secondMoment, v)
        var expected = [0.9, -1.9, 0.5]
        for i in 0..<3 {
            let root: Double = (v[i] / 0.001999).squareRoot()
            expected[i] -= 0.01 * (m[i] / 0.19) / (root + 1e-8)
        }
        expectEqual(adam.parameters, expected)
        #expect(adam.steps == 2)
    }

    @Test("The average forgets the start quickly, and then keeps what the spec says")
    func average() {
        var adam = Adam(parameters: [1])
        var expected = 1.0
        for n in 1...100 {
            adam.step(gradient: [1], scale: 1, rate: 0.1, settings: plain, ema: 0.6)
            let kept: Double = min(0.6, Double(1 + n) / Double(10 + n))
            expected = kept * expected + (1 - kept) * Double(adam.parameters[0])
            #expect((Double(adam.average[0]) - expected).magnitude < 1e-4)
        }
        var unaveraged = Adam(parameters: [1, 2])
        unaveraged.step(gradient: [1, -1], scale: 1, rate: 0.1, settings: plain, ema: 0)
        expectEqual(unaveraged.average, unaveraged.parameters.map { Double($0) })
    }

    @Test("A longer array is treated like its parts, whatever its length", arguments: [1, 7, 8, 9, 31, 100])
    func lengths(count: Int) {
        let start = (0..<count).map { Float($0) / 10 }
        let gradient = (0..<count).map { Float($0 % 7) - 3 }
        var whole = Adam(parameters: start)
        whole.step(gradient: gradient, scale: 0.25, rate: 0.1, settings: plain, ema: 0.9)
        for i in 0..<count {
            var one = Adam(parameters: [start[i]])
            one.step(gradient: [gradient[i]], scale: 0.25, rate: 0.1, settings: plain, ema: 0.9)
            #expect(one.parameters[0] == whole.parameters[i])
            #expect(one.average[0] == whole.average[i])
        }
        let norm: Double = gradient.map { Double($0 * $0) }.reduce(0, +).squareRoot()
        #expect((Gradient.norm(gradient) - norm).magnitude < 1e-12 * (1 + norm))
        var sum = gradient
        Gradient.add(start, to: &sum)
        #expect(sum == zip(gradient, start).map { $0 + $1 })
    }

    @Test("The norm neither overflows nor loses small numbers")
    func norm() {
        for size in [1e30, 1e-30] as [Float] {
            #expect((Gradient.norm([3 * size, 4 * size]) / (5 * Double(size)) - 1).magnitude < 1e-6)
        }
        #expect(Gradient.norm([1, .nan]).isNaN)
        #expect(Gradient.norm([Float](repeating: 0, count: 9) + [.infinity]) == .infinity)
    }

    @Test("The learning rate warms up, then stays or falls along half a cosine")
    func learningRate() {
        var settings = plain
        #expect((0..<5).map { settings.learningRate(step: $0, of: 5) } == [0.1, 0.1, 0.1, 0.1, 0.1])
        settings.warmup = 4
        settings.decay = .cosine
        settings.finalLearningRate = 0.02
        let rates = (0..<14).map { settings.learningRate(step: $0, of: 14) }
        for step in 0..<4 { #expect((rates[step] - 0.025 * Double(step + 1)).magnitude < 1e-15) }
        for step in 4..<14 {
            let cosine: Double = cos(Double.pi * Double(step - 4) / 10)
            let expected: Double = 0.02 + 0.08 * (1 + cosine) / 2
            #expect((rates[step] - expected).magnitude < 1e-14)
        }
    }
}
