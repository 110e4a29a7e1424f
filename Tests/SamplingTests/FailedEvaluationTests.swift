import Composition
import EnergyModels
import Testing

@testable import Sampling

/// The plan of a case over a density that fails.
private func plan(
    of example: CheckpointCase, fails: @escaping @Sendable (Int) -> EvaluationError?
) -> (plan: SamplingPlan, density: FailingDensity) {
    let plan = example.plan
    let density = FailingDensity(plan.density, fails: fails)
    return (
        SamplingPlan(
            density: density, hasEnergy: plan.hasEnergy, bounds: plan.bounds, walls: plan.walls, boxes: plan.boxes,
            schedule: plan.schedule, settings: plan.settings, seed: plan.seed, lanes: plan.lanes, draws: plan.draws,
            thin: plan.thin, trace: plan.trace), density
    )
}

@Suite("Evaluations that fail")
struct FailedEvaluationTests {
    private static let cases = CheckpointCase.all.filter { example in
        ["exchange", "population", "draws at the last", "line", "bounded", "refined", "bridged", "reverse", "denoised"]
            .contains {
                "\(example)".contains($0)
            }
    }

    @Test("Whichever evaluation fails, the block is what it was before the step, and goes on to the same bytes")
    func everyOther() throws {
        for example in Self.cases {
            var undisturbed = ChainBlock(plan: example.plan, index: 2)
            while try undisturbed.advance() {}
            // No step has as many evaluations, so that each comes through; those that fail are at every place in a step.
            let failing = plan(of: example) { $0 % 11 == 10 ? .cancelled : nil }
            var block = ChainBlock(plan: failing.plan, index: 2)
            var failures = 0
            while true {
                let before = block.checkpoint()
                do throws(EvaluationError) {
                    guard try block.advance() else { break }
                } catch {
                    failures += 1
                    #expect(error == .cancelled)
                    #expect(block.checkpoint() == before, "\(example)")
                }
            }
            #expect(sameBits(block.result(chains: 8), undisturbed.result(chains: 8)), "\(example)")
            #expect(failures == failing.density.count / 11, "\(example)")
        }
    }

    @Test("What a failed step leaves is taken up elsewhere, with the same bytes at the end")
    func elsewhere() throws {
        for example in Self.cases {
            var undisturbed = ChainBlock(plan: example.plan, index: 2)
            while try undisturbed.advance() {}
            for last in [0, 7, 23, 40] {
                let failing = plan(of: example) { $0 >= last ? .sourceFailed("the server is gone") : nil }
                var block = ChainBlock(plan: failing.plan, index: 2)
                var found: EvaluationError?
                do throws(EvaluationError) { while try block.advance() {} } catch { found = error }
                #expect(found == .sourceFailed("the server is gone") || failing.density.count <= last)
                var next = try ChainBlock(plan: example.plan, index: 2, resuming: block.checkpoint())
                while try next.advance() {}
                #expect(sameBits(next.result(chains: 8), undisturbed.result(chains: 8)), "\(example), \(last)")
            }
        }
    }

    @Test("A checkpoint whose chains can't be evaluated says so, and is no damaged one")
    func notEvaluated() throws {
        let example = CheckpointCase.hamiltonian
        var block = ChainBlock(plan: example.plan, index: 2)
        for _ in 0..<5 { _ = try block.advance() }
        let failing = plan(of: example) { _ in .outOfMemory("2 GiB for a network") }
        #expect(throws: BlockCheckpointError.notEvaluated(.outOfMemory("2 GiB for a network"))) {
            _ = try ChainBlock(plan: failing.plan, index: 2, resuming: block.checkpoint())
        }
    }

    @Test("A pilot block that was cut goes on from its last level, and finds the same step sizes")
    func pilots() throws {
        var settings = CheckpointCase("", .leaf("mixture"), .mala).plan.settings
        settings.kernel = .mala(
            step: .tuned(TuningSettings(targetAcceptance: 0.6, pilots: 8)), acceptance: .energy)
        let plain = CheckpointCase.hamiltonian.plan
        func tuned(_ density: any Density) -> SamplingPlan {
            SamplingPlan(density: density, schedule: plain.schedule, settings: settings, seed: 3, lanes: 8)
        }
        var undisturbed = PilotBlock(plan: tuned(plain.density), index: 1, chains: 8)
        while try undisturbed.advance() {}
        let density = FailingDensity(plain.density) { $0 % 11 == 10 ? .cancelled : nil }
        var block = PilotBlock(plan: tuned(density), index: 1, chains: 8)
        var failures = 0
        while true {
            do throws(EvaluationError) { guard try block.advance() else { break } } catch { failures += 1 }
        }
        #expect(failures > 3)
        #expect(sameBits(block.result(chains: 8), undisturbed.result(chains: 8)))
    }
}
