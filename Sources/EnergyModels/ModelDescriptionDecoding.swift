public import StrictJSON

extension ModelDescription {
    /// The kinds of analytic densities, as JSON texts call them.
    public static let analyticKinds = ["gaussian", "gaussian_mixture", "uniform_box"]
    private static let largestDimension = 4096

    /// Reads an analytic density such as `{"kind": "uniform_box", "low": [0, 0], "high": [1, 1]}`.
    /// - Parameter alsoAllowed: keys beside the density's own, which the caller reads.
    public static func decode(
        _ field: JSONField, alsoAllowed: [String] = []
    ) throws(JSONProblem) -> ModelDescription {
        let kindField = try field.members("a model such as {\"kind\": \"gaussian\", …}")
            .required("kind", "one of \(analyticKinds)")
        let kind = try kindField.string("one of \(analyticKinds)")
        func members(_ wish: String, _ keys: [String]) throws(JSONProblem) -> JSONMembers {
            try field.members(wish, allowed: ["kind"] + keys + alsoAllowed)
        }
        switch kind {
        case "gaussian":
            return try gaussian(try members("a Gaussian", ["mean", "covariance"]))
        case "gaussian_mixture":
            return try mixture(try members("a mixture", ["means", "std", "weights"]))
        case "uniform_box":
            let (low, high) = try box(try members("a box", ["low", "high"]))
            return .uniformBox(low: low, high: high)
        default:
            throw kindField.problem("no model \"\(kind)\"; \(Spelling.suggestion(for: kind, among: analyticKinds))")
        }
    }

    /// The corners of a box, low below high.
    /// - Parameter dimension: how many coordinates they must have.
    public static func box(
        _ members: JSONMembers, dimension: Int? = nil
    ) throws(JSONProblem) -> (low: [Double], high: [Double]) {
        let low = try members.required("low", "the lower corner, one number per dimension")
            .numbers("one number per dimension", count: dimension)
        let highField = try members.required("high", "the upper corner, one number per dimension")
        let high = try highField.numbers("one number per dimension", count: low.count)
        try check(dimension: low.count, highField)
        for axis in low.indices where !(low[axis] < high[axis] && (high[axis] - low[axis]).isFinite) {
            throw highField.problem("entry \(axis) is \(high[axis]), not above the lower corner's \(low[axis])")
        }
        return (low, high)
    }

    private static func check(dimension: Int, _ field: JSONField) throws(JSONProblem) {
        guard dimension <= largestDimension else {
            throw field.problem("has \(dimension) dimensions; at most \(largestDimension) are possible")
        }
    }

    /// Weights are divided by their sum, which must therefore be a number.
    public static func check(sum weights: [Double]?, _ field: JSONField?) throws(JSONProblem) {
        guard let weights, let field, !weights.reduce(0, +).isFinite else { return }
        throw field.problem("add up to more than a number can hold; divide all weights by the largest")
    }

    private static func gaussian(_ members: JSONMembers) throws(JSONProblem) -> ModelDescription {
        let mean = try members.required("mean", "one number per dimension").numbers("one number per dimension")
        try check(dimension: mean.count, members.owner)
        let matrix = try members.required("covariance", "a matrix, row by row")
        var rows: [[Double]] = []
        for row in try matrix.array("one row per dimension", count: mean.count) {
            rows.append(try row.numbers("one number per dimension", count: mean.count))
        }
        for i in rows.indices {
            for j in 0..<i where rows[i][j] != rows[j][i] {
                throw matrix.problem(
                    "must be symmetric, but [\(i)][\(j)] is \(rows[i][j]) and [\(j)][\(i)] is \(rows[j][i])")
            }
        }
        guard isPositiveDefinite(rows) else {
            throw matrix.problem("must be positive definite; no direction may have a variance of zero or below")
        }
        return .gaussian(mean: mean, covariance: rows)
    }

    /// By Cholesky's factorisation.
    private static func isPositiveDefinite(_ matrix: [[Double]]) -> Bool {
        var factor = matrix
        for i in matrix.indices {
            for j in 0...i {
                var sum = matrix[i][j]
                for k in 0..<j { sum -= factor[i][k] * factor[j][k] }
                if i == j {
                    guard sum > 0, sum.isFinite else { return false }
                    factor[i][i] = sum.squareRoot()
                } else {
                    factor[i][j] = sum / factor[j][j]
                }
            }
        }
        return true
    }

    private static func mixture(_ members: JSONMembers) throws(JSONProblem) -> ModelDescription {
        let centres = try members.required("means", "one centre per component").array("one centre per component")
        let dimension = try centres[0].array("one number per dimension").count
        try check(dimension: dimension, members.owner)
        var means: [[Double]] = []
        for centre in centres { means.append(try centre.numbers("one number per dimension", count: dimension)) }
        let weights = try members["weights"]?.numbers(
            "one weight per component", count: means.count, entry: "a finite number above zero", where: { $0 > 0 })
        try check(sum: weights, members["weights"])
        let std = try members.required("std", "a number above zero, one per component, or one per component and axis")
        return .gaussianMixture(
            means: means, standardDeviations: try deviations(std, components: means.count, dimension: dimension),
            weights: weights ?? means.map { _ in 1 })
    }

    private static func deviations(
        _ field: JSONField, components: Int, dimension: Int
    ) throws(JSONProblem) -> [[Double]] {
        guard field.isArray else {
            let value = try field.positive("0.03")
            return [[Double]](repeating: [Double](repeating: value, count: dimension), count: components)
        }
        var deviations: [[Double]] = []
        for entry in try field.array("one entry per component", count: components) {
            if entry.isArray {
                deviations.append(
                    try entry.numbers(
                        "one number per dimension", count: dimension, entry: "a finite number above zero",
                        where: { $0 > 0 }))
            } else {
                deviations.append([Double](repeating: try entry.positive("0.03"), count: dimension))
            }
        }
        return deviations
    }
}
