import EnergyModels
import Sampling
import Testing

/// A kernel's parameters on a case, chosen so that rejections matter: 60 to 85 % are accepted.
private struct Setting: Sendable, CustomTestStringConvertible {
    let exact: ExactCase
    let stepSize: Double
    var mass = 1.0
    var leapfrogSteps = 1
    var damping = 0.0

    var testDescription: String { "\(exact.name), h = \(stepSize)" }
}

private let langevin = [
    Setting(exact: ExactCases.standard, stepSize: 0.9),
    Setting(exact: ExactCases.correlated, stepSize: 0.25),
    Setting(exact: ExactCases.mixture, stepSize: 0.09),
    Setting(exact: ExactCases.product, stepSize: 0.4),
]

private let hamiltonian = [
    Setting(exact: ExactCases.standard, stepSize: 1.5, leapfrogSteps: 3, damping: 0.5),
    Setting(exact: ExactCases.standard, stepSize: 1.5, leapfrogSteps: 1, damping: 0.9),
    Setting(exact: ExactCases.correlated, stepSize: 0.7, leapfrogSteps: 3, damping: 0.5),
    Setting(exact: ExactCases.mixture, stepSize: 0.9, mass: 2, leapfrogSteps: 2, damping: 0.7),
    Setting(exact: ExactCases.product, stepSize: 0.45, mass: 0.5, leapfrogSteps: 3, damping: 0.5),
]

@Suite("Invariance")
struct InvarianceTests {
    // 18 z-scores a run: false alarm 18 * 2e-7 = 4e-6 each.

    @Test("MALA keeps the distribution it samples", arguments: langevin)
    fileprivate func metropolisAdjustedLangevin(setting: Setting) throws {
        let result = try invariance(
            of: { LangevinKernel(adjusted: true, dimension: $0, lanes: $1) }, on: setting.exact,
            stepSize: setting.stepSize, transitions: 5)
        #expect(result.count == 18)
        #expect((0.6...0.85).contains(result.acceptance))
        #expect(result.worst < zThreshold, "\(result.worstName)")
    }

    @Test("HMC with partial refreshment keeps the distribution it samples", arguments: hamiltonian)
    fileprivate func hamiltonianMonteCarlo(setting: Setting) throws {
        let result = try invariance(
            of: {
                HamiltonianKernel(
                    adjusted: true, leapfrogSteps: setting.leapfrogSteps, damping: setting.damping, dimension: $0,
                    lanes: $1)
            }, on: setting.exact, stepSize: setting.stepSize, mass: setting.mass, transitions: 5)
        #expect((0.6...0.85).contains(result.acceptance))
        #expect(result.worst < zThreshold, "\(result.worstName)")
    }

    @Test("Leaving out the Metropolis step at these step sizes is noticed")
    func unadjusted() throws {
        let langevin = try invariance(
            of: { LangevinKernel(adjusted: false, dimension: $0, lanes: $1) }, on: ExactCases.standard,
            stepSize: 0.9, transitions: 5)
        #expect(langevin.acceptance == 1)
        #expect(langevin.worst > 4 * zThreshold)
        let hamiltonian = try invariance(
            of: {
                HamiltonianKernel(adjusted: false, leapfrogSteps: 3, damping: 0.5, dimension: $0, lanes: $1)
            }, on: ExactCases.standard, stepSize: 1.5, transitions: 5)
        #expect(hamiltonian.acceptance == 1)
        #expect(hamiltonian.worst > 4 * zThreshold)
    }
}
