import ForeignNetworks
import Foundation
import RunFolder
import Testing

@Suite("Networks of other programs, imported and evaluated", .oneAtATime)
struct ImportCommandTests {
    private static let all = ForeignNetwork.energies + ForeignNetwork.guided + ForeignNetwork.diffusers

    @Test("What an imported network gives is what its own program gives, to 1e-5", arguments: all)
    func evaluated(_ name: String) async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let network = try ForeignNetwork(name)
        let source = commands.folder.appendingPathComponent("source")
        try FileManager.default.createDirectory(at: source, withIntermediateDirectories: true)
        let model = commands.path("model.safetensors")
        let path = try network.write(to: source)
        let ending = try await commands.run(
            "rrr-model", ["import", path, "--output", model] + network.options, label: "import")
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(ending.output.contains("layout ") && ending.output.hasSuffix(model + "\n"), "\(ending.output)")

        var points = try ArrayStaging(
            folder: commands.folder.path, name: "points.npy", elementType: .float32,
            shape: [network.points.count] + network.shape)
        try points.write(network.points.flatMap { $0.map(Float.init) }, atRow: 0)
        try points.finish()
        func evaluate(_ level: Int, _ label: Int?) async throws -> String {
            let folder = commands.path("level\(level)-\(label ?? -1)")
            let arguments = [
                "evaluate", model, "--points", commands.path("points.npy"), "--level", "\(level)", "--output", folder,
            ]
            let ending = try await commands.run(
                "rrr-model", arguments + (label.map { ["--label", "\($0)"] } ?? []), label: "evaluate")
            #expect(ending.status == 0, "\(ending.errors)")
            return folder
        }
        for test in network.cases {
            let folder = try await evaluate(test.level, test.label)
            if let wanted = test.log_probabilities { try Self.expect("\(folder)/log_probability.npy", wanted) }
            if let wanted = test.energy { try Self.expect("\(folder)/energy.npy", [wanted]) }
            if let wanted = test.gradient { try Self.expect("\(folder)/gradient.npy", wanted) }
            for (label, wanted) in (test.gradients ?? []).enumerated() {
                try Self.expect("\(try await evaluate(test.level, label))/gradient.npy", wanted)
            }
        }
        #expect(!network.cases.isEmpty)
    }

    /// Relative to the largest of the numbers compared: a component near zero has cancelled.
    private static func expect(_ path: String, _ wanted: [[Double]]) throws {
        let numbers: [Float] = try NpyReader(path: path).all()
        let wanted = wanted.flatMap(\.self)
        #expect(numbers.count == wanted.count)
        let scale = wanted.map(abs).max() ?? 0
        let error = zip(numbers, wanted).map { abs(Double($0) - $1) }.max() ?? .infinity
        #expect(scale > 0 && error <= 1e-5 * scale, "\(path): \(error / scale)")
    }

    @Test("A foreign file that is inspected, or that a job names, is told to be imported, with the command")
    func foreign() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let source = try ForeignNetwork("guided-pooling").write(to: commands.folder)
        let advice = "rrr-model import \(source) --output"
        let inspected = try await commands.run("rrr-model", ["inspect", source], label: "inspect")
        #expect(inspected.status == 65 && inspected.errors.contains(advice), "\(inspected.errors)")
        let folder = try await commands.run("rrr-model", ["inspect", commands.folder.path], label: "folder")
        #expect(folder.status == 65 && folder.errors.contains("is a folder; rrr-model import"), "\(folder.errors)")
        let job = """
            {"rrr": 1, "name": "a", "seed": 1, "models": {"net": {"kind": "network", "file": "\(source)"}},
             "target": "net", "schedule": {"kind": "linear", "levels": 1000}, "sampler": {"kind": "reverse"}, "chains": 1}
            """
        try Data(job.utf8).write(to: URL(fileURLWithPath: commands.path("job.json")))
        let validated = try await commands.run(
            "rrr-coordinator", ["validate", commands.path("job.json")], label: "validate")
        #expect(validated.status == 65 && validated.errors.contains(advice), "\(validated.errors)")
    }

    @Test("A file that is there stays, but for --force; wrong options end with status 64 and what to write")
    func refusals() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let network = try ForeignNetwork("guided-pooling")
        let source = try network.write(to: commands.folder)
        let model = commands.path("model.safetensors")
        func run(_ arguments: [String]) async throws -> Commands.Ending {
            try await commands.run("rrr-model", ["import", source] + arguments, label: "import")
        }
        try Data("mine".utf8).write(to: URL(fileURLWithPath: model))
        let kept = try await run([model] + network.options)
        #expect(kept.status == 73 && kept.errors.contains("--force"), "\(kept.errors)")
        #expect(try String(contentsOfFile: model, encoding: .utf8) == "mine")
        let told = try await run([model, "--force", "--json"] + network.options)
        let json = try JSONSerialization.jsonObject(with: Data(told.output.utf8)) as? [String: Any]
        #expect(told.status == 0 && json?["output"] as? String == model)
        #expect((json?["decisions"] as? [String])?.first?.hasPrefix("layout ") == true, "\(told.output)")
        let itself = try await run([source] + network.options)
        #expect(itself.status == 73, "\(itself.errors)")
        for (arguments, message) in [
            ([], "rrr-model import SOURCE --output FILE"), ([model, "--output", model], "Give the model file"),
            ([model, "--linear", "0.02", "1e-4"], "--linear takes the first and the last beta"),
            ([model, "--cosine", "--linear", "1e-4", "0.02"], "Give one of --cosine"),
            ([model, "--heads", "1", "--head-channels", "8"], "Give one of --heads"),
            ([model, "--levels", "0"], "--levels must be from 1 to 65535"),
            ([model, "--size", "8x8x8"], "invalid for '--size <size>'"),
            ([model, "--size", "8", "--heads", "1"], "--linear FIRST LAST"),
        ] {
            let ending = try await run(arguments)
            #expect(ending.status == 64 && ending.errors.contains(message), "\(arguments): \(ending.errors)")
        }
    }
}
