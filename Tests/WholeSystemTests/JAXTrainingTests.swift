import Foundation
import Testing

/// A Python with JAX: that of the environment's `RRR_JAX_PYTHON`, or that of `.ci/run`; nil if neither has it.
private let jaxPython: String? = {
    let own = ServerPython.package.appendingPathComponent(".build/python/bin/python").path
    for python in [ProcessInfo.processInfo.environment["RRR_JAX_PYTHON"] ?? own, own] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["-c", "import jax"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { continue }
        process.waitUntilExit()
        if process.terminationStatus == 0 { return python }
    }
    return nil
}()

/// `Examples/images/train.py` and `rrr-model` on the same files. Left out where there is no JAX.
@Suite("Training in JAX", .oneAtATime, .enabled(if: jaxPython != nil))
struct JAXTrainingTests {
    private static let architecture = """
        {"kind": "unet", "size": [8, 8], "channels": 1, "model_channels": 8, "multipliers": [1, 2], "blocks": 1,
         "attention": [4], "head_channels": 8, "groups": 4, "levels": 10, "classes": 3, "scale_shift": true}
        """

    /// Writes the pictures, a training's spec, and points at which models are compared.
    private static let preparation = """
        import sys, numpy as np
        random = np.random.default_rng(1)
        np.save("pictures.npy", random.integers(0, 256, (40, 1, 8, 8), dtype=np.uint8))
        np.save("labels.npy", (np.arange(40) % 3).astype(np.int32))
        np.save("points.npy", random.standard_normal((5, 1, 8, 8)).astype(np.float32))
        """

    /// What the example's functions say at the points, beside what `rrr-model evaluate` wrote.
    private static let comparison = """
        import sys, numpy as np, jax.numpy as jnp
        sys.path.insert(0, sys.argv[1])
        import unet
        p, model = unet.read_model(sys.argv[2])
        x = jnp.asarray(np.load("points.npy").transpose(0, 2, 3, 1))
        t, y = jnp.full(5, 4.0), jnp.full(5, int(sys.argv[4]))
        gradient = np.load(sys.argv[3] + "/gradient.npy")
        found = np.asarray(unet.noise(p, model, x, t, y)).transpose(0, 3, 1, 2)
        print(abs(found - gradient).max() / abs(gradient).max())
        if model["energy"]["kind"] != "noise":
            energy = np.load(sys.argv[3] + "/energy.npy")
            print(abs(np.asarray(unet.energy(p, model, x, t, y)) / energy - 1).max())
        """

    private static func python(_ commands: Commands, _ arguments: [String], label: String) async throws -> String {
        let line = ([jaxPython ?? ""] + arguments).map { "'" + $0.replacing("'", with: "'\\''") + "'" }.joined(
            separator: " ")
        let process = try commands.startShell("JAX_PLATFORMS=cpu exec \(line)", label: label)
        // JAX may compile longer than a command may take.
        for _ in 0..<60_000 where process.isRunning { try await Task.sleep(for: .milliseconds(10)) }
        let ending = try await commands.ending(of: process, label: label)
        #expect(ending.status == 0, "\(ending.errors)")
        return ending.output
    }

    @Test(
        "a model file goes from one to the other and on, and both say the same of it",
        arguments: ["denoising", "noise"])
    func backAndForth(energy: String) async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let example = ServerPython.package.appendingPathComponent("Examples/images").path
        _ = try await Self.python(commands, ["-c", Self.preparation], label: "preparation")
        let spec = commands.path("spec.json")
        try Data(
            """
            {"rrr_training": 1, "architecture": \(Self.architecture), "energy": {"kind": "\(energy)"},
             "schedule": {"kind": "linear", "levels": 10}, "iterations": 4, "batch": 8, "shard": 4, "ema": 0,
             "data": {"kind": "npy", "file": "pictures.npy", "labels": "labels.npy", "held_out": 8},
             "optimizer": {"learning_rate": 0.01, "clip_norm": 1}}
            """.utf8
        ).write(to: URL(fileURLWithPath: spec))
        let (first, second) = (commands.path("first.safetensors"), commands.path("second.safetensors"))
        let trained = try await commands.run("rrr-model", ["train", spec, "--output", first], label: "train")
        #expect(trained.status == 0, "\(trained.errors)")
        let training = try await Self.python(
            commands, [example + "/train.py", spec, "--output", second, "--from", first, "--sheet", "sheet.png"],
            label: "training")
        #expect(training.contains("4 steps"))
        #expect(!FileManager.default.fileExists(atPath: second + ".state.npz"))
        let sheet = try Data(contentsOf: URL(fileURLWithPath: commands.path("sheet.png")))
        #expect(sheet.starts(with: [0x89, 0x50, 0x4E, 0x47]))
        #expect(try Data(contentsOf: URL(fileURLWithPath: first)) != Data(contentsOf: URL(fileURLWithPath: second)))
        let third = commands.path("third.safetensors")
        let continued = spec.replacing("spec.json", with: "continued.json")
        try Data(
            String(contentsOfFile: spec, encoding: .utf8).replacing(
                "\"batch\"", with: "\"from\": \"second.safetensors\", \"batch\""
            ).utf8
        ).write(to: URL(fileURLWithPath: continued))
        let again = try await commands.run("rrr-model", ["train", continued, "--output", third], label: "again")
        #expect(again.status == 0, "\(again.errors)")
        // A label, and none, which has the number behind the last.
        for (model, name) in [(first, "first"), (second, "second"), (third, "third")] {
            for (label, place) in [(["--label", "1"], 1), ([], 3)] {
                let output = commands.path("\(name)-\(place)")
                let evaluated = try await commands.run(
                    "rrr-model",
                    ["evaluate", model, "--points", commands.path("points.npy"), "--level", "4", "--output", output]
                        + label, label: "evaluate")
                #expect(evaluated.status == 0, "\(evaluated.errors)")
                let differences = try await Self.python(
                    commands, ["-c", Self.comparison, example, model, output, "\(place)"], label: "compare")
                let numbers = differences.split(separator: "\n").compactMap { Double($0) }
                #expect(numbers.count == (energy == "noise" ? 1 : 2))
                #expect(numbers.allSatisfy { $0 < 1e-5 }, "\(name) with label \(place): \(differences)")
            }
        }
    }
}
