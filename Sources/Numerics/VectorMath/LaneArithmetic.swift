import CVectorMath

// Arithmetic over whole lane matrices. Shapes must agree; a mistake there is a programmer's and traps.
extension LaneMatrix {
    /// self = a x + b self.
    package mutating func combine(_ a: Double, _ x: LaneMatrix, keeping b: Double) {
        precondition(x.elements.count == elements.count)
        elements.withUnsafeMutableBufferPointer { rrr_combine($0.count, a, x.elements, b, $0.baseAddress) }
    }

    /// self = self + a x.
    package mutating func add(_ a: Double, _ x: LaneMatrix) { combine(a, x, keeping: 1) }

    /// self = a self; with a = 0 whatever was there, NaN included, becomes 0.
    package mutating func scale(by a: Double) {
        elements.withUnsafeMutableBufferPointer { rrr_scale($0.count, a, $0.baseAddress) }
    }

    /// self = a x.
    package mutating func setScaled(_ a: Double, _ x: LaneMatrix) {
        precondition(x.elements.count == elements.count)
        elements.withUnsafeMutableBufferPointer { rrr_set_scaled($0.count, a, x.elements, $0.baseAddress) }
    }

    /// self[row][lane] = self[row][lane] + weights[lane] x[row][lane].
    package mutating func add(_ x: LaneMatrix, weightedBy weights: [Double]) {
        precondition(x.elements.count == elements.count && weights.count == lanes)
        let (rows, lanes) = (rows, lanes)
        elements.withUnsafeMutableBufferPointer {
            rrr_add_weighted(rows, lanes, weights, x.elements, $0.baseAddress)
        }
    }

    /// self = base + a x.
    package mutating func set(_ base: LaneMatrix, plus a: Double, _ x: LaneMatrix) {
        precondition(base.elements.count == elements.count && x.elements.count == elements.count)
        elements.withUnsafeMutableBufferPointer {
            rrr_add_scaled($0.count, base.elements, a, x.elements, $0.baseAddress)
        }
    }

    /// sums[lane] = sum over rows of the squares.
    package func squaredNorms(into sums: inout [Double]) {
        precondition(sums.count == lanes)
        sums.withUnsafeMutableBufferPointer { rrr_squared_norms(rows, lanes, elements, $0.baseAddress) }
    }

    /// residuals[lane] = |self - origin - h drift|^2, the exponent of a Langevin proposal.
    package func driftResiduals(
        from origin: LaneMatrix, step h: Double, drift: LaneMatrix, into residuals: inout [Double]
    ) {
        precondition(residuals.count == lanes)
        precondition(origin.elements.count == elements.count && drift.elements.count == elements.count)
        residuals.withUnsafeMutableBufferPointer {
            rrr_drift_residuals(rows, lanes, elements, origin.elements, h, drift.elements, $0.baseAddress)
        }
    }

    /// Takes over the lanes of `source` where `mask` is not zero; mask has one entry per lane.
    package mutating func copyLanes(of source: LaneMatrix, where mask: [UInt8]) {
        precondition(mask.count == lanes && source.elements.count == elements.count)
        let (rows, lanes) = (rows, lanes)
        elements.withUnsafeMutableBufferPointer {
            rrr_copy_lanes(rows, lanes, mask, source.elements, $0.baseAddress)
        }
    }

    /// Changes the sign of the lanes where `mask` is not zero.
    package mutating func negateLanes(where mask: [UInt8]) {
        precondition(mask.count == lanes)
        let (rows, lanes) = (rows, lanes)
        elements.withUnsafeMutableBufferPointer { rrr_negate_lanes(rows, lanes, mask, $0.baseAddress) }
    }

    /// self = matrix x, with matrix [rows][x.rows] row after row.
    package mutating func setProduct(of matrix: [Double], _ x: LaneMatrix) {
        precondition(matrix.count == rows * x.rows && x.lanes == lanes)
        let (rows, lanes) = (rows, lanes)
        elements.withUnsafeMutableBufferPointer {
            rrr_matrix_times_lanes(rows, x.rows, lanes, matrix, x.elements, $0.baseAddress)
        }
    }
}
