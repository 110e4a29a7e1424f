import RunFolder
import Testing

@testable import Diagnostics

@Suite("The verdict on a run")
struct VerdictTests {
    @Test(
        "A run that went well passes",
        arguments: [
            MadeRun(chains: 300), MadeRun(chains: 1), MadeRun(chains: 300, kind: "ula"), MadeRun(chains: 300, draws: 3),
            MadeRun(chains: 4, draws: 2000, keep: 0.5), MadeRun(chains: 500, draws: 20, keep: 0.9),
            MadeRun(chains: 1, draws: 1000),
        ])
    func passes(run: MadeRun) throws {
        let found = try run.diagnostics()
        #expect(found.failures == [])
        #expect(found.verdict == "passed: \(found.checks.count) checks found nothing against these samples")
    }

    @Test("Chains that stand still at a level fail, where a kernel can reject")
    func acceptance() throws {
        var run = MadeRun(chains: 300)
        run.summary.acceptancePerLevel = [0.4, nil, 0.001, 0.04]
        #expect(try run.failures == ["acceptance"])
        let check = try #require(try run.check("acceptance"))
        #expect(check.value == 0.001)
        #expect(check.text.contains("0.001 at level 2, and below 0.05 at 2 of 3 levels"))
        run.sampler = run.sampler.replacing("hmc", with: "uhmc")
        #expect(try run.failures == [])
    }

    @Test("Levels below 0 count too")
    func refinement() throws {
        var run = MadeRun(chains: 2, sampler: #", "refine": {"levels": 2, "transitions": 3}"#)
        run.floats[RunStatistic.refinementAcceptance] = [0.5, 0.02, 0.5, 0.04]
        #expect(try run.failures == ["acceptance"])
        #expect(try run.check("acceptance")?.text.contains("0.03 at level -2") == true)
    }

    @Test("A draw that is not finite fails")
    func nonFinite() throws {
        var run = MadeRun(chains: 300, kind: "ula")
        run.samples[41] = .infinity
        run.summary.nonFiniteDraws = 1
        #expect(try run.failures == ["finite_draws"])
        // In series it leaves the variables that it is of undefined, and takes no number for one.
        run = MadeRun(chains: 4, draws: 500, kind: "ula")
        run.samples[41] = .nan
        run.summary.nonFiniteDraws = 1
        let found = try run.diagnostics()
        #expect(found.failures.map(\.name) == ["finite_draws"])
        #expect(found.variables.first { $0.name == "x[1]" } == RunDiagnostics.Variable(name: "x[1]"))
        #expect(found.variables.first { $0.name == "x[0]" }?.rHat != nil)
    }

    @Test("Divergences fail as a part of the proposals, which replicas and levels below 0 make too")
    func divergences() throws {
        var run = MadeRun(
            chains: 100, draws: 2,
            sampler: #", "exchange": {"levels": [0, 3]}, "refine": {"levels": 2, "transitions": 3}"#)
        run.thin = 5
        // 4 levels and 2 below of 3 transitions, and two replicas for 5 more: 28 proposals a chain.
        run.summary.divergences = 28
        #expect(try run.failures == [])
        run.summary.divergences = 29
        #expect(try run.failures == ["divergences"])
        run = MadeRun(chains: 100, kind: "reverse")
        run.summary.divergences = 2
        #expect(try run.check("divergences")?.value == 0.02)
    }

    @Test("Chains without a log density fail, unless there is none to know")
    func logDensities() throws {
        var run = MadeRun(chains: 300)
        for chain in 0..<3 { run.doubles[RunStatistic.logDensity]?[chain] = -.infinity }
        #expect(try run.failures == [])
        run.doubles[RunStatistic.logDensity]?[3] = .nan
        #expect(try run.failures == ["log_density"])
        run.doubles[RunStatistic.logDensity] = [Double](repeating: .nan, count: 300)
        #expect(try run.failures == [])
        #expect(try run.diagnostics().variables.map(\.name) == ["x[0]", "x[1]", "norm"])
        run.summary.logDensity = RunSummary.LogDensity(mean: -1e5, standardDeviation: 121)
        #expect(try run.failures == ["log_density_spread"])
    }

    @Test("Chains that are left in a mode of little mass fail, where neighbours can tell")
    func localMass() throws {
        var run = MadeRun(chains: 2_000)
        #expect(try #require(try run.check("local_mass")).value ?? 1 < 0.005)
        // One chain in ten is elsewhere, where the density is e^-18 of that in the middle.
        for chain in stride(from: 0, to: 2_000, by: 10) {
            for axis in 0..<2 { run.samples[2 * chain + axis] = 0.1 * run.samples[2 * chain + axis] + 6 }
            let end = run.samples[2 * chain..<2 * chain + 2]
            run.doubles[RunStatistic.logDensity]?[chain] = -0.5 * end.reduce(0) { $0 + Double($1) * Double($1) }
        }
        #expect(try run.failures == ["local_mass"])
        #expect(abs(try #require(try run.check("local_mass")?.value) - 0.1) < 0.005)
        // The normaliser doesn't matter, and may be beyond what a number holds.
        for move in [-2_000.0, 2_000] {
            var moved = run
            moved.doubles[RunStatistic.logDensity] = run.doubles[RunStatistic.logDensity]?.map { $0 + move }
            #expect(try moved.check("local_mass")?.value == run.check("local_mass")?.value)
        }
        run.sampler = run.sampler.replacing("}", with: #", "denoise": true}"#)
        #expect(try run.check("local_mass") == nil)
        #expect(try MadeRun(chains: 999).check("local_mass") == nil)
    }

    @Test("Chains that never left the start noise fail, where neighbours can tell")
    func startNoise() throws {
        var run = MadeRun(chains: 1_000)
        // The target has a tenth of the noise's width.
        run.doubles[RunStatistic.logDensity] = run.doubles[RunStatistic.logDensity]?.map { 100 * $0 }
        #expect(try run.failures == ["local_mass"])
    }

    @Test("Copies of samples, as a population leaves them, have no neighbourhood")
    func copies() throws {
        var run = MadeRun(chains: 1_000)
        for chain in 0..<500 {
            run.samples.replaceSubrange(2 * chain..<2 * chain + 2, with: run.samples[1_998..<2_000])
        }
        let end = run.doubles[RunStatistic.logDensity]?[999]
        for chain in 0..<500 { run.doubles[RunStatistic.logDensity]?[chain] = end ?? 0 }
        #expect(try #require(try run.check("local_mass")).passes)
    }

    @Test("A population of few fails, and its means are known as well as it is worth")
    func populations() throws {
        var run = MadeRun(chains: 300, sampler: #", "population": {"threshold": 0.5}"#)
        run.summary.population = RunSummary.PopulationWorth(effectiveSize: 100, distinctChains: 150, ancestors: 60)
        run.selection = (0..<300).map { $0 / 2 }
        #expect(try run.failures == [])
        let variable = try #require(try run.diagnostics().variables.first { $0.name == "norm" })
        #expect(variable.meanError == variable.standardDeviation.map { $0 / 10 })
        run.summary.population = RunSummary.PopulationWorth(effectiveSize: 29, distinctChains: 150, ancestors: 19)
        #expect(try run.failures == ["population", "ancestors"])
        run.summary.population = RunSummary.PopulationWorth(effectiveSize: 290, distinctChains: 20, ancestors: 20)
        #expect(try run.failures == ["population"])
    }

    @Test("Replicas that don't swap fail, and so does a normaliser that is hardly known")
    func swapsAndNormalizers() throws {
        var run = MadeRun(chains: 2, sampler: #", "exchange": {"levels": [0, 2, 3]}"#)
        run.floats[RunStatistic.swapAcceptance] = [0.3, 0.004, 0.5, 0.008]
        #expect(try run.failures == ["swap_acceptance"])
        #expect(try run.check("swap_acceptance")?.text.contains("levels 2 and 3 swap 0.006") == true)
        run.floats[RunStatistic.swapAcceptance] = [0.3, 0.2, 0.5, 0.2]
        let normalizer = RunSummary.LogNormalizer(estimate: 0, standardError: 0.6, perLevel: [])
        run.summary.preliminaries = [
            RunSummary.PreliminaryRun(
                jobHash: "", name: "", gradientEvaluations: 1, component: "\"a\"", logNormalizer: normalizer)
        ]
        #expect(try run.failures == ["normalizers"])
    }

    @Test("Chains that are too short fail")
    func tooShort() throws {
        #expect(try MadeRun(chains: 4, draws: 90, keep: 0.9).failures == ["effective_size", "r_hat"])
        #expect(try MadeRun(chains: 4, draws: 90).failures == ["effective_size"])
        // One chain is asked for no more than a hundred.
        #expect(try MadeRun(chains: 1, draws: 300, keep: 0.1).failures == [])
    }

    @Test("A few draws of a chain are no series: nothing is told that takes one, and few such chains fail")
    func shortSeries() throws {
        #expect(try MadeRun(chains: 24, draws: 8).failures == ["effective_size"])
        #expect(try MadeRun(chains: 399, draws: 19).failures == ["effective_size"])
        #expect(try MadeRun(chains: 400, draws: 4).failures == [])
        #expect(try MadeRun(chains: 24, draws: 3).failures == [])
        let variables = try MadeRun(chains: 400, draws: 19).diagnostics().variables
        #expect(!variables.isEmpty && variables.allSatisfy { $0.bulkSize == nil && $0.rHat == nil })
    }

    @Test(
        "Independent draws pass, however many chains they are of",
        arguments: [(16, 50), (100, 20), (300, 24), (4, 200)])
    func independent(chains: Int, draws: Int) throws {
        #expect(try MadeRun(chains: chains, draws: draws).failures == [])
    }

    @Test("Where some chains stand for all, these are worth as much more as they are more")
    func someForAll() throws {
        // Of 800 chains 65 are looked at, which by themselves would be worth some 200.
        #expect(try MadeRun(chains: 800, draws: 2000, keep: 0.997).failures == [])
    }

    @Test("A job of huge numbers is looked at like any other")
    func hugeNumbers() throws {
        var run = MadeRun(chains: 4, draws: 500)
        run.thin = .max
        #expect(try run.check("divergences")?.passes == true)
    }

    @Test("A chain that stands still among others fails, and so do all of them")
    func stuck() throws {
        var run = MadeRun(chains: 4, draws: 500)
        for index in 2000..<3000 { run.samples[index] = 0.25 }
        #expect(try run.failures.contains("r_hat"))
        run.samples = run.samples.map { _ in 0.25 }
        #expect(try run.failures == ["effective_size"])
        #expect(try run.diagnostics().verdict.contains("all draws are one point"))
        for index in 2000..<3000 { run.samples[index] = 0.5 }
        #expect(try run.check("r_hat")?.value == nil)
        #expect(try run.failures == ["effective_size", "r_hat"])
    }

    @Test("Chains that are many need not explore all, but have to be at rest")
    func drift() throws {
        var run = MadeRun(chains: 500, draws: 30)
        // Each chain keeps to a place of its own: together they are a sample.
        for chain in 0..<500 {
            for index in chain * 60..<chain * 60 + 60 { run.samples[index] += Float(chain % 2) * 8 }
        }
        #expect(try run.failures == [])
        for index in run.samples.indices { run.samples[index] += 0.1 * Float(index / 2 % 30) }
        #expect(try run.failures == ["drift"])
    }

    @Test("Energies that change little from draw to draw fail, where momenta are fresh")
    func energies() throws {
        var run = MadeRun(chains: 4, draws: 500, sampler: #", "damping": 0.5"#)
        run.doubles[RunStatistic.energyOfDraws] = MadeRun(chains: 2, draws: 500).samples.map { Double($0) }
        #expect(try run.failures == [])
        let slow: [Int] = (0..<2000).map { $0 / 50 % 2 * 10 + $0 % 3 }
        run.doubles[RunStatistic.energyOfDraws] = slow.map { Double($0) }
        #expect(try run.failures == ["e_bfmi"])
        run.sampler = run.sampler.replacing("0.5", with: "0.9")
        #expect(try run.failures == [])
        run.thin = 8
        #expect(try run.failures == ["e_bfmi"])
    }

    @Test("Halves of the chains that lie apart fail")
    func halves() throws {
        var run = MadeRun(chains: 300)
        for index in 300..<600 { run.samples[index] += 2 }
        #expect(try run.failures == ["halves"])
    }

    @Test("Points of many coordinates are told of by projections that no job changes")
    func projections() throws {
        var run = MadeRun(chains: 30)
        (run.shape, run.summary.shape) = ([1, 3, 4], [1, 3, 4])
        run.samples = (0..<360).map { Float($0 % 11) }
        let names = try run.diagnostics().variables.map(\.name)
        #expect(names == ["log_density", "mean", "norm"] + (0..<8).map { "projection[\($0)]" })
        let numbers = NamedNumbers(dimension: 12)
        var sums = [Double](repeating: 0, count: numbers.names.count)
        for axis in 0..<12 {
            var values = sums
            numbers.fill(&values, of: (0..<12).map { $0 == axis ? 1 : 0 }[...])
            for index in sums.indices { sums[index] += values[index] * values[index] }
        }
        // The directions have length 1.
        for sum in sums.dropFirst(2) { #expect((sum - 1).magnitude < 1e-6) }
        #expect((sums[0] - 1.0 / 12).magnitude < 1e-12 && sums[1] == 12)
    }

    @Test("Of very many draws, chains that are spread evenly stand for all")
    func spread() throws {
        let run = MadeRun(chains: 9_000, draws: 40)
        let found = try run.diagnostics()
        #expect(found.chains == (1 << 17) / 40)
        #expect(found.failures == [])
        let examined = try RunExamination(
            run, summary: run.summary,
            canonicalJob: Array(
                #"{"sampler": \#(run.sampler), "draws": 40, "thin": 1}"#.utf8))
        #expect(examined.rows.count == found.chains && examined.rows.first == 0)
        #expect(zip(examined.rows, examined.rows.dropFirst()).allSatisfy { 2...3 ~= $1 - $0 })
        #expect(examined.rows.last.map { $0 > 8_990 } == true)
    }

    @Test("A text that is no job is refused")
    func noJob() throws {
        let run = MadeRun(chains: 3)
        for text in ["{", "{}", #"{"sampler": {"kind": "hmc"}, "draws": 1, "thin": 1}"#] {
            #expect(throws: RunFolderError.self) {
                try RunExamination(run, summary: run.summary, canonicalJob: Array(text.utf8))
            }
        }
    }
}
