import Foundation
import RunFolder
import Testing

@Suite("Classifiers, from training to a guided run", .oneAtATime)
struct ClassifierCommandTests {
    /// Trains a tiny classifier of eight labels; its file.
    private func train(_ commands: Commands) async throws -> String {
        let spec = """
            {"rrr_training": 1, "seed": 3,
             "architecture": {"kind": "residual_mlp_classifier", "dimension": 2, "hidden": 16, "widen": 1, "blocks": 1, "embedding": 4, "levels": 10, "classes": 8},
             "data": {"kind": "distribution", "name": "eight_gaussians", "labels": "component"},
             "iterations": 1000, "batch": 64, "shard": 8, "ema": 0.9,
             "optimizer": {"learning_rate": 1e-2, "decay": "cosine"}}
            """
        let (file, model) = (commands.path("spec.json"), commands.path("judge.safetensors"))
        try Data(spec.utf8).write(to: URL(fileURLWithPath: file))
        let trained = try await commands.run("rrr-model", ["train", file, "--output", model], label: "train")
        #expect(trained.status == 0, "\(trained.errors)")
        return model
    }

    private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    @Test("A classifier is inspected, and evaluated at points: log probabilities, and a gradient with a label")
    func inquiries() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let model = try await train(commands)
        let report = try await commands.run("rrr-model", ["inspect", model], label: "text")
        #expect(report.output.contains("residual_mlp_classifier") && report.output.contains("tells labels apart"))
        let json = try await commands.run("rrr-model", ["inspect", model, "--json"], label: "json")
        #expect(json.output.contains("\"classes\": 8") && !json.output.contains("\"energy\""))

        var array = try ArrayStaging(
            folder: commands.folder.path, name: "points.npy", elementType: .float64, shape: [3, 2])
        try array.write([0, 0, 0.5, 0, 0, 0.5] as [Double], atRow: 0)
        try array.finish()
        func evaluate(_ output: String, _ more: [String]) async throws -> Commands.Ending {
            try await commands.run(
                "rrr-model",
                ["evaluate", model, "--points", commands.path("points.npy"), "--level", "0", "--output", output] + more,
                label: "evaluate")
        }
        let (plain, labelled) = (commands.path("plain"), commands.path("labelled"))
        let first = try await evaluate(plain, [])
        #expect(first.status == 0, "\(first.errors)")
        #expect(first.errors.contains("no gradient.npy"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: plain) == ["log_probability.npy"])
        let second = try await evaluate(labelled, ["--label", "2"])
        #expect(second.status == 0 && second.errors.isEmpty, "\(second.errors)")
        #expect(
            try Set(FileManager.default.contentsOfDirectory(atPath: labelled))
                == ["log_probability.npy", "gradient.npy"])
        let reader = try NpyReader(path: labelled + "/log_probability.npy")
        #expect(reader.header.shape == [3, 8])
        let values: [Float] = try reader.all()
        for point in 0..<3 {
            let sum = values[point * 8..<point * 8 + 8].reduce(0) { $0 + Foundation.exp(Double($1)) }
            #expect((sum - 1).magnitude < 1e-5)
        }
        // In the east it is component 0, in the north component 2.
        #expect(values[8] > -0.7 && values[2 * 8 + 2] > -0.7)
        #expect(try NpyReader(path: labelled + "/gradient.npy").header.shape == [3, 2])
        let gradient: [Float] = try NpyReader(path: labelled + "/gradient.npy").all()
        #expect(gradient[1] > 0)
        #expect(try await evaluate(labelled, ["--label", "8"]).status == 65)
    }

    @Test("A run guided by a classifier gives the same bytes with one worker and with two")
    func guided() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        _ = try await train(commands)
        let job = commands.path("job.json")
        let text = """
            {"rrr": 1, "name": "guided",
             "models": {"ring": {"kind": "gaussian_mixture", "means": [[0.5, 0], [0, 0.5], [-0.5, 0], [0, -0.5]], "std": 0.03},
                        "judge": {"kind": "network", "file": "judge.safetensors"}},
             "target": {"classifier": {"of": "ring", "by": "judge", "label": 2, "scale": 1}},
             "schedule": {"kind": "cosine", "levels": 10}, "block": 16,
             "sampler": {"kind": "hmc", "step_size": {"beta_power": [0.2, 0.3]}, "leapfrog": 5, "transitions": 20},
             "chains": 100}
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: job))
        for workers in ["1", "2"] {
            let ending = try await commands.run(
                "rrr-coordinator", ["submit", job, "--output", commands.path(workers), "--workers", workers],
                label: "submit-\(workers)")
            #expect(ending.status == 0, "\(ending.errors)")
        }
        for file in ["job.json", "samples.npy", "statistics.npz", "summary.json"] {
            let bytes = try ["1", "2"].map { try Data(contentsOf: URL(filePath: commands.path($0) + "/" + file)) }
            #expect(bytes[0] == bytes[1], "\(file)")
        }
        let x: [Float] = try NpyReader(path: commands.path("1") + "/samples.npy").all()
        // Nearly all chains end in the north, 97 of this seed's; a quarter of them would without guidance.
        #expect((0..<100).count { x[2 * $0 + 1] > 0.25 } > 85)
    }
}
