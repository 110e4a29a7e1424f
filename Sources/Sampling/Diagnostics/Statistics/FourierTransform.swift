import VectorMath

/// The discrete Fourier transform of a length that is a power of two (Cooley and Tukey 1965), with the same bits
/// everywhere.
struct FourierTransform {
    /// Numbers that are transformed.
    let length: Int
    /// cos and sin of 2 pi k / length, for k below half the length.
    private let cosines: [Double]
    private let sines: [Double]

    /// Of `length` or more numbers: of the next power of two.
    init(atLeast length: Int) {
        var power = 1
        while power < length { power *= 2 }
        self.length = power
        let turns = (0..<max(1, power / 2)).map { Double($0) / Double(power) }
        cosines = turns.map { Elementary.cosine(ofTurns: $0) }
        sines = turns.map { Elementary.cosine(ofTurns: ($0 - 0.25).magnitude) }
    }

    /// Replaces x_j by the sum over k of x_k exp(-2 pi i j k / length): `real` and `imaginary` have ``length`` numbers.
    func transform(_ real: inout [Double], _ imaginary: inout [Double]) {
        var reversed = 0
        for index in 1..<max(1, length) {
            var bit = length >> 1
            while reversed & bit != 0 {
                reversed ^= bit
                bit >>= 1
            }
            reversed |= bit
            if index < reversed {
                real.swapAt(index, reversed)
                imaginary.swapAt(index, reversed)
            }
        }
        var half = 1
        while half < length {
            let step = length / (2 * half)
            for start in stride(from: 0, to: length, by: 2 * half) {
                for offset in 0..<half {
                    let (cosine, sine) = (cosines[offset * step], sines[offset * step])
                    let (low, high) = (start + offset, start + offset + half)
                    let turnedReal = real[high] * cosine + imaginary[high] * sine
                    let turnedImaginary = imaginary[high] * cosine - real[high] * sine
                    real[high] = real[low] - turnedReal
                    imaginary[high] = imaginary[low] - turnedImaginary
                    real[low] += turnedReal
                    imaginary[low] += turnedImaginary
                }
            }
            half *= 2
        }
    }
}

extension ChainDraws {
    /// The mean over the chains of the autocovariance at each lag, [draws]: of a chain x of n draws with mean m,
    /// the sum over i of (x_i - m)(x_(i + lag) - m), over n.
    var meanAutocovariance: [Double] {
        // Twice as long, filled with zeros, so that the end of a chain does not meet its beginning.
        let transform = FourierTransform(atLeast: 2 * draws)
        var power = [Double](repeating: 0, count: transform.length)
        for first in stride(from: 0, to: chains, by: 2) {
            // Two chains at once, as the real and the imaginary part: the power of the sum is, but for what goes out in the
            // end because it is odd, the sum of the powers.
            var real = centred(first, transform.length)
            var imaginary =
                first + 1 < chains
                ? centred(first + 1, transform.length) : [Double](repeating: 0, count: transform.length)
            transform.transform(&real, &imaginary)
            for index in power.indices {
                power[index] += real[index] * real[index] + imaginary[index] * imaginary[index]
            }
        }
        var nothing = [Double](repeating: 0, count: transform.length)
        transform.transform(&power, &nothing)
        let scale = Double(transform.length) * Double(chains) * Double(draws)
        return power.prefix(draws).map { $0 / scale }
    }

    /// A chain less its mean, and zeros after it.
    private func centred(_ index: Int, _ length: Int) -> [Double] {
        let chain = chain(index)
        let mean = chain.mean
        return chain.map { $0 - mean } + [Double](repeating: 0, count: length - draws)
    }
}
