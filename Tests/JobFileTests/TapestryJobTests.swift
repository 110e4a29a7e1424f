import Composition
import ContentHash
import EnergyModels
import JobFile
import Sampling
import StrictJSON
import Testing

@Suite("Jobs of tapestries")
struct TapestryJobTests {
    private static func job(
        _ target: String, sampler: String = #"{"kind": "ula", "step_size": 0.1}"#
    ) throws -> Job {
        try ExampleJobs.decode(
            """
            {"rrr": 1, "name": "tapestry",
             "models": {"dark": {"kind": "gaussian", "shape": [3, 8, 8], "mean": 0, "std": 0.5},
                        "range": {"kind": "uniform_box", "shape": [3, 8, 8], "low": -1, "high": 1}},
             "target": \(target), "schedule": {"kind": "cosine", "levels": 10}, "sampler": \(sampler), "chains": 4}
            """)
    }

    private static func windows(_ of: String, more: String = "") -> String {
        #"[{"of": \#(of), "at": [0, 0]}, {"of": "dark", "at": [0, 4]\#(more)}]"#
    }

    @Test("Points are canvases, and the canonical job says what was left out")
    func canonical() throws {
        let job = try Self.job(#"{"tapestry": {"size": [3, 8, 12], "windows": \#(Self.windows(#""range""#))}}"#)
        #expect(job.shape.lengths == [3, 8, 12] && job.dimension == 288 && job.hasEnergy)
        #expect(
            job.canonicalText.contains(
                #""target":{"tapestry":{"combine":"product","size":[3,8,12],"windows":["#
                    + #"{"at":[0,0],"of":"range","scale":1,"weight":0.75},{"at":[0,4],"of":"dark","scale":1,"weight":0.75}],"wrap":false}}"#
            ))
        let again = try ExampleJobs.decode(job.canonicalText)
        #expect(again.canonicalText == job.canonicalText && again.identity == job.identity)
        let spelt = try Self.job(
            """
            {"tapestry": {"combine": "product", "size": [3, 8, 12],
             "windows": [{"of": "range", "at": [0, 0], "weight": 0.75}, {"of": "dark", "at": [0, 4], "scale": 1}]}}
            """)
        #expect(spelt.identity == job.identity)
        let other = try Self.job(
            #"{"tapestry": {"size": [3, 8, 12], "windows": \#(Self.windows(#""range""#, more: #", "weight": 1"#))}}"#)
        #expect(other.identity != job.identity)
    }

    @Test("An average has scores alone, so that kernels that need an energy are refused and others are not")
    func average() throws {
        let target =
            #"{"tapestry": {"size": [3, 8, 12], "windows": \#(Self.windows(#""range""#)), "combine": "average"}}"#
        let job = try Self.job(target)
        #expect(!job.hasEnergy && !job.canonicalText.contains("weight"))
        #expect(try ExampleJobs.decode(job.canonicalText).identity == job.identity)
        #expect(try !Self.job(target, sampler: #"{"kind": "mala", "step_size": 0.1, "acceptance": "line"}"#).hasEnergy)
        for sampler in [
            #"{"kind": "mala", "step_size": 0.1}"#,
            #"{"kind": "mala", "acceptance": "line", "step_size": 0.1, "population": {}}"#,
        ] {
            #expect(throws: JobError.self) { try Self.job(target, sampler: sampler) }
        }
    }

    @Test("Bounds around a tapestry are of the canvas, bounds in a window of the window")
    func bounds() throws {
        let inner = #"{"bounded": {"of": "dark", "low": -0.5, "high": 0.5}}"#
        let job = try Self.job(
            #"{"bounded": {"of": {"tapestry": {"size": [3, 8, 12], "windows": \#(Self.windows(inner))}}, "low": -1, "high": 1}}"#
        )
        let bounds = try #require(job.target.bounds)
        #expect(bounds.low.count == 288 && bounds.low[0] == -0.5 && bounds.low[11] == -1 && bounds.high[7] == 0.5)
        struct NoNetwork: Error {}
        #expect(try job.plan { _ in throw NoNetwork() }.density.shape.lengths == [3, 8, 12])
    }

    @Test("A normaliser in a window is looked for among points of the window's shape")
    func preliminary() throws {
        let mixture =
            #"{"mixture": ["range", {"tempered": {"of": "dark", "temperature": 2}}], "log_normalizers": [0, "estimate"]}"#
        let job = try Self.job(
            #"{"tapestry": {"size": [3, 8, 12], "windows": \#(Self.windows(mixture))}}"#,
            sampler: #"{"kind": "mala", "step_size": 0.1}"#)
        let first = try #require(job.preliminary)
        #expect(first.job.shape.lengths == [3, 8, 8])
        #expect(try ExampleJobs.decode(first.job.canonicalText).identity == first.job.identity)
        let numbers = [Double?](repeating: 1, count: 10)
        let known = try job.resolved(first, stepSizes: numbers, logNormalizers: numbers)
        #expect(known.preliminary == nil && known.shape.lengths == [3, 8, 12])
    }

    @Test("Where each pixel counts once in all chains may start from the target's own noise")
    func start() throws {
        let target = #"{"tapestry": {"size": [3, 8, 12], "windows": \#(Self.windows(#""range""#))}}"#
        let job = try Self.job(target, sampler: #"{"kind": "hmc", "step_size": 0.1, "start": "target"}"#)
        #expect(job.target.totalWeight == 1)
    }
}
