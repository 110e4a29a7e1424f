import Testing
import VectorMath

/// The bits of what an operation makes of each lane: [lanes][numbers].
private typealias Operation = @Sendable (LaneMatrix, LaneMatrix) -> [[UInt64]]

private func columns(_ matrix: LaneMatrix) -> [[UInt64]] {
    (0..<matrix.lanes).map { lane in (0..<matrix.rows).map { matrix[$0, lane].bitPattern } }
}

private func columns(_ values: [Double]) -> [[UInt64]] { values.map { [$0.bitPattern] } }

private func lanes(_ range: Range<Int>, of matrix: LaneMatrix) -> LaneMatrix {
    var part = LaneMatrix(rows: matrix.rows, lanes: range.count)
    for row in 0..<matrix.rows {
        for lane in range { part[row, lane - range.lowerBound] = matrix[row, lane] }
    }
    return part
}

private func changed(_ matrix: LaneMatrix, _ change: (inout LaneMatrix) -> Void) -> [[UInt64]] {
    var copy = matrix
    change(&copy)
    return columns(copy)
}

@Suite("Independence of lanes")
struct LaneIndependenceTests {
    private static let operations: [String: Operation] = [
        "combine": { x, y in changed(y) { $0.combine(0.3, x, keeping: 0.9) } },
        "scale": { _, y in changed(y) { $0.scale(by: 0.1) } },
        "set scaled": { x, y in changed(y) { $0.setScaled(0.1, x) } },
        "set plus": { x, y in changed(y) { $0.set(y, plus: 0.7, x) } },
        "add weighted": { x, y in
            changed(y) { $0.add(x, weightedBy: Array(x.elements.prefix(x.lanes))) }
        },
        "product": { x, y in changed(y) { $0.setProduct(of: [0.1, 0.7, -0.3, 0.9], x) } },
        "squared norms": { x, _ in
            var sums = [Double](repeating: 0, count: x.lanes)
            x.squaredNorms(into: &sums)
            return columns(sums)
        },
        "drift residuals": { x, y in
            var sums = [Double](repeating: 0, count: x.lanes)
            x.driftResiduals(from: y, step: 0.3, drift: x, into: &sums)
            return columns(sums)
        },
        "exp": { x, _ in changed(x) { Elementary.exp(inPlace: &$0.elements) } },
        "log": { x, _ in changed(x) { Elementary.log(inPlace: &$0.elements) } },
        "Gaussian mixture": { x, _ in
            var density = [Double](repeating: 0, count: x.lanes)
            var score = LaneMatrix(rows: 2, lanes: x.lanes)
            var scratch = [Double](repeating: 0, count: 3 * x.lanes)
            LaneDensities.gaussianMixture(
                at: x, means: [0, 0, 1, -1, 0.3, 0.4], inverseVariances: [1, 2, 30, 4, 5, 6],
                logCoefficients: [-1, -2, -3], logDensity: &density, score: &score, scratch: &scratch)
            return zip(columns(density), columns(score)).map { $0 + $1 }
        },
        "noised interval, wide": { x, _ in interval(x, high: 0.7) },
        "noised interval, narrow": { x, _ in interval(x, high: -0.2 + 1e-6) },
    ]

    private static func interval(_ x: LaneMatrix, high: Double) -> [[UInt64]] {
        var density = [Double](repeating: 0.25, count: x.lanes)
        var score = LaneMatrix(rows: 2, lanes: x.lanes)
        for row in 0..<2 {
            LaneDensities.addNoisedInterval(
                at: x, row: row, low: -0.2, high: high, sigma: 0.3, logDensity: &density, score: &score)
        }
        return zip(columns(density), columns(score)).map { $0 + $1 }
    }

    @Test(
        "A lane has the same bits alone, among 64, among 67, and at another place",
        arguments: operations.keys.sorted())
    func sameBits(name: String) throws {
        let operation = try #require(Self.operations[name])
        let x = filled(rows: 2, lanes: 67, salt: 1, scale: 3)
        let y = filled(rows: 2, lanes: 67, salt: 2, scale: 3)
        let all = operation(x, y)
        #expect(Set(all).count > 33, "the lanes must differ for this test to mean something")
        for range in [0..<64, 3..<67, 5..<13, 60..<67] + (0..<67).map({ $0..<($0 + 1) }) {
            let part = operation(lanes(range, of: x), lanes(range, of: y))
            #expect(part == Array(all[range]))
        }
    }

    @Test("A noised interval adds to the log density and leaves other rows alone")
    func accumulation() {
        let x = filled(rows: 2, lanes: 5, salt: 3)
        var once = [Double](repeating: 0, count: 5)
        var score = LaneMatrix(rows: 2, lanes: 5, repeating: 42)
        LaneDensities.addNoisedInterval(
            at: x, row: 1, low: -1, high: 1, sigma: 0.5, logDensity: &once, score: &score)
        #expect(score.elements.prefix(5).allSatisfy { $0 == 42 })
        #expect(score.elements.suffix(5).allSatisfy { $0 != 42 })
        var again = [Double](repeating: 10, count: 5)
        LaneDensities.addNoisedInterval(
            at: x, row: 1, low: -1, high: 1, sigma: 0.5, logDensity: &again, score: &score)
        for lane in 0..<5 { #expect((again[lane] - once[lane] - 10).magnitude < 1e-14) }
    }
}
