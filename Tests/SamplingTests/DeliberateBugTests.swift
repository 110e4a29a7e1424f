import EnergyModels
import RandomStreams
import Sampling
import Testing
import VectorMath

@Suite("Deliberate bugs")
struct DeliberateBugTests {
    private static let langevin = PlainKernel.Method.langevin
    private static let hamiltonian = PlainKernel.Method.hamiltonian(leapfrogSteps: 3, damping: 0.5)

    private func run(
        _ method: PlainKernel.Method, _ fault: Fault?, acceptance: AcceptanceRule = .energy, stepSize: Double,
        transitions: Int = 5
    ) throws -> Invariance {
        try invariance(
            of: { _, _ in PlainKernel(method: method, acceptance: acceptance, fault: fault) }, on: ExactCases.standard,
            stepSize: stepSize, transitions: transitions, blocks: 320)
    }

    @Test("Without a bug the plain kernels pass")
    func plain() throws {
        // 18 z-scores each: false alarm 2 * 18 * 2e-7 = 7e-6.
        for result in try [run(Self.langevin, nil, stepSize: 0.9), run(Self.hamiltonian, nil, stepSize: 1.5)] {
            #expect((0.6...0.85).contains(result.acceptance))
            #expect(result.worst < zThreshold, "\(result.worstName)")
        }
    }

    @Test("MALA that divides by 2 h^2 instead of 4 h is found out")
    func squaredStep() throws {
        #expect(try run(Self.langevin, .squaredStep, stepSize: 0.9).worst > 4 * zThreshold)
    }

    @Test("One decision for a whole block is found out")
    func oneDecisionForAll() throws {
        // Small steps, so that a block of 64 is sometimes taken and sometimes not.
        for (method, stepSize) in [(Self.langevin, 0.1), (Self.hamiltonian, 0.35)] {
            let right = try run(method, nil, stepSize: stepSize)
            #expect(right.worst < zThreshold, "\(right.worstName)")
            let wrong = try run(method, .oneDecisionForAll, stepSize: stepSize)
            #expect(wrong.worstName == "independence of chains")
            #expect(wrong.worst > 4 * zThreshold)
        }
    }

    @Test("A kinetic term that is always zero is found out")
    func aliasedMomentum() throws {
        #expect(try run(Self.hamiltonian, .aliasedMomentum, stepSize: 1.2).worst > 4 * zThreshold)
    }

    @Test("A momentum that is not turned around on rejection is found out")
    func momentumKept() throws {
        let method = PlainKernel.Method.hamiltonian(leapfrogSteps: 2, damping: 0.7)
        let turned = try run(method, nil, stepSize: 1.5, transitions: 20)
        #expect(turned.worst < zThreshold, "\(turned.worstName)")
        let kept = try run(method, .momentumKept, stepSize: 1.5, transitions: 20)
        #expect(kept.worst > 4 * zThreshold)
    }

    @Test(
        "What can go wrong where the score is integrated is found out",
        arguments: [
            (langevin, .line(points: 3), [.integralTurned, .wholeEnds, .proposalForgotten]),
            (hamiltonian, .line(points: 3), [.integralTurned, .wholeEnds, .aliasedMomentum]),
            (hamiltonian, .path, [.integralTurned, .wholeEnds, .aliasedMomentum]),
        ] as [(PlainKernel.Method, AcceptanceRule, [Fault])])
    func integral(method: PlainKernel.Method, acceptance: AcceptanceRule, faults: [Fault]) throws {
        var stepSize = 1.5
        if case .langevin = method { stepSize = 0.9 }
        let right = try run(method, nil, acceptance: acceptance, stepSize: stepSize)
        #expect((0.6...0.85).contains(right.acceptance))
        // 18 z-scores: false alarm 18 * 2e-7 = 4e-6.
        #expect(right.worst < zThreshold, "\(right.worstName)")
        for fault in faults {
            let wrong = try run(method, fault, acceptance: acceptance, stepSize: stepSize)
            #expect(wrong.worst > 4 * zThreshold, "\(fault)")
        }
    }

    @Test(
        "A kinetic energy from before the refreshment is found out, by every rule",
        arguments: [AcceptanceRule.energy, .line(points: 3), .path])
    func momentumUnrefreshed(acceptance: AcceptanceRule) throws {
        // Longer steps turn phase space by three quarters, which hides it.
        let right = try run(Self.hamiltonian, nil, acceptance: acceptance, stepSize: 0.5, transitions: 20)
        #expect(right.worst < zThreshold, "\(right.worstName)")
        let wrong = try run(
            Self.hamiltonian, .momentumUnrefreshed, acceptance: acceptance, stepSize: 0.5, transitions: 20)
        #expect(wrong.worst > 4 * zThreshold)
    }

    @Test(
        "The plain kernels move as the kernels do", arguments: [0.3, 0.9],
        [AcceptanceRule.energy, .line(points: 2), .line(points: 5), .path])
    func agreement(stepSize: Double, acceptance: AcceptanceRule) throws {
        // Bumps of a size that such steps feel, so that no rule gives what another one would.
        let density = GaussianMixture(
            means: [[1, 0], [-1, 0.5]], standardDeviations: [[0.6, 1], [0.9, 0.6]], weights: [1, 2])
        var target = density.evaluator(lanes: 64, at: cosineSchedule.levels[8])
        let langevin = acceptance == .path ? .line(points: 2) : acceptance
        let pairs: [(any TransitionKernel, any TransitionKernel)] = [
            (
                LangevinKernel(adjusted: true, acceptance: langevin, dimension: 2, lanes: 64),
                PlainKernel(method: Self.langevin, acceptance: acceptance, fault: nil)
            ),
            (
                HamiltonianKernel(
                    adjusted: true, acceptance: acceptance, leapfrogSteps: 3, damping: 0.5, dimension: 2, lanes: 64),
                PlainKernel(method: Self.hamiltonian, acceptance: acceptance, fault: nil)
            ),
        ]
        for (kernel, plain) in pairs {
            let stream = RandomStream(seed: 5, firstChain: 0)
            var states = [ChainState(dimension: 2, lanes: 64), ChainState(dimension: 2, lanes: 64)]
            var kernels = [kernel, plain]
            for index in 0..<2 {
                stream.fillNormals(&states[index].position, purpose: .initialPosition, level: 0)
                try states[index].evaluate(&target)
                for transition in 0..<5 {
                    let context = TransitionContext(
                        level: 0, transition: transition, stepSize: stepSize, stream: stream)
                    try kernels[index].transition(&states[index], target: &target, in: context)
                }
            }
            // Rounding differs; a decision could differ only where log u meets the ratio to 1e-13.
            #expect(states[0].accepted == states[1].accepted)
            #expect(states[0].accepted.contains { $0 < 5 })
            for (one, other) in zip(states[0].position.elements, states[1].position.elements) {
                #expect((one - other).magnitude < 1e-11)
            }
            for (one, other) in zip(states[0].momentum.elements, states[1].momentum.elements) {
                #expect((one - other).magnitude < 1e-11)
            }
        }
    }
}
