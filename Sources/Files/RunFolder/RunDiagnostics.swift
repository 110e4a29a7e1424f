/// What a run's draws and statistics tell of its samples, and what is thought of it: `diagnostics` in `summary.json`.
///
/// docs/diagnostics.md has the definitions, and the limits with their reasons. All of it depends on the job alone.
package struct RunDiagnostics: Sendable, Equatable {
    /// A number of each draw by whose means and spread the draws are judged.
    package struct Variable: Sendable, Equatable {
        /// Such as `x[0]`, `log_density` or `projection[3]`.
        package var name: String
        /// Of all draws that were looked at.
        package var mean: Double?
        /// Of the same draws, with n - 1 in the denominator.
        package var standardDeviation: Double?
        /// The Monte Carlo standard error of the mean.
        package var meanError: Double?
        /// The Monte Carlo standard error of the standard deviation.
        package var deviationError: Double?
        /// Independent draws that would tell as much about the middle; nil where it is not defined, as the following are.
        package var bulkSize: Double?
        /// Independent draws that would tell as much about the tails.
        package var tailSize: Double?
        /// How much chains, and the halves of each, differ: 1 if they don't.
        package var rHat: Double?

        /// Every field as given.
        package init(
            name: String, mean: Double? = nil, standardDeviation: Double? = nil, meanError: Double? = nil,
            deviationError: Double? = nil, bulkSize: Double? = nil, tailSize: Double? = nil, rHat: Double? = nil
        ) {
            self.name = name
            self.mean = mean
            self.standardDeviation = standardDeviation
            self.meanError = meanError
            self.deviationError = deviationError
            self.bulkSize = bulkSize
            self.tailSize = tailSize
            self.rHat = rHat
        }
    }

    /// A number that was compared with a limit.
    package struct Check: Sendable, Equatable {
        /// Of which kind, such as `acceptance`.
        package var name: String
        /// The number; nil where it is infinite.
        package var value: Double?
        /// What it was compared with.
        package var limit: Double
        /// Whether it is on the right side.
        package var passes: Bool
        /// What was found, in a sentence; what to do about it too, where it fails.
        package var text: String

        /// Every field as given.
        package init(name: String, value: Double?, limit: Double, passes: Bool, text: String) {
            self.name = name
            self.value = value
            self.limit = limit
            self.passes = passes
            self.text = text
        }
    }

    /// The version of the names that are written; a summary with a later one is read without its diagnostics.
    package static let version = 1

    /// Chains that were looked at for the variables: spread evenly, where all would be too many.
    package var chains: Int
    /// Draws of each chain.
    package var draws: Int
    /// In a fixed order.
    package var variables: [Variable]
    /// Those that the job gives reason for, in a fixed order.
    package var checks: [Check]

    /// Every field as given.
    package init(chains: Int, draws: Int, variables: [Variable], checks: [Check]) {
        self.chains = chains
        self.draws = draws
        self.variables = variables
        self.checks = checks
    }

    /// Whether no check fails.
    package var passes: Bool { checks.allSatisfy(\.passes) }

    /// The checks that fail.
    package var failures: [Check] { checks.filter { !$0.passes } }

    /// The verdict in one line.
    package var verdict: String {
        guard let first = failures.first else {
            return
                "passed: \(checks.count) \(checks.count == 1 ? "check" : "checks") found nothing against these samples"
        }
        let others = failures.count - 1
        let rest = others == 0 ? "" : " (and \(others) more \(others == 1 ? "check fails" : "checks fail"))"
        return "failed: \(first.text)\(rest)"
    }
}
