package import StrictJSON

extension ModelDescription {
    /// The kinds of analytic densities, as JSON texts call them.
    package static let analyticKinds = ["gaussian", "gaussian_mixture", "uniform_box"]
    /// A covariance of more dimensions has too many numbers.
    private static let mostCorrelated = 4_096

    /// Reads an analytic density such as `{"kind": "uniform_box", "low": [0, 0], "high": [1, 1]}`.
    ///
    /// - Parameters:
    ///   - alsoAllowed: keys beside the density's own, which the caller reads.
    ///   - stored: the arrays in files that it names, by the places (JSON pointers) that name them.
    package static func decode(
        _ field: JSONField, alsoAllowed: [String] = [], stored: [String: StoredArray] = [:]
    ) throws(JSONProblem) -> ModelDescription {
        let kindField = try field.members("a model such as {\"kind\": \"gaussian\", …}")
            .required("kind", "one of \(analyticKinds)")
        let kind = try kindField.string("one of \(analyticKinds)")
        func members(_ wish: String, _ keys: [String]) throws(JSONProblem) -> JSONMembers {
            try field.members(wish, allowed: ["kind", "shape"] + keys + alsoAllowed)
        }
        switch kind {
        case "gaussian":
            return try gaussian(try members("a Gaussian", ["mean", "covariance", "std"]), stored)
        case "gaussian_mixture":
            return try mixture(try members("a mixture", ["means", "std", "weights"]), stored)
        case "uniform_box":
            let members = try members("a box", ["low", "high"])
            let (lowField, highField) = try corners(members)
            let decoder = try PointArrayDecoder(members, arrays: ["low", "high"], stored: stored)
            let (low, high) = try box(lowField, highField, decoder)
            return .uniformBox(low: low, high: high)
        default:
            throw kindField.problem("no model \"\(kind)\"; \(Spelling.suggestion(for: kind, among: analyticKinds))")
        }
    }

    /// The corners of a box of points of a shape, low below high.
    package static func box(
        _ members: JSONMembers, shape: PointShape
    ) throws(JSONProblem) -> (low: PointArray, high: PointArray) {
        let (low, high) = try corners(members)
        return try box(low, high, PointArrayDecoder(shape: shape))
    }

    private static func corners(_ members: JSONMembers) throws(JSONProblem) -> (low: JSONField, high: JSONField) {
        (
            try members.required("low", "the lower corner, one number per dimension"),
            try members.required("high", "the upper corner, one number per dimension")
        )
    }

    private static func box(
        _ lowField: JSONField, _ highField: JSONField, _ decoder: PointArrayDecoder
    ) throws(JSONProblem) -> (low: PointArray, high: PointArray) {
        let (low, high) = (try decoder.array(lowField), try decoder.array(highField))
        // Stretched numbers are compared once.
        if case (.number(let least), .number(let most)) = (low.source, high.source), least < most { return (low, high) }
        for (axis, (low, high)) in zip(low.values, high.values).enumerated() where !(low < high) {
            throw highField.problem("entry \(axis) is \(high), not above the lower corner's \(low)")
        }
        return (low, high)
    }

    /// Weights are divided by their sum, which must therefore be a number.
    package static func check(sum weights: [Double]?, _ field: JSONField?) throws(JSONProblem) {
        guard let weights, let field, !weights.reduce(0, +).isFinite else { return }
        throw field.problem("add up to more than a number can hold; divide all weights by the largest")
    }

    private static func gaussian(
        _ members: JSONMembers, _ stored: [String: StoredArray]
    ) throws(JSONProblem) -> ModelDescription {
        let meanField = try members.required("mean", "one number per dimension")
        if let deviations = members["std"] {
            if let covariance = members["covariance"] {
                throw covariance.problem("the standard deviations say it already; leave out one of the two")
            }
            let decoder = try PointArrayDecoder(members, arrays: ["mean", "std"], stored: stored)
            return .independentGaussian(
                mean: try decoder.array(meanField),
                standardDeviations: try decoder.array(deviations, .deviation))
        }
        let matrix = try members.required("covariance", "a matrix, row by row, or \"std\"")
        let decoder = try PointArrayDecoder(members, arrays: ["mean"], lists: ["covariance"], stored: stored)
        let dimension = decoder.shape.dimension
        guard dimension <= mostCorrelated else {
            throw matrix.problem(
                "of \(dimension) dimensions is too large, at most \(mostCorrelated) are possible; give \"std\" instead, "
                    + "a number or one per dimension")
        }
        let mean = try decoder.array(meanField)
        var rows: [[Double]] = []
        for row in try matrix.array("one row per dimension", count: dimension) {
            rows.append(try row.numbers("one number per dimension", count: dimension))
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

    private static func mixture(
        _ members: JSONMembers, _ stored: [String: StoredArray]
    ) throws(JSONProblem) -> ModelDescription {
        let centres = try members.required("means", "one centre per component")
        let std = try members.required("std", "a number above zero, one per component, or one per component and axis")
        let decoder = try PointArrayDecoder(members, arrays: [], lists: ["means", "std"], stored: stored)
        let means = try decoder.arrays(centres, "one centre per component")
        let weights = try members["weights"]?.numbers(
            "one weight per component", count: means.count, entry: "a finite number above zero", where: { $0 > 0 })
        try check(sum: weights, members["weights"])
        return .gaussianMixture(
            means: means,
            standardDeviations: std.isArray || std.isObject
                ? try decoder.arrays(std, "one entry per component", count: means.count, .deviation)
                : [PointArray](repeating: try decoder.array(std, .deviation), count: means.count),
            weights: weights ?? means.map { _ in 1 })
    }
}
