import Foundation
import RunFolder

@testable import Diagnostics

/// What `reference.py` has written.
enum Reference {
    /// What ArviZ says of a set of draws; nil where it says NaN.
    struct Expected: Decodable {
        /// Where chains stand still it is beyond 10^12, instead of infinite, by rounding alone.
        let rHat: Double?
        let bulk: Double?
        let tail: Double?
        let mean: Double?
        let meanError: Double?
        let deviationError: Double?
        let quantileErrors: [String: Double]
        let quantiles: [String: Double]
        let energyFractions: [Double?]

        enum CodingKeys: String, CodingKey {
            case rHat = "r_hat"
            case bulk = "ess_bulk"
            case tail = "ess_tail"
            case mean = "ess_mean"
            case meanError = "mcse_mean"
            case deviationError = "mcse_sd"
            case quantileErrors = "mcse_quantile"
            case quantiles = "quantile"
            case energyFractions = "bfmi"
        }
    }

    struct Quantiles: Decodable {
        /// Probability and quantile.
        let normal: [[Double]]
        /// a, b, probability, quantile.
        let beta: [[Double]]
    }

    static let names = [
        "shortest", "short", "independent", "long", "odd", "antithetic", "heavy_tails", "constant", "one_stuck_chain",
        "all_stuck", "ties", "two_values", "apart", "drifting", "other_spread", "far_and_narrow", "many_chains",
        "one_chain",
    ]

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Fixtures")

    static func draws(_ name: String) throws -> ChainDraws {
        let array = try NpyReader(path: folder.appendingPathComponent("\(name).npy").path)
        return ChainDraws(chains: array.header.rows, values: try array.all())
    }

    static func expected(_ name: String) throws -> Expected? {
        try JSONDecoder().decode([String: Expected].self, from: try data("expected.json"))[name]
    }

    static func quantiles() throws -> Quantiles {
        try JSONDecoder().decode(Quantiles.self, from: try data("quantiles.json"))
    }

    private static func data(_ name: String) throws -> Data {
        try Data(contentsOf: folder.appendingPathComponent(name))
    }
}

/// Whether two numbers differ by a part of the larger one, at most; two infinities are equal.
func agree(_ a: Double?, _ b: Double?, to part: Double = 1e-8) -> Bool {
    guard let a, let b else { return a == nil && b == nil }
    return a == b || (a - b).magnitude <= part * max(a.magnitude, b.magnitude)
}
