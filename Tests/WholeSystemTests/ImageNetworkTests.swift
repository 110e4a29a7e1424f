import Foundation
import RunFolder
import Testing

@Suite("Networks of images, inspected, evaluated and sampled", .oneAtATime)
struct ImageNetworkTests {
    private static let model = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Examples/models/sprites.safetensors").path

    @Test("Points have the shape of the network's images, and so has the gradient; samples of a run are points")
    func inquiries() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let report = try await commands.run("rrr-model", ["inspect", Self.model], label: "inspect")
        #expect(report.output.contains("unet: size [32, 32]") && report.output.contains("[3, 32, 32]"))
        #expect(report.output.contains("input_blocks.0.0.weight"))

        func evaluate(_ shape: [Int], _ output: String) async throws -> Commands.Ending {
            var array = try ArrayStaging(
                folder: commands.folder.path, name: "points.npy", elementType: .float32, shape: shape)
            let count = shape.reduce(1, *)
            try array.write((0..<count).map { Float($0 % 17) / 16 - 0.5 }, atRow: 0)
            try array.finish()
            return try await commands.run(
                "rrr-model",
                [
                    "evaluate", Self.model, "--points", commands.path("points.npy"), "--level", "20", "--label", "3",
                    "--output", output,
                ], label: "evaluate")
        }
        let (points, samples) = (commands.path("points"), commands.path("samples"))
        #expect(try await evaluate([2, 3, 32, 32], points).status == 0)
        #expect(try await evaluate([1, 2, 3, 32, 32], samples).status == 0)
        for name in ["energy.npy", "gradient.npy", "score.npy", "log_density.npy"] {
            let one = try NpyReader(path: "\(points)/\(name)")
            let other = try NpyReader(path: "\(samples)/\(name)")
            #expect(one.header.shape == (name == "energy.npy" || name == "log_density.npy" ? [2] : [2, 3, 32, 32]))
            let (values, others): ([Float], [Float]) = (try one.all(), try other.all())
            #expect(values == others && values.allSatisfy(\.isFinite))
        }
        let flat = try await evaluate([2, 3072], commands.path("flat"))
        #expect(flat.status == 65 && flat.errors.contains("[n, 3, 32, 32]"), "\(flat.errors)")
    }

    @Test(
        "A composition on a few of the network's levels gives the same pictures with one worker and with two, and with any memory"
    )
    func sampled() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let text = """
            {"rrr": 1, "name": "sprites", "seed": 5,
             "models": {"any": {"kind": "network", "file": "\(Self.model)"},
                        "left": {"kind": "network", "file": "\(Self.model)", "label": 4},
                        "red": {"kind": "network", "file": "\(Self.model)", "label": 19}},
             "target": {"guidance": {"unconditional": "any", "conditional": ["left", "red"], "scale": 1}},
             "schedule": {"kind": "cosine", "levels": 100, "spaced": 8},
             "sampler": {"kind": "reverse"}, "chains": 3, "block": 2}
            """
        try Data(text.utf8).write(to: URL(filePath: commands.path("job.json")))
        var all: Set<[String]> = []
        for (number, options) in [["--workers", "1"], ["--workers", "2"], ["--workers", "1", "--memory", "24MiB"]]
            .enumerated()
        {
            let output = commands.path("out\(number)")
            let ending = try await commands.run(
                "rrr-coordinator", ["submit", commands.path("job.json"), "--output", output] + options,
                label: "w\(number)")
            #expect(ending.status == 0, "\(ending.errors)")
            all.insert(try commands.bytes(of: output))
        }
        #expect(all.count == 1)
        let samples = try NpyReader(path: commands.path("out0") + "/samples.npy")
        #expect(samples.header.shape == [3, 1, 3, 32, 32])
        let values: [Float] = try samples.all()
        #expect(values.allSatisfy(\.isFinite) && Set(values).count > 9000)

        let small = try await commands.run(
            "rrr-coordinator",
            [
                "submit", commands.path("job.json"), "--output", commands.path("small"), "--workers", "1", "--memory",
                "16MiB",
            ], label: "small")
        #expect(small.status == 2 && small.errors.contains("16 MiB are given; raise --memory"), "\(small.errors)")
    }

    @Test(
        "Windows of a larger picture give the same bytes with 1, 2 and 5 workers, and with any memory",
        arguments: [
            (
                "product",
                #"{"kind": "mala", "step_size": {"noise_power": [0.05, 2]}, "transitions": 1, "reverse_steps": true}"#
            ),
            ("average", #"{"kind": "reverse"}"#),
        ])
    func tapestry(combine: String, sampler: String) async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let guided = #"{"guidance": {"unconditional": "any", "conditional": ["red"], "scale": 2}}"#
        let text = """
            {"rrr": 1, "name": "tapestry", "seed": 5,
             "models": {"any": {"kind": "network", "file": "\(Self.model)"},
                        "red": {"kind": "network", "file": "\(Self.model)", "label": 19}},
             "target": {"tapestry": {"size": [3, 32, 48], "combine": "\(combine)",
                                     "windows": [{"of": \(guided), "at": [0, 0]}, {"of": "any", "at": [0, 16]}]}},
             "schedule": {"kind": "cosine", "levels": 100, "spaced": 6},
             "sampler": \(sampler), "chains": 5, "block": 1}
            """
        try Data(text.utf8).write(to: URL(filePath: commands.path("job.json")))
        let validated = try await commands.run(
            "rrr-coordinator", ["validate", commands.path("job.json")], label: "valid")
        #expect(validated.status == 0, "\(validated.errors)")
        var all: Set<[String]> = []
        for (number, options) in [["1"], ["2"], ["5"], ["1", "--memory", "24MiB"]].enumerated() {
            let output = commands.path("out\(number)")
            let ending = try await commands.run(
                "rrr-coordinator", ["submit", commands.path("job.json"), "--output", output, "--workers"] + options,
                label: "w\(number)")
            #expect(ending.status == 0, "\(ending.errors)")
            all.insert(try commands.bytes(of: output))
        }
        #expect(all.count == 1)
        #expect(try RunFolder.summary(in: commands.path("out0")).shape == [3, 32, 48])
        let samples: [Float] = try NpyReader(path: commands.path("out0") + "/samples.npy").all()
        #expect(samples.count == 5 * 3 * 32 * 48 && samples.allSatisfy(\.isFinite))
        let diagnosed = try await commands.run(
            "rrr-coordinator", ["diagnose", commands.path("out0")], label: "diagnose")
        #expect([0, 3].contains(diagnosed.status), "\(diagnosed.errors)")
    }

    @Test("A worker hands a block back within a transition that takes long, which another makes again")
    func longTransition() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        // Two steps: the way into the level, and a transition of 384 evaluations, some seconds.
        let text = """
            {"rrr": 1, "name": "long", "seed": 5, "models": {"any": {"kind": "network", "file": "\(Self.model)"}},
             "target": "any", "schedule": {"kind": "cosine", "levels": 100, "spaced": 4},
             "sampler": {"kind": "hmc", "transitions": 1, "levels": [0, 0], "step_size": 0.01, "leapfrog": 12},
             "chains": 32, "block": 32}
            """
        try Data(text.utf8).write(to: URL(filePath: commands.path("job.json")))
        let pool = try ServedPool(commands)
        defer { pool.serve.signal(SIGKILL) }
        let first = try pool.worker("first")
        let submit = try pool.submit(commands.path("job.json"), "out")
        try await pool.wait { ($0["fraction"] as? Double ?? 0) > 0.4 }
        let clock = ContinuousClock()
        let begin = clock.now
        #expect(try await pool.end(first, "first").blocks == 0)
        let left = clock.now - begin
        let second = try pool.worker("second")
        #expect(try await commands.ending(of: submit, label: "out").status == 0)
        let rest = clock.now - begin - left
        #expect(left < .seconds(2) && rest > left * 1.5, "left after \(left); the rest took \(rest)")
        let said = try await pool.end(second, "second").said
        #expect(said.contains("goes on from step 1 of 2"), "\(said)")

        let alone = try await commands.run(
            "rrr-coordinator",
            ["submit", commands.path("job.json"), "--workers", "1", "--output", commands.path("alone")], label: "alone")
        #expect(alone.status == 0, "\(alone.errors)")
        #expect(try commands.bytes(of: commands.path("out")) == commands.bytes(of: commands.path("alone")))
    }
}
