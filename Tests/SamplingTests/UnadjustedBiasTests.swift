import EnergyModels
import RandomStreams
import Sampling
import Testing
import VectorMath

/// The positions of 20 480 chains (two coordinates each) after `transitions` at N(0, I), started there.
private func positions(
    _ kernel: any TransitionKernel, stepSize: Double, mass: Double = 1, transitions: Int
) throws -> [Double] {
    let lanes = 2048
    var kernel = kernel
    var target = standardNormal(2).evaluator(lanes: lanes, at: singleLevel.levels[0])
    var all: [Double] = []
    for block in 0..<10 {
        let stream = RandomStream(seed: 99, firstChain: block * lanes)
        var state = ChainState(dimension: 2, lanes: lanes)
        stream.fillNormals(&state.position, purpose: .initialPosition, level: 0)
        stream.fillNormals(&state.momentum, purpose: .initialMomentum, level: 0)
        try state.evaluate(&target)
        for transition in 0..<transitions {
            let context = TransitionContext(
                level: 0, transition: transition, stepSize: stepSize, mass: mass, stream: stream)
            try kernel.transition(&state, target: &target, in: context)
        }
        all += state.position.elements
    }
    return all
}

/// How far the variance of normal numbers is from `expected`, in standard errors.
private func varianceScore(_ x: [Double], expected: Double) -> Double {
    (variance(x) / expected - 1) / (2 / Double(x.count)).squareRoot()
}

@Suite("Bias of unadjusted kernels")
struct UnadjustedBiasTests {
    @Test("ULA samples a Gaussian with variance 1 / (1 - h / 2) instead of 1", arguments: [0.2, 0.5, 1.0])
    func langevin(stepSize h: Double) throws {
        // The start is forgotten as (1 - h)^(2 K): under 1e-3 after 16 transitions of 0.2.
        let kernel = LangevinKernel(adjusted: false, dimension: 2, lanes: 2048)
        let x = try positions(kernel, stepSize: h, transitions: h < 0.3 ? 24 : 12)
        // Two z-scores: false alarm 4e-7. The bias itself is 15 standard errors at the least.
        #expect(varianceScore(x, expected: 1 / (1 - h / 2)).magnitude < zThreshold)
        #expect(zScore(x).magnitude < zThreshold)
        #expect(varianceScore(x, expected: 1) > 2 * zThreshold)
    }

    @Test(
        "U-HMC samples a Gaussian with variance 1 / (1 - (h / M)^2 / 4) instead of 1",
        arguments: [(0.8, 1.0), (0.6, 0.5), (1.8, 3.0)])
    func hamiltonian(stepSize h: Double, mass: Double) throws {
        let kernel = HamiltonianKernel(
            adjusted: false, leapfrogSteps: 3, damping: 0.5, dimension: 2, lanes: 2048)
        let x = try positions(kernel, stepSize: h, mass: mass, transitions: 20)
        // Steps that turn phase space by a multiple of half a turn, as three of 1 would, never mix.
        let ratio = h / mass
        // Two z-scores: false alarm 4e-7.
        #expect(varianceScore(x, expected: 1 / (1 - ratio * ratio / 4)).magnitude < zThreshold)
        #expect(zScore(x).magnitude < zThreshold)
        #expect(varianceScore(x, expected: 1) > 2 * zThreshold)
    }

    // Without a false alarm: the numbers are those of the seed. Of x^2 along axis 1 ULA's bias is 0.090, 0.027 and 0.009,
    // U-HMC's 0.041, 0.006 and 0.001, with standard errors of 0.002.
    @Test("Where the score is not linear the bias goes to zero with the step, too", arguments: [0, 3])
    func bumpy(leapfrogSteps: Int) throws {
        // The same time in all: transitions times step.
        let steps = leapfrogSteps > 0 ? [0.3, 0.15, 0.075] : [0.08, 0.04, 0.02]
        let shifts = try steps.map { stepSize in
            let time = leapfrogSteps > 0 ? 6.0 : 3.2
            return try invariance(
                of: { dimension, lanes -> any TransitionKernel in
                    if leapfrogSteps == 0 { return LangevinKernel(adjusted: false, dimension: dimension, lanes: lanes) }
                    return HamiltonianKernel(
                        adjusted: false, leapfrogSteps: leapfrogSteps, damping: 0.5, dimension: dimension,
                        lanes: lanes)
                }, on: ExactCases.bumpy, stepSize: stepSize, transitions: Int((time / stepSize).rounded()), blocks: 640)
        }
        let biases = try shifts.map { try #require($0.shifts["x^2 of axis 1"]) }
        #expect(shifts[0].worst > 3 * zThreshold && shifts[2].worst < zThreshold)
        #expect(biases[1] < biases[0] / 2 && biases[2] < biases[1] / 2)
    }
}
