import RunFolder
import Testing

@testable import Diagnostics

@Suite("Diagnostics of stored draws, beside what ArviZ says")
struct ReferenceTests {
    @Test("R-hat, effective sizes, standard errors and E-BFMI agree to 1e-8", arguments: Reference.names)
    func agreement(name: String) throws {
        let draws = try Reference.draws(name)
        let expected = try #require(try Reference.expected(name))
        #expect(
            agree(draws.rHat, expected.rHat.map { $0 > 1e12 ? .infinity : $0 }),
            "R-hat \(String(describing: draws.rHat))")
        #expect(agree(draws.bulkEffectiveSize, expected.bulk), "bulk \(String(describing: draws.bulkEffectiveSize))")
        #expect(agree(draws.tailEffectiveSize, expected.tail), "tail \(String(describing: draws.tailEffectiveSize))")
        #expect(agree(draws.meanEffectiveSize, expected.mean), "mean \(String(describing: draws.meanEffectiveSize))")
        #expect(agree(draws.meanStandardError, expected.meanError))
        #expect(agree(draws.deviationStandardError, expected.deviationError))
        for (text, error) in expected.quantileErrors {
            let quantile = draws.quantile(try #require(Double(text)))
            #expect(agree(quantile?.standardError, error), "at \(text): \(String(describing: quantile))")
            #expect(agree(quantile?.value, expected.quantiles[text]))
        }
        #expect(draws.energyFractions.count == expected.energyFractions.count)
        for (found, fraction) in zip(draws.energyFractions, expected.energyFractions) {
            #expect(agree(found.isNaN ? nil : found, fraction))
        }
    }

    @Test("What is told of a variable is the same", arguments: Reference.names)
    func variables(name: String) throws {
        let draws = try Reference.draws(name)
        let variable = RunDiagnostics.Variable(name, draws)
        #expect(variable.mean == draws.mean)
        #expect(variable.rHat == draws.rHat)
        guard !draws.isConstant else {
            // ArviZ takes as many draws of one number for independent ones.
            #expect(variable == RunDiagnostics.Variable(name: name, mean: draws.mean, standardDeviation: 0))
            return
        }
        #expect(variable.standardDeviation == draws.standardDeviation)
        #expect(variable.bulkSize == draws.bulkEffectiveSize)
        #expect(variable.tailSize == draws.tailEffectiveSize)
        #expect(variable.meanError == draws.meanStandardError)
        #expect(variable.deviationError == draws.deviationStandardError)
    }

    @Test("Quantiles of the standard normal are right to 15 digits, far into the tails")
    func normalQuantiles() throws {
        for entry in try Reference.quantiles().normal {
            let found = NormalQuantile.quantile(entry[0])
            #expect(
                agree(found, entry[1], to: 4e-15) || (found - entry[1]).magnitude < 1e-16, "at \(entry[0]): \(found)")
            if entry[0] > 1e-8 {
                #expect((NormalQuantile.quantile(1 - entry[0]) + found).magnitude < 1e-7)
            }
        }
    }

    @Test("Quantiles of beta distributions are right to 11 digits")
    func betaQuantiles() throws {
        for entry in try Reference.quantiles().beta {
            #expect(agree(BetaDistribution(entry[0], entry[1]).quantile(entry[2]), entry[3], to: 1e-11), "\(entry)")
        }
    }
}
