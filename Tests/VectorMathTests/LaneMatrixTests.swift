import Testing
import VectorMath

/// A matrix with elements in (-scale, scale) that repeat no pattern; `salt` tells matrices apart.
func filled(rows: Int, lanes: Int, salt: Int, scale: Double = 1) -> LaneMatrix {
    var matrix = LaneMatrix(rows: rows, lanes: lanes)
    for row in 0..<rows {
        for lane in 0..<lanes {
            let turn = Double(1 + row * 131 + lane * 17 + salt * 7919) * 0.6180339887498949
            matrix[row, lane] = scale * (2 * turn.truncatingRemainder(dividingBy: 1) - 1)
        }
    }
    return matrix
}

private let laneCounts = [1, 2, 7, 8, 64, 67]

@Suite("Lane matrices")
struct LaneMatrixTests {
    @Test("Elements lie row after row")
    func layout() {
        var matrix = LaneMatrix(rows: 2, lanes: 3, repeating: 5)
        #expect(matrix.elements == [5, 5, 5, 5, 5, 5])
        matrix[1, 0] = 7
        #expect(matrix.elements[3] == 7)
        #expect(matrix[1, 0] == 7)
    }

    @Test("Combining, adding and scaling follow their formulas", arguments: laneCounts)
    func linear(lanes: Int) {
        let x = filled(rows: 3, lanes: lanes, salt: 1)
        let y = filled(rows: 3, lanes: lanes, salt: 2)
        var combined = y
        combined.combine(0.3, x, keeping: -1.7)
        var added = y
        added.add(0.3, x)
        var scaled = y
        scaled.scale(by: -2.5)
        var set = y
        set.setScaled(0.7, x)
        var based = LaneMatrix(rows: 3, lanes: lanes)
        based.set(y, plus: 0.3, x)
        for index in x.elements.indices {
            let (a, b) = (x.elements[index], y.elements[index])
            #expect((combined.elements[index] - (0.3 * a - 1.7 * b)).magnitude < 1e-15)
            #expect((added.elements[index] - (0.3 * a + b)).magnitude < 1e-15)
            #expect(scaled.elements[index] == -2.5 * b)
            #expect(set.elements[index] == 0.7 * a)
            #expect((based.elements[index] - (b + 0.3 * a)).magnitude < 1e-15)
        }
    }

    @Test("Scaling by zero clears whatever was there")
    func scalingByZero() {
        var matrix = LaneMatrix(rows: 1, lanes: 4)
        matrix.elements = [.nan, .infinity, -.infinity, 3]
        matrix.scale(by: 0)
        #expect(matrix.elements == [0, 0, 0, 0])
    }

    @Test("Weights belong to lanes", arguments: laneCounts)
    func weighted(lanes: Int) {
        let x = filled(rows: 2, lanes: lanes, salt: 3)
        let y = filled(rows: 2, lanes: lanes, salt: 4)
        let weights = filled(rows: 1, lanes: lanes, salt: 5).elements
        var sum = y
        sum.add(x, weightedBy: weights)
        for row in 0..<2 {
            for lane in 0..<lanes {
                let expected = y[row, lane] + weights[lane] * x[row, lane]
                #expect((sum[row, lane] - expected).magnitude < 1e-15)
            }
        }
    }

    @Test("Squared norms and drift residuals sum over rows", arguments: laneCounts)
    func norms(lanes: Int) {
        let (to, from, drift) = (
            filled(rows: 5, lanes: lanes, salt: 6), filled(rows: 5, lanes: lanes, salt: 7),
            filled(rows: 5, lanes: lanes, salt: 8)
        )
        var norms = [Double](repeating: -1, count: lanes)
        to.squaredNorms(into: &norms)
        var residuals = norms
        to.driftResiduals(from: from, step: 0.1, drift: drift, into: &residuals)
        for lane in 0..<lanes {
            let norm = (0..<5).reduce(0.0) { $0 + to[$1, lane] * to[$1, lane] }
            let residual = (0..<5).reduce(0.0) { sum, row in
                let part = to[row, lane] - from[row, lane] - 0.1 * drift[row, lane]
                return sum + part * part
            }
            #expect((norms[lane] - norm).magnitude < 1e-14)
            #expect((residuals[lane] - residual).magnitude < 1e-14)
        }
    }

    @Test("Masks choose lanes in every row", arguments: laneCounts)
    func masks(lanes: Int) {
        let x = filled(rows: 3, lanes: lanes, salt: 9)
        let y = filled(rows: 3, lanes: lanes, salt: 10)
        let mask = (0..<lanes).map { UInt8($0 % 3 == 0 ? 1 : 0) }
        var copied = y
        copied.copyLanes(of: x, where: mask)
        var negated = y
        negated.negateLanes(where: mask)
        for row in 0..<3 {
            for lane in 0..<lanes {
                let chosen = mask[lane] != 0
                #expect(copied[row, lane] == (chosen ? x : y)[row, lane])
                #expect(negated[row, lane] == (chosen ? -y[row, lane] : y[row, lane]))
            }
        }
    }

    @Test("A matrix multiplies every lane", arguments: laneCounts)
    func product(lanes: Int) {
        let x = filled(rows: 3, lanes: lanes, salt: 11)
        let matrix = filled(rows: 2, lanes: 3, salt: 12).elements
        var product = LaneMatrix(rows: 2, lanes: lanes, repeating: .nan)
        product.setProduct(of: matrix, x)
        for row in 0..<2 {
            for lane in 0..<lanes {
                let expected = (0..<3).reduce(0.0) { $0 + matrix[row * 3 + $1] * x[$1, lane] }
                #expect((product[row, lane] - expected).magnitude < 1e-15)
            }
        }
    }
}
