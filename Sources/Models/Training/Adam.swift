import VectorMath

/// Adam as PyTorch computes it (Kingma and Ba 2015, algorithm 1), and the moving average of its parameters.
///
/// With gradient g at step n: m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2,
/// p = p - rate / (1 - b1^n) m / (sqrt(v) / sqrt(1 - b2^n) + epsilon).
struct Adam: Sendable, Equatable {
    /// Steps taken.
    private(set) var steps: Int
    /// [P].
    private(set) var parameters: [Float]
    /// m, [P].
    private(set) var firstMoment: [Float]
    /// v, [P].
    private(set) var secondMoment: [Float]
    /// The moving average of the parameters, [P].
    private(set) var average: [Float]

    /// At the first step.
    init(parameters: [Float]) {
        self.init(
            steps: 0, parameters: parameters, firstMoment: [Float](repeating: 0, count: parameters.count),
            secondMoment: [Float](repeating: 0, count: parameters.count), average: parameters)
    }

    /// Somewhere on the way; all arrays [P].
    init(steps: Int, parameters: [Float], firstMoment: [Float], secondMoment: [Float], average: [Float]) {
        self.steps = steps
        self.parameters = parameters
        self.firstMoment = firstMoment
        self.secondMoment = secondMoment
        self.average = average
    }

    /// Whether the steps lead on. A second moment that is not finite would hold its parameter still for ever.
    var isFinite: Bool {
        [parameters, firstMoment, secondMoment, average].allSatisfy { $0.allSatisfy(\.isFinite) }
    }

    /// Moves the parameters.
    ///
    /// - Parameters:
    ///   - gradient: [P].
    ///   - scale: what the gradient is multiplied by first.
    ///   - ema: how much of the average is kept at most. It is also kept below (1 + n) / (10 + n), so that
    ///     the first parameters, which are random, are soon forgotten.
    mutating func step(gradient: [Float], scale: Float, rate: Double, settings: OptimizerSettings, ema: Double) {
        steps += 1
        let n = Double(steps)
        let (b1, b2) = (Float(settings.beta1), Float(settings.beta2))
        let (c1, c2) = (Float(1 - settings.beta1), Float(1 - settings.beta2))
        let stepSize = Float(rate / (1 - Elementary.power(settings.beta1, n)))
        let inverseRoot = Float(1 / (1 - Elementary.power(settings.beta2, n)).squareRoot())
        let epsilon = Float(settings.epsilon)
        let fresh = Float(1 - min(ema, (1 + n) / (10 + n)))
        let count = parameters.count
        precondition(gradient.count == count)
        // Pointers, because a check of each index would keep the loop from becoming vector code.
        gradient.withUnsafeBufferPointer { g in
            parameters.withUnsafeMutableBufferPointer { p in
                firstMoment.withUnsafeMutableBufferPointer { m in
                    secondMoment.withUnsafeMutableBufferPointer { v in
                        average.withUnsafeMutableBufferPointer { a in
                            for i in 0..<count {
                                let slope = g[i] * scale
                                m[i] = b1 * m[i] + c1 * slope
                                v[i] = b2 * v[i] + c2 * (slope * slope)
                                p[i] -= stepSize * (m[i] / (v[i].squareRoot() * inverseRoot + epsilon))
                                a[i] += fresh * (p[i] - a[i])
                            }
                        }
                    }
                }
            }
        }
    }
}
