import Sampling
import Testing

@Suite("Conflicts of a kernel")
struct SamplerConflictTests {
    private let step = StepSizes.given(.constant(0.1))

    private func conflict(_ settings: SamplerSettings, hasEnergy: Bool = true) -> SamplerConflict? {
        settings.conflict(hasEnergy: hasEnergy, draws: 1)
    }

    private func settings(_ kernel: SamplerSettings.Kernel, transitions: Int = 1) -> SamplerSettings {
        SamplerSettings(kernel: kernel, transitions: transitions, levels: 0...3)
    }

    @Test("Ancestral sampling makes no transitions, and every other kernel makes some")
    func transitions() {
        #expect(conflict(.reverse(levels: 4)) == nil)
        #expect(conflict(settings(.reverse))?.option == .kind)
        #expect(conflict(settings(.reverse, transitions: 0))?.option == .kind, "without a step into the next level")
        #expect(conflict(settings(.ula(step: .constant(0.1))))?.option == nil)
        #expect(conflict(settings(.ula(step: .constant(0.1)), transitions: 0))?.option == .kind)
    }

    @Test("Only a leapfrog's steps are a path")
    func path() {
        let leapfrog = LeapfrogSettings()
        #expect(conflict(settings(.hmc(step: step, leapfrog: leapfrog, acceptance: .path))) == nil)
        let refused = conflict(settings(.mala(step: step, acceptance: .path)))
        #expect(refused?.option == .acceptance)
        #expect(refused?.description.contains("not a path") == true)
    }

    @Test("A rule that goes by the energy needs one")
    func energy() {
        let refused = conflict(settings(.mala(step: step, acceptance: .energy)), hasEnergy: false)
        #expect(refused?.option == .kind)
        #expect(refused?.description.hasPrefix("mala accepts and rejects by the energy") == true)
        for kernel in [.mala(step: step, acceptance: .line(points: 2)), .ula(step: .constant(0.1)), .reverse]
            as [SamplerSettings.Kernel]
        {
            let settings = kernel == .reverse ? .reverse(levels: 4) : settings(kernel)
            #expect(conflict(settings, hasEnergy: false) == nil)
        }
    }

    @Test("Step sizes are exchanged in every kernel that takes steps, and nothing else is")
    func stepping() {
        let leapfrog = LeapfrogSettings(steps: 4, damping: 0.9, mass: .constant(2))
        let tuned = StepSizes.tuned(TuningSettings(targetAcceptance: 0.7, pilots: 1))
        let (old, new) = (LevelValues.constant(0.1), LevelValues.perLevel([1, 2, 3, 4]))
        let pairs: [(SamplerSettings.Kernel, SamplerSettings.Kernel)] = [
            (.reverse, .reverse), (.ula(step: old), .ula(step: new)),
            (.mala(step: tuned, acceptance: .line(points: 3)), .mala(step: .given(new), acceptance: .line(points: 3))),
            (.uhmc(step: old, leapfrog: leapfrog), .uhmc(step: new, leapfrog: leapfrog)),
            (
                .hmc(step: tuned, leapfrog: leapfrog, acceptance: .path),
                .hmc(step: .given(new), leapfrog: leapfrog, acceptance: .path)
            ),
        ]
        for (kernel, stepped) in pairs { #expect(kernel.stepping(by: new) == stepped) }
    }
}
