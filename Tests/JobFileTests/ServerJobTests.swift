import EnergyModels
import JobFile
import StrictJSON
import Testing

@Suite("Jobs with model servers")
struct ServerJobTests {
    /// A job of a served model beside an exact one.
    private static func job(
        _ members: String, target: String = "\"s\"", sampler: String = #"{"kind": "ula", "step_size": 0.01}"#
    ) throws(JobError) -> Job {
        try ExampleJobs.decode(
            """
            {"rrr": 1, "name": "served",
             "models": {"s": {"kind": "server", \(members)}, "g": {"kind": "gaussian", "mean": [0, 0], "std": [1, 1]}},
             "target": \(target), "sampler": \(sampler), "chains": 10}
            """)
    }

    private static let served = #""server": "sd", "shape": [2], "gives": "#

    @Test("a job's canonical text names the server, and reads back as the same job")
    func canonical() throws {
        let job = try Self.job(
            Self.served + #""energy", "condition": {"prompt": "a \"horse\"", "label": 3.0, "at": [0.5, 1], "on": true}"#
        )
        #expect(
            job.canonicalText.contains(
                #"{"condition":{"at":[0.5,1],"label":3,"on":true,"prompt":"a \"horse\""},"gives":"energy","#
                    + #""kind":"server","server":"sd","shape":[2]}"#))
        #expect(try ExampleJobs.decode(job.canonicalText) == job)
        #expect(job.servers == ["sd"])
        #expect(job.modelDigests.isEmpty)
    }

    @Test("no condition is the empty one")
    func noCondition() throws {
        let job = try Self.job(Self.served + "\"score\"")
        #expect(try job == Self.job(Self.served + "\"score\", \"condition\": {}"))
        #expect(!job.canonicalText.contains("condition"))
    }

    @Test(
        "a server is a plain name, never a path, a command or an address",
        arguments: ["/bin/sh", "../sd", "python sd.py", "ipc:///tmp/sd", "sd=ls", "SD", "", "a\\u0000b", "sd;ls"])
    func smuggling(_ name: String) {
        let error = #expect(throws: JobError.self) {
            try Self.job("\"server\": \"\(name)\", \"shape\": [2], \"gives\": \"energy\"")
        }
        #expect(error?.problems.map(\.pointer) == ["/models/s/server"])
        #expect(error?.description.contains("for rrr-worker --server to say") == true)
    }

    @Test(
        "no key of a served model names a command or a file",
        arguments: ["command", "file", "sha256", "endpoint", "env"])
    func keys(_ key: String) {
        let error = #expect(throws: JobError.self) { try Self.job(Self.served + "\"energy\", \"\(key)\": \"x\"") }
        #expect(error?.problems.map(\.pointer) == ["/models/s/\(key)"])
    }

    @Test("conditions are flat, and not too long")
    func conditions() {
        for condition in [#"{"a": {"b": 1}}"#, #"{"a": null}"#, #"{"a": ["x"]}"#, #""a""#] {
            #expect(throws: JobError.self) { try Self.job(Self.served + "\"energy\", \"condition\": \(condition)") }
        }
        let long = String(repeating: "x", count: 70_000)
        let error = #expect(throws: JobError.self) {
            try Self.job(Self.served + "\"energy\", \"condition\": {\"a\": \"\(long)\"}")
        }
        #expect(error?.problems.map(\.pointer) == ["/models/s/condition"])
    }

    @Test("a score alone goes with the kernels and operators that need no energy")
    func scores() throws {
        let score = Self.served + "\"score\""
        let mala = #"{"kind": "mala", "step_size": 0.01"#
        _ = try Self.job(score, target: #"{"guidance": {"unconditional": "g", "conditional": ["s"], "scale": 2}}"#)
        _ = try Self.job(score, sampler: mala + #", "acceptance": "line"}"#)
        #expect(throws: JobError.self) { try Self.job(score, sampler: mala + "}") }
        let error = #expect(throws: JobError.self) { try Self.job(score, target: #"{"mixture": ["g", "s"]}"#) }
        #expect(error?.description.contains("is a server of a score, which has no energy") == true)
        _ = try Self.job(Self.served + "\"energy\"", target: #"{"mixture": ["g", "s"]}"#, sampler: mala + "}")
    }

    @Test("a server's points have the shape of the other models, and no level below 0")
    func shapes() {
        #expect(throws: JobError.self) {
            try Self.job(#""server": "sd", "shape": [3], "gives": "energy""#, target: #"{"product": ["g", "s"]}"#)
        }
        let error = #expect(throws: JobError.self) {
            try Self.job(
                Self.served + "\"energy\"", target: #"{"product": ["g", "s"]}"#,
                sampler: #"{"kind": "mala", "step_size": 0.01, "refine": {"levels": 4, "transitions": 2}}"#)
        }
        #expect(error?.description.contains("\"s\" is a server, which knows no level below 0") == true)
    }
}
