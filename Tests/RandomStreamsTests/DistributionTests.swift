import Foundation
import RandomStreams
import Testing
import VectorMath

/// Every z-score below is compared with this; P(|z| > 5.2) = 2e-7 for a standard normal z.
private let threshold = 5.2

/// The largest distance between the empirical distribution and `cumulative`, times sqrt(n).
private func kolmogorovSmirnov(_ sample: [Double], _ cumulative: (Double) -> Double) -> Double {
    let sorted = sample.sorted()
    let n = Double(sorted.count)
    var worst = 0.0
    for (index, x) in sorted.enumerated() {
        let p = cumulative(x)
        worst = max(worst, p - Double(index) / n, Double(index + 1) / n - p)
    }
    return worst * n.squareRoot()
}

private func mean(_ x: [Double]) -> Double { x.reduce(0, +) / Double(x.count) }

@Suite("Distributions of random numbers")
struct DistributionTests {
    private static let stream = RandomStream(seed: 123, firstChain: 0)

    private static func normals(
        rows: Int = 1, lanes: Int = 100_000, firstChain: Int = 0, purpose: RandomStream.Purpose = .proposal,
        level: Int = 3, transition: Int = 0
    ) -> [Double] {
        var x = LaneMatrix(rows: rows, lanes: lanes)
        RandomStream(seed: 123, firstChain: firstChain)
            .fillNormals(&x, purpose: purpose, level: level, transition: transition)
        return x.elements
    }

    @Test("Normals have the first four moments of a standard normal")
    func moments() {
        let x = Self.normals(rows: 2)
        let root = Double(x.count).squareRoot()
        // Variances of x, x^2, x^3, x^4 are 1, 2, 15, 96. False alarm: 4 * 2e-7 = 8e-7.
        #expect((mean(x) * root).magnitude < threshold)
        #expect(((mean(x.map { $0 * $0 }) - 1) * root / 2.0.squareRoot()).magnitude < threshold)
        #expect((mean(x.map { $0 * $0 * $0 }) * root / 15.0.squareRoot()).magnitude < threshold)
        #expect(((mean(x.map { $0 * $0 * $0 * $0 }) - 3) * root / 96.0.squareRoot()).magnitude < threshold)
    }

    @Test("Normals follow the normal distribution, also when taken along the transitions of a chain")
    func normalDistribution() {
        func cumulative(_ x: Double) -> Double { 0.5 * Foundation.erfc(-x / 2.0.squareRoot()) }
        let lanes = kolmogorovSmirnov(Self.normals(), cumulative)
        let transitions = kolmogorovSmirnov(
            (0..<2000).flatMap { Self.normals(rows: 8, lanes: 1, transition: $0) }, cumulative)
        // P(sqrt(n) D > 2.85) = 2 exp(-2 * 2.85^2) = 1.8e-7. False alarm: 3.6e-7.
        #expect(lanes < 2.85)
        #expect(transitions < 2.85)
    }

    @Test("Uniforms lie in (0, 1], on a grid of 2^-52, and follow the uniform distribution")
    func uniformDistribution() {
        var u = [Double](repeating: 0, count: 100_000)
        Self.stream.fillUniforms(&u, purpose: .acceptance, level: 0)
        #expect(u.allSatisfy { $0 > 0 && $0 <= 1 })
        #expect(u.allSatisfy { ($0 * 0x1p52).rounded() == $0 * 0x1p52 })
        #expect(u.contains { ($0 * 0x1p52).truncatingRemainder(dividingBy: 2) == 1 })
        let root = Double(u.count).squareRoot()
        // Variances of u and (u - 1/2)^2 are 1/12 and 1/180; the last bound is as above.
        // False alarm: 2 * 2e-7 + 1.8e-7 = 6e-7.
        #expect(((mean(u) - 0.5) * root * 12.0.squareRoot()).magnitude < threshold)
        let spread = mean(u.map { ($0 - 0.5) * ($0 - 0.5) }) - 1 / 12.0
        #expect((spread * root * 180.0.squareRoot()).magnitude < threshold)
        #expect(kolmogorovSmirnov(u) { $0 } < 2.85)
    }

    @Test("Neighbouring addresses are uncorrelated, and so are their squares")
    func independence() {
        let base = Self.normals()
        let pair = Self.normals(rows: 3)
        let neighbours: [String: [Double]] = [
            "the next chain": Self.normals(firstChain: 1),
            "a chain 2^32 further": Self.normals(firstChain: 1 << 32),
            "the next level": Self.normals(level: 4),
            "the next transition": Self.normals(transition: 1),
            "another purpose": Self.normals(purpose: .momentum),
            "the other normal of the pair": Array(pair[100_000..<200_000]),
            "the next pair": Array(pair[200_000...]),
        ]
        let root = Double(base.count).squareRoot()
        // Under independence x y has variance 1 and (x^2 - 1)(y^2 - 1) variance 4; the sums are close to
        // normal with 100 000 terms. False alarm: 14 * 2e-7 = 3e-6.
        for (name, other) in neighbours {
            let plain = mean(zip(base, other).map { $0 * $1 }) * root
            let squares = mean(zip(base, other).map { ($0 * $0 - 1) * ($1 * $1 - 1) }) * root / 2
            #expect(plain.magnitude < threshold, "\(name)")
            #expect(squares.magnitude < threshold, "\(name)")
        }
    }
}
