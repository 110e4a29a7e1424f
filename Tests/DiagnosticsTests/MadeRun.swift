import RunFolder

@testable import Diagnostics

/// A run in memory of which tests make the numbers: two coordinates, four levels, and nothing to object to.
struct MadeRun: RunRecords {
    /// The names of the checks that fail.
    var failures: [String] {
        get throws { try diagnostics().failures.map(\.name) }
    }

    var chains: Int
    var draws: Int
    var sampler: String
    var thin = 1
    var shape = [2]
    /// [chains * draws * dimension].
    var samples: [Float]
    var floats: [String: [Float]] = [:]
    var doubles: [String: [Double]] = [:]
    var selection: [Int]?
    var summary: RunSummary

    /// - Parameters:
    ///   - sampler: more members of the sampler, each with a comma before it.
    ///   - keep: the part of a draw that is left in the next one.
    init(chains: Int, draws: Int = 1, kind: String = "hmc", sampler: String = "", keep: Double = 0) {
        self.chains = chains
        self.draws = draws
        self.sampler = #"{"kind": "\#(kind)", "transitions": 3, "levels": [0, 3]\#(sampler)}"#
        var noise = Noise()
        samples = []
        for _ in 0..<chains {
            var point = [noise.next(), noise.next()]
            for _ in 0..<draws {
                samples += point.map { Float($0) }
                point = point.map { keep * $0 + (1 - keep * keep).squareRoot() * noise.next() }
            }
        }
        let made = samples
        doubles[RunStatistic.logDensity] = (0..<chains).map { chain in
            let end = made[..<((chain + 1) * 2 * draws)].suffix(2)
            return -0.5 * end.reduce(0) { $0 + Double($1) * Double($1) }
        }
        summary = RunSummary(
            jobHash: "0a", name: "made", chains: chains, draws: draws, shape: [2], acceptanceMean: 0.7,
            acceptancePerLevel: [0.7, 0.7, 0.7, 0.7], stepSize: [0.1, 0.1, 0.1, 0.1], gradientEvaluations: 100,
            divergences: 0, logDensity: RunSummary.LogDensity(mean: -3, standardDeviation: 1), samplesSHA256: "")
    }

    func diagnostics() throws -> RunDiagnostics {
        let job = #"{"sampler": \#(sampler), "draws": \#(draws), "thin": \#(thin)}"#
        return try RunExamination(self, summary: summary, canonicalJob: Array(job.utf8)).diagnostics()
    }

    func check(_ name: String) throws -> RunDiagnostics.Check? {
        try diagnostics().checks.first { $0.name == name }
    }

    func samples(ofRows rows: Range<Int>) throws(RunFolderError) -> [Float] {
        let size = samples.count / chains
        return Array(samples[rows.lowerBound * size..<rows.upperBound * size])
    }

    func forEachRows<Element: NpyElement>(
        of statistic: String, as type: Element.Type, _ body: ([Element]) throws(RunFolderError) -> Void
    ) throws(RunFolderError) {
        if let values = floats[statistic] as? [Element] ?? doubles[statistic] as? [Element] { try body(values) }
    }

    /// Standard normals, nearly: sums of twelve uniform numbers.
    struct Noise {
        private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

        mutating func next() -> Double {
            var sum = -6.0
            for _ in 0..<12 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                sum += Double(state >> 11) / 9_007_199_254_740_992
            }
            return sum
        }
    }
}
