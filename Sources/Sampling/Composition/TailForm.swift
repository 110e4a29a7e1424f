package import EnergyModels

/// How fast a log density falls far out: l(r u) is about -r^2 q(u) / 2 for a direction u and large r, with q a
/// quadratic form.
///
/// At noise level t each leaf has the tails of Gaussians: of covariance abar C + sigma^2 for a Gaussian with
/// covariance C, and of variance sigma^2 for data within bounds, a box or what a network was trained on. Forms add up
/// as log densities do. Of components far out the one that falls slowest is left, which for unlike components is no
/// quadratic form; then the numbers along the axes are right and nothing is said of other directions.
package struct TailForm: Sendable, Equatable {
    /// q along each axis.
    private(set) var alongAxes: [Double]
    /// The sum of the sizes of what was added up to `alongAxes`, against which rounding is judged.
    private(set) var sizes: [Double]
    /// q as a symmetric matrix, row after row; nil if it is diagonal, or no quadratic form.
    private(set) var matrix: [Double]?
    /// Whether q is a quadratic form.
    private(set) var isQuadratic = true

    /// A diagonal form, [d].
    init(diagonal: [Double]) {
        alongAxes = diagonal
        sizes = diagonal.map(\.magnitude)
    }

    /// What is known along the axes, [d], of a form that may be none otherwise.
    init(alongAxes: [Double], sizes: [Double], isQuadratic: Bool) {
        (self.alongAxes, self.sizes, self.isQuadratic) = (alongAxes, sizes, isQuadratic)
    }

    /// The same along every direction: data within bounds, at noise of variance `1 / precision`.
    package init(precision: Double, dimension: Int) {
        self.init(diagonal: [Double](repeating: precision, count: dimension))
    }

    /// The sum of forms with weights; at least one.
    init(sumOf terms: [(form: TailForm, weight: Double)]) {
        let count = terms.first?.form.alongAxes.count ?? 0
        self.init(diagonal: [Double](repeating: 0, count: count))
        isQuadratic = terms.allSatisfy(\.form.isQuadratic)
        if isQuadratic, terms.contains(where: { $0.form.matrix != nil }) {
            matrix = [Double](repeating: 0, count: count * count)
        }
        for (form, weight) in terms {
            for axis in 0..<count {
                alongAxes[axis] += weight * form.alongAxes[axis]
                sizes[axis] += weight.magnitude * form.sizes[axis]
            }
            guard matrix != nil else { continue }
            if let other = form.matrix {
                for index in other.indices { matrix?[index] += weight * other[index] }
            } else {
                for axis in 0..<count { matrix?[axis * count + axis] += weight * form.alongAxes[axis] }
            }
        }
    }

    /// What is left far out of components; at least one.
    init(mixtureOf components: [TailForm]) {
        self = components[0]
        for component in components.dropFirst() where component != self {
            if matrix == nil, component.matrix == nil, isQuadratic, component.isQuadratic {
                // One that falls slower than the other in every direction leaves nothing of it.
                if zip(alongAxes, component.alongAxes).allSatisfy(<=) { continue }
                if zip(alongAxes, component.alongAxes).allSatisfy(>=) {
                    self = component
                    continue
                }
            }
            (matrix, isQuadratic) = (nil, false)
            for axis in alongAxes.indices where component.alongAxes[axis] < alongAxes[axis] {
                (alongAxes[axis], sizes[axis]) = (component.alongAxes[axis], component.sizes[axis])
            }
        }
    }
}

extension TailForm {
    /// Where a log density does not fall far out.
    package enum Rise: Sendable, Equatable {
        /// Along an axis.
        case axis(Int)
        /// Along some direction between the axes.
        case betweenAxes
    }

    /// Where q is not above zero by more than rounding: with such a tail a density has no finite integral, or just
    /// barely one. Nil if no such direction is known.
    package var rise: Rise? {
        let least = sizes.map { 1e-12 * $0 }
        if let axis = alongAxes.indices.first(where: { !(alongAxes[$0] > least[$0]) }) { return .axis(axis) }
        guard var rest = matrix else { return nil }
        // Elimination (Cholesky): all pivots of a positive definite matrix are above zero, and of no other.
        let count = alongAxes.count
        for pivot in 0..<count {
            let top = rest[pivot * count + pivot]
            guard top > least[pivot] else { return .betweenAxes }
            for row in pivot + 1..<max(count, pivot + 1) {
                let factor = rest[row * count + pivot] / top
                for column in pivot + 1..<count {
                    rest[row * count + column] -= factor * rest[pivot * count + column]
                }
            }
        }
        return nil
    }
}

extension ModelDescription {
    /// The tail at a noise level. What does not depend on the level is computed when this is asked for.
    package var tail: @Sendable (NoiseLevel) -> TailForm {
        switch self {
        case .gaussian(_, let covariance):
            let axes = covariance.indices
            if axes.allSatisfy({ row in axes.allSatisfy { $0 == row || covariance[row][$0] == 0 } }) {
                return { level in Self.tail(of: axes.map { covariance[$0][$0] }, at: level) }
            }
            let centred = Gaussian(mean: covariance.map { _ in 0 }, covariance: covariance)
            return { level in TailForm(matrix: centred.precision(at: level), dimension: centred.dimension) }
        case .independentGaussian(_, let deviations):
            let variances = deviations.values.map { $0 * $0 }
            return { level in Self.tail(of: variances, at: level) }
        case .gaussianMixture(_, let deviations, _):
            // Widths that are alike, as they mostly are, count once.
            var widths: [PointArray] = []
            for width in deviations where !widths.contains(width) { widths.append(width) }
            let variances = widths.map { $0.values.map { $0 * $0 } }
            return { level in TailForm(mixtureOf: variances.map { Self.tail(of: $0, at: level) }) }
        case .uniformBox(let low, _):
            return { level in TailForm(precision: 1 / level.noiseVariance, dimension: low.shape.dimension) }
        }
    }

    /// How many Gaussians or boxes it consists of.
    package var parts: Int {
        if case .gaussianMixture(let means, _, _) = self { means.count } else { 1 }
    }

    private static func tail(of variances: [Double], at level: NoiseLevel) -> TailForm {
        TailForm(diagonal: variances.map { 1 / (level.signalVariance * $0 + level.noiseVariance) })
    }
}

extension TailForm {
    fileprivate init(matrix: [Double], dimension: Int) {
        self.init(diagonal: (0..<dimension).map { matrix[$0 * dimension + $0] })
        self.matrix = matrix
    }
}
