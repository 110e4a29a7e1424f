import Foundation
import Pictures
import RunFolder
import Testing

@Suite("rrr-model: training, inspecting and evaluating", .oneAtATime)
struct TrainingCommandTests {
    /// Writes a spec of a tiny network.
    private func spec(_ commands: Commands, iterations: Int, rate: String = "1e-3", energy: String = "denoising") throws
        -> String
    {
        let text = """
            {"rrr_training": 1, "seed": 3,
             "architecture": {"kind": "residual_mlp", "dimension": 2, "hidden": 16, "widen": 1, "blocks": 1, "embedding": 4, "levels": 10, "classes": 8},
             "energy": {"kind": "\(energy)"},
             "data": {"kind": "distribution", "name": "eight_gaussians", "labels": "component"},
             "iterations": \(iterations), "batch": 32, "shard": 4, "checkpoint_every": 10, "optimizer": {"learning_rate": \(rate)}}
            """
        let file = commands.path("spec-\(iterations)-\(rate)-\(energy).json")
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        return file
    }

    private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    @Test("A training that signals interrupt, the last one deadly, goes on to the bytes of one that they do not")
    func interruption() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let spec = try spec(commands, iterations: 3_000)
        let whole = commands.path("whole.safetensors")
        let first = try await commands.run(
            "rrr-model",
            ["train", spec, "--output", whole, "--threads", "1", "--json", "--history", commands.path("whole.csv")],
            label: "whole")
        #expect(first.status == 0, "\(first.errors)")
        #expect(first.output.contains("\"iterations\": 3000"))
        #expect(!exists(whole + ".checkpoint"))

        let parts = commands.path("parts.safetensors")
        for (label, signal) in [("int", SIGINT), ("term", SIGTERM), ("kill", SIGKILL)] {
            let checkpoint = parts + ".checkpoint"
            let before = try? Data(contentsOf: URL(fileURLWithPath: checkpoint))
            let train = try commands.start(
                "rrr-model",
                [
                    "train", spec, "--output", parts, "--threads", "3", "--resume", "--history",
                    commands.path("parts.csv"),
                ],
                label: label)
            // Until it has gone on from where it was.
            for _ in 0..<5_000 where train.isRunning {
                let now = try? Data(contentsOf: URL(fileURLWithPath: checkpoint))
                if now != nil, now != before { break }
                try await Task.sleep(for: .milliseconds(2))
            }
            train.signal(signal)
            let ending = try await commands.ending(of: train, label: label)
            if signal != SIGKILL {
                #expect(ending.status == 128 + signal)
                #expect(ending.errors.contains("--resume goes on from"))
            }
            #expect(exists(checkpoint) && !exists(parts))
        }
        let last = try await commands.run(
            "rrr-model", ["train", spec, "--output", parts, "--resume", "--history", commands.path("parts.csv")],
            label: "last")
        #expect(last.status == 0, "\(last.errors)")
        // A line is written when losses are told, which is a matter of time; the loss of a step is not.
        func losses(_ name: String) throws -> [Int: Double] {
            let lines = try String(contentsOfFile: commands.path(name), encoding: .utf8).split(separator: "\n")
            #expect(lines.first == "step,loss,held_out_loss,seconds")
            let rows = lines.dropFirst().map { $0.split(separator: ",", omittingEmptySubsequences: false) }
            #expect(rows.allSatisfy { $0.count == 4 && $0[1...].allSatisfy { $0.isEmpty || Double($0) != nil } })
            let steps = rows.compactMap { Int($0[0]) }
            #expect(steps == steps.sorted() && Set(steps).count == steps.count && steps.last == 3_000)
            return Dictionary(uniqueKeysWithValues: zip(steps, rows.compactMap { Double($0[1]) }))
        }
        let (ofWhole, ofParts) = (try losses("whole.csv"), try losses("parts.csv"))
        #expect(ofParts.count >= 1)
        #expect(ofParts.allSatisfy { ofWhole[$0.key] ?? $0.value == $0.value })
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: parts)) == Data(contentsOf: URL(fileURLWithPath: whole)))
    }

    @Test("Refusals end with their status before any work: 64, 65, 66, 73")
    func refusals() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let good = try spec(commands, iterations: 3)
        let output = commands.path("model.safetensors")
        func train(_ arguments: [String], _ label: String) async throws -> Commands.Ending {
            try await commands.run("rrr-model", ["train"] + arguments, label: label)
        }
        #expect(try await train([good], "no-output").status == 64)
        #expect(try await train([good, "--output", output, "--threads", "0"], "threads").status == 64)
        #expect(try await train([good, "--output", output, "--resume", "--force"], "both").status == 64)
        #expect(try await train(["none.json", "--output", output], "missing").status == 66)
        let bad = try spec(commands, iterations: 0)
        let malformed = try await train([bad, "--output", output], "malformed")
        #expect(malformed.status == 65)
        #expect(malformed.errors.contains("\(bad):5: /iterations: "), "\(malformed.errors)")
        #expect(!exists(output) && !exists(output + ".checkpoint"))
        #expect(try await train([good, "--output", output], "good").status == 0)
        let again = try await train([good, "--output", output], "again")
        #expect(again.status == 73)
        #expect(again.errors.contains("--force"))
        #expect(try await train([good, "--output", output, "--force"], "force").status == 0)
    }

    @Test("A training that diverges ends with 2")
    func diverging() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let spec = try spec(commands, iterations: 50, rate: "1e30")
        let output = commands.path("model.safetensors")
        let ending = try await commands.run("rrr-model", ["train", spec, "--output", output], label: "train")
        #expect(ending.status == 2)
        #expect(ending.errors.contains("learning_rate"))
        #expect(!exists(output) && exists(output + ".checkpoint"))
    }

    @Test("A trained model is inspected, and evaluated at points", arguments: ["denoising", "noise"])
    func inquiries(energy: String) async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let model = commands.path("model.safetensors")
        let trained = try await commands.run(
            "rrr-model", ["train", try spec(commands, iterations: 20, energy: energy), "--output", model],
            label: "train")
        #expect(trained.status == 0, "\(trained.errors)")
        let report = try await commands.run("rrr-model", ["inspect", model, "--json"], label: "inspect")
        #expect(report.status == 0, "\(report.errors)")
        let json = try #require(try JSONSerialization.jsonObject(with: Data(report.output.utf8)) as? [String: Any])
        #expect(trained.output.contains(try #require(json["sha256"] as? String)))
        #expect(try await commands.run("rrr-model", ["inspect", model], label: "text").status == 0)

        var array = try ArrayStaging(
            folder: commands.folder.path, name: "points.npy", elementType: .float64, shape: [3, 2])
        try array.write([0, 0, 0.5, -0.25, 2, 1] as [Double], atRow: 0)
        try array.finish()
        let output = commands.path("out")
        func evaluate(_ more: [String], _ label: String) async throws -> Commands.Ending {
            try await commands.run(
                "rrr-model",
                ["evaluate", model, "--points", commands.path("points.npy"), "--output", output] + more, label: label)
        }
        let evaluated = try await evaluate(["--level", "4", "--label", "7"], "evaluate")
        #expect(evaluated.status == 0, "\(evaluated.errors)")
        let gradient: [Float] = try NpyReader(path: output + "/gradient.npy").all()
        let score: [Float] = try NpyReader(path: output + "/score.npy").all()
        #expect(gradient.count == 6)
        // One factor, -1 / sigma, leads from each to the other.
        let sigma = -gradient[5] / score[5]
        #expect(sigma > 0 && sigma < 1)
        for (g, s) in zip(gradient, score) { #expect((g + sigma * s).magnitude <= 1e-5 * g.magnitude) }
        if energy == "noise" {
            #expect(!exists(output + "/energy.npy") && !exists(output + "/log_density.npy"))
            #expect(evaluated.errors.contains("has no energy"))
        } else {
            let energies: [Float] = try NpyReader(path: output + "/energy.npy").all()
            let densities: [Float] = try NpyReader(path: output + "/log_density.npy").all()
            #expect(energies.count == 3 && energies.contains { $0 != 0 })
            for (e, l) in zip(energies, densities) { #expect((e + sigma * l).magnitude <= 1e-5 * e.magnitude) }
        }
        // Far out single precision overflows: told, counted and written as it is.
        var far = try ArrayStaging(
            folder: commands.folder.path, name: "far.npy", elementType: .float32, shape: [1, 2, 2])
        try far.write([0, 0, 3e38, 3e38] as [Float], atRow: 0)
        try far.finish()
        let overflowing = try await commands.run(
            "rrr-model",
            ["evaluate", model, "--points", commands.path("far.npy"), "--level", "4", "--output", output],
            label: "far")
        #expect(overflowing.status == 0)
        if energy == "denoising" {
            #expect(overflowing.errors.contains("not finite: energy.npy at 1"), "\(overflowing.errors)")
        }
        #expect(try NpyReader(path: output + "/gradient.npy").header.shape == [2, 2])
        let level = try await evaluate(["--level", "10"], "level")
        #expect(level.status == 65)
        #expect(level.errors.contains("0 to 9"))
        #expect(try await evaluate(["--level", "0", "--label", "8"], "label").status == 65)
        try FileManager.default.removeItem(atPath: commands.path("points.npy"))
        var points = try ArrayStaging(
            folder: commands.folder.path, name: "points.npy", elementType: .float64, shape: [2, 2])
        // Beyond single precision, in which networks compute.
        try points.write([0, 0, 0, 1e300] as [Double], atRow: 0)
        try points.finish()
        let infinite = try await evaluate(["--level", "4"], "infinite")
        #expect(infinite.status == 65)
        #expect(infinite.errors.contains("[1, 1] is inf"), "\(infinite.errors)")
        #expect(
            try await commands.run("rrr-model", ["inspect", commands.path("points.npy")], label: "npy").status == 65)
        #expect(try await commands.run("rrr-model", ["inspect", "none.safetensors"], label: "none").status == 66)
    }

    @Test("A folder of PNG files trains a network, and a picture of another size is refused by its name")
    func pictures() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        for label in 0..<2 {
            let folder = commands.folder.appendingPathComponent("pictures/\(label)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            for place in 0..<4 {
                let bytes = (0..<16).map { UInt8(60 * label + 20 * place + $0) }
                let image = PNGImage(width: 4, height: 4, channels: 1, bytes: bytes)
                try Data(image.encoded()).write(to: folder.appendingPathComponent("\(place).png"))
            }
        }
        let text = """
            {"rrr_training": 1, "iterations": 4, "batch": 8,
             "architecture": {"kind": "unet", "size": [4, 4], "channels": 1, "model_channels": 4, "multipliers": [1], "blocks": 1,
                              "attention": [], "heads": 1, "groups": 2, "levels": 10, "classes": 2},
             "data": {"kind": "png", "folder": "pictures", "labels": "folder", "flip": true, "held_out": 2}}
            """
        let spec = commands.path("spec.json")
        try Data(text.utf8).write(to: URL(fileURLWithPath: spec))
        var models: Set<Data> = []
        for threads in ["1", "2"] {
            let model = commands.path("model\(threads).safetensors")
            let ending = try await commands.run(
                "rrr-model", ["train", spec, "--output", model, "--threads", threads], label: "train\(threads)")
            #expect(ending.status == 0, "\(ending.errors)")
            models.insert(try Data(contentsOf: URL(fileURLWithPath: model)))
        }
        #expect(models.count == 1)

        let large = PNGImage(width: 5, height: 4, channels: 1, bytes: [UInt8](repeating: 7, count: 20))
        try Data(large.encoded()).write(to: commands.folder.appendingPathComponent("pictures/1/large.png"))
        let refused = try await commands.run(
            "rrr-model", ["train", spec, "--output", commands.path("x.safetensors")], label: "refused")
        #expect(refused.status == 65)
        #expect(refused.errors.contains("pictures/1/large.png: has 4 x 5 pixels"), "\(refused.errors)")
    }
}
