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
        _ method: PlainKernel.Method, _ fault: Fault?, stepSize: Double, transitions: Int = 5
    ) -> Invariance {
        invariance(
            of: { _, _ in PlainKernel(method: method, fault: fault) }, on: ExactCases.standard,
            stepSize: stepSize, transitions: transitions, blocks: 320)
    }

    @Test("Without a bug the plain kernels pass")
    func plain() {
        // 18 z-scores each: false alarm 2 * 18 * 2e-7 = 7e-6.
        for result in [run(Self.langevin, nil, stepSize: 0.9), run(Self.hamiltonian, nil, stepSize: 1.5)] {
            #expect((0.6...0.85).contains(result.acceptance))
            #expect(result.worst < zThreshold, "\(result.worstName)")
        }
    }

    @Test("MALA that divides by 2 h^2 instead of 4 h is found out")
    func squaredStep() {
        #expect(run(Self.langevin, .squaredStep, stepSize: 0.9).worst > 4 * zThreshold)
    }

    @Test("One decision for a whole block is found out")
    func oneDecisionForAll() {
        // Small steps, so that a block of 64 is sometimes taken and sometimes not.
        for (method, stepSize) in [(Self.langevin, 0.1), (Self.hamiltonian, 0.35)] {
            let right = run(method, nil, stepSize: stepSize)
            #expect(right.worst < zThreshold, "\(right.worstName)")
            let wrong = run(method, .oneDecisionForAll, stepSize: stepSize)
            #expect(wrong.worstName == "independence of chains")
            #expect(wrong.worst > 4 * zThreshold)
        }
    }

    @Test("A kinetic term that is always zero is found out")
    func aliasedMomentum() {
        #expect(run(Self.hamiltonian, .aliasedMomentum, stepSize: 1.2).worst > 4 * zThreshold)
    }

    @Test("A momentum that is not turned around on rejection is found out")
    func momentumKept() {
        let method = PlainKernel.Method.hamiltonian(leapfrogSteps: 2, damping: 0.7)
        let turned = run(method, nil, stepSize: 1.5, transitions: 20)
        #expect(turned.worst < zThreshold, "\(turned.worstName)")
        let kept = run(method, .momentumKept, stepSize: 1.5, transitions: 20)
        #expect(kept.worst > 4 * zThreshold)
    }

    @Test("The plain kernels move as the kernels do", arguments: [0.3, 0.9])
    func agreement(stepSize: Double) {
        var target = standardNormal(2).evaluator(lanes: 64, at: singleLevel.levels[0])
        let pairs: [(any TransitionKernel, any TransitionKernel)] = [
            (
                LangevinKernel(adjusted: true, dimension: 2, lanes: 64),
                PlainKernel(method: Self.langevin, fault: nil)
            ),
            (
                HamiltonianKernel(adjusted: true, leapfrogSteps: 3, damping: 0.5, dimension: 2, lanes: 64),
                PlainKernel(method: Self.hamiltonian, fault: nil)
            ),
        ]
        for (kernel, plain) in pairs {
            let stream = RandomStream(seed: 5, firstChain: 0)
            var states = [ChainState(dimension: 2, lanes: 64), ChainState(dimension: 2, lanes: 64)]
            var kernels = [kernel, plain]
            for index in 0..<2 {
                stream.fillNormals(&states[index].position, purpose: .initialPosition, level: 0)
                states[index].evaluate(&target)
                for transition in 0..<5 {
                    let context = TransitionContext(
                        level: 0, transition: transition, stepSize: stepSize, stream: stream)
                    kernels[index].transition(&states[index], target: &target, in: context)
                }
            }
            // Rounding differs; a decision could differ only where log u meets the ratio to 1e-14.
            #expect(states[0].accepted == states[1].accepted)
            for (one, other) in zip(states[0].position.elements, states[1].position.elements) {
                #expect((one - other).magnitude < 1e-12)
            }
            for (one, other) in zip(states[0].momentum.elements, states[1].momentum.elements) {
                #expect((one - other).magnitude < 1e-12)
            }
        }
    }
}
