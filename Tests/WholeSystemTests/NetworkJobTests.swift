import ContentHash
import EnergyModels
import Foundation
import Testing

@Suite("Jobs with networks, whose models travel", .oneAtATime, .serialized)
struct NetworkJobTests {
    /// Commands with an empty cache of their own, and a job with two networks.
    private struct Setting {
        let commands: Commands
        let job: String
        let models: [String]

        /// - Parameters:
        ///   - hidden: decides the size of the models: 4 KB for 8, some megabytes for hundreds.
        ///   - energy: of the networks.
        ///   - operation: what joins the two networks.
        ///   - sampler: the kernel, and settings of its own.
        init(
            hidden: Int = 8, chains: Int = 300, energy: NetworkDescription.Energy.Kind = .denoising,
            operation: String = "mixture", sampler: String = #""kind": "hmc""#
        ) throws {
            commands = try Commands()
            let folder = commands.path("models")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            models = ["one", "two"].map { folder + "/\($0).safetensors" }
            for (index, path) in models.enumerated() {
                try Self.write(path, hidden: hidden, energy: energy, seed: UInt64(index + 1))
            }
            job = commands.path("job.json")
            let text = """
                {"rrr": 1, "name": "networks",
                 "models": {"one": {"kind": "network", "file": "models/one.safetensors", "label": 1},
                            "two": {"kind": "network", "file": "models/two.safetensors"},
                            "bar": {"kind": "uniform_box", "low": [-0.2, -1], "high": [0.2, 1]}},
                 "target": {"product": [{"\(operation)": ["one", "two"]}, "bar"]},
                 "schedule": {"kind": "cosine", "levels": 6}, "block": 16,
                 "sampler": {\(sampler), "step_size": 0.03, "transitions": 2}, "chains": \(chains)}
                """
            try Data(text.utf8).write(to: URL(fileURLWithPath: job))
        }

        private static func write(
            _ path: String, hidden: Int, energy: NetworkDescription.Energy.Kind, seed: UInt64
        ) throws {
            let description = NetworkDescription(
                architecture: .init(
                    dimension: 2, hidden: hidden, widen: 2, blocks: 1, embedding: 4, levels: 6, classes: 2),
                energy: .init(kind: energy), schedule: .init(kind: .cosine, levels: 6))
            var state = seed
            let parameters = description.architecture.parameters.map { parameter in
                (0..<parameter.shape.reduce(1, *)).map { _ -> Float in
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    return (Float(state >> 40) / Float(1 << 24) - 0.5) / Float(hidden).squareRoot()
                }
            }
            try NetworkFile.write(description: description, parameters: parameters, as: .float32, to: path)
        }

        var cache: String { commands.path("cache/rrr/models") }

        /// The names in the cache that are not hidden.
        var cached: [String] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: cache)) ?? []
            return names.filter { !$0.hasPrefix(".") }.sorted()
        }

        /// What the cache must hold in the end.
        var expected: [String] {
            get throws { try models.map { try SHA256.hash(ofFile: $0).hex + ".safetensors" }.sorted() }
        }

        func start(_ name: String, _ arguments: [String], label: String, cacheLimit: String? = nil) throws
            -> Commands.Started
        {
            var environment = ["XDG_CACHE_HOME": commands.path("cache")]
            environment["RRR_MODEL_CACHE"] = cacheLimit
            return try commands.start(name, arguments, label: label, environment: environment)
        }

        func submit(_ arguments: [String], label: String, cacheLimit: String? = nil) async throws -> Commands.Ending {
            let output = ["--output", commands.path(label)]
            return try await commands.ending(
                of: try start(
                    "rrr-coordinator", ["submit", job] + arguments + output, label: label, cacheLimit: cacheLimit),
                label: label)
        }
    }

    @Test("1, 2 and 5 workers give the same bytes, from a cache too small for both models as well")
    func numberOfWorkers() async throws {
        let setting = try Setting()
        defer { setting.commands.remove() }
        var all: Set<[String]> = []
        for (workers, limit) in [(1, nil), (2, nil), (5, "1kB")] as [(Int, String?)] {
            let label = "out\(workers)"
            let ending = try await setting.submit(["--workers", "\(workers)"], label: label, cacheLimit: limit)
            #expect(ending.status == 0, "\(ending.errors)")
            all.insert(try setting.commands.bytes(of: setting.commands.path(label)))
            if limit == nil { #expect(try setting.cached == setting.expected) }
        }
        #expect(all.count == 1)
    }

    @Test(
        "networks without an energy are accepted and rejected by their scores, with the same bytes on 1 and 2 workers",
        arguments: [
            (#""kind": "mala", "acceptance": "line""#, 6 * (1 + 2 * (1 + 3))),
            (#""kind": "hmc", "acceptance": "path", "leapfrog": 3"#, 6 * (1 + 2 * 3)),
        ])
    func scoreAlone(sampler: String, evaluations: Int) async throws {
        let setting = try Setting(chains: 40, energy: .noise, operation: "product", sampler: sampler)
        defer { setting.commands.remove() }
        var all: Set<[String]> = []
        for workers in [1, 2] {
            let label = "out\(workers)"
            let ending = try await setting.submit(["--workers", "\(workers)"], label: label)
            #expect(ending.status == 0, "\(ending.errors)")
            all.insert(try setting.commands.bytes(of: setting.commands.path(label)))
        }
        #expect(all.count == 1)
        let summary = try String(contentsOfFile: setting.commands.path("out1/summary.json"), encoding: .utf8)
        #expect(summary.contains("\"gradient_evaluations\": \(40 * evaluations)"), "\(summary)")
        #expect(summary.contains("\"mean\": null"), "\(summary)")
    }

    @Test("models reach a served pool from the submitter, several at once; a damaged copy in the cache is replaced")
    func served() async throws {
        let setting = try Setting()
        defer { setting.commands.remove() }
        let alone = try await setting.submit(["--workers", "1"], label: "alone")
        #expect(alone.status == 0, "\(alone.errors)")
        let names = try setting.expected
        let damaged = setting.cache + "/" + names[0]
        try Data("no model".utf8).write(to: URL(fileURLWithPath: damaged))
        try FileManager.default.removeItem(atPath: setting.cache + "/" + names[1])

        let address = "ipc://" + setting.commands.path("pool")
        let state = setting.commands.path("state")
        let serve = try setting.start(
            "rrr-coordinator", ["serve", "--listen", address, "--state", state], label: "serve")
        let worker = try setting.start("rrr-worker", ["--coordinator", address, "--slots", "2"], label: "worker")
        async let first = setting.submit(["--coordinator", address], label: "first")
        async let second = setting.submit(["--coordinator", address], label: "second")
        for (ending, label) in [(try await first, "first"), (try await second, "second")] {
            #expect(ending.status == 0, "\(ending.errors)")
            #expect(
                try setting.commands.bytes(of: setting.commands.path(label))
                    == setting.commands.bytes(of: setting.commands.path("alone")))
        }
        #expect(setting.cached == names)
        #expect(try SHA256.hash(ofFile: damaged).hex + ".safetensors" == names[0])
        #expect(try FileManager.default.contentsOfDirectory(atPath: state + "/models").sorted() == names)
        serve.signal(SIGTERM)
        #expect(try await setting.commands.ending(of: worker, label: "worker").status == 0)
    }

    @Test("a worker killed while models come in, and a coordinator killed and started anew, change no byte")
    func killed() async throws {
        let setting = try Setting(hidden: 1_000, chains: 48)
        defer { setting.commands.remove() }
        let alone = try await setting.submit(["--workers", "1"], label: "alone")
        #expect(alone.status == 0, "\(alone.errors)")
        try FileManager.default.removeItem(atPath: setting.cache)

        let address = "ipc://" + setting.commands.path("pool")
        let state = setting.commands.path("state")
        func serve(_ label: String) throws -> Commands.Started {
            try setting.start("rrr-coordinator", ["serve", "--listen", address, "--state", state], label: label)
        }
        /// Lets a coordinator run in moments until a file is on its way into a folder, and leaves it standing still.
        func freeze(_ serve: Commands.Started, withFileArrivingIn folder: String) async throws {
            for _ in 0..<5_000 {
                serve.signal(SIGSTOP)
                let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
                if names.contains(where: { $0.hasSuffix(".partial") }) { return }
                serve.signal(SIGCONT)
                try await Task.sleep(for: .milliseconds(1))
            }
            Issue.record("nothing was seen on its way to \(folder)")
        }
        let firstServe = try serve("serve")
        async let submitted = setting.submit(["--coordinator", address], label: "served")
        try await freeze(firstServe, withFileArrivingIn: state + "/models")
        firstServe.signal(SIGKILL)
        let secondServe = try serve("serve again")
        let worker = try setting.start("rrr-worker", ["--coordinator", address, "--slots", "1"], label: "worker")
        try await freeze(secondServe, withFileArrivingIn: setting.cache)
        worker.signal(SIGKILL)
        secondServe.signal(SIGCONT)
        let successor = try setting.start("rrr-worker", ["--coordinator", address, "--slots", "1"], label: "successor")
        let ending = try await submitted
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(
            try setting.commands.bytes(of: setting.commands.path("served"))
                == setting.commands.bytes(of: setting.commands.path("alone")))
        secondServe.signal(SIGTERM)
        #expect(try await setting.commands.ending(of: successor, label: "successor").status == 0)
    }

    @Test("a cache that cannot be made is replaced by a folder that is gone afterwards, with a warning")
    func noCache() async throws {
        let setting = try Setting()
        defer { setting.commands.remove() }
        // A file in the way of the folder.
        try Data().write(to: URL(fileURLWithPath: setting.commands.path("cache")))
        let temporary = setting.commands.path("temporary")
        try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: true)
        let submit = try setting.commands.start(
            "rrr-coordinator", ["submit", setting.job, "--workers", "1", "--output", setting.commands.path("out")],
            label: "out",
            environment: ["XDG_CACHE_HOME": setting.commands.path("cache"), "TMPDIR": temporary])
        let ending = try await setting.commands.ending(of: submit, label: "out")
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(ending.errors.contains("can't be made"))
        #expect(ending.errors.contains("until this process ends"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: temporary) == [])
    }

    @Test(
        "a model that changed after it was read, one that vanished, and one that is missing end a submit with the reason"
    )
    func badModels() async throws {
        let setting = try Setting(hidden: 1_000, chains: 1)
        defer { setting.commands.remove() }
        let address = "ipc://" + setting.commands.path("pool")
        // Nobody listens yet, so that the file can change between reading and sending.
        func late(_ label: String, _ change: () throws -> Void) async throws -> Commands.Ending {
            async let ending = setting.submit(["--coordinator", address], label: label)
            try await Task.sleep(for: .milliseconds(1_000))
            try change()
            let serve = try setting.start(
                "rrr-coordinator", ["serve", "--listen", address, "--state", setting.commands.path("state")],
                label: "serve")
            defer { serve.signal(SIGKILL) }
            return try await ending
        }
        let changed = try await late("changed") {
            let file = try FileHandle(forUpdating: URL(fileURLWithPath: setting.models[1]))
            try file.seekToEnd()
            try file.write(contentsOf: Data([0]))
        }
        #expect(changed.status == 65)
        #expect(changed.errors.contains("arrived with another content"))
        // The file is now no model at all.
        let refused = try await setting.submit(["--workers", "1"], label: "refused")
        #expect(refused.status == 65)
        #expect(refused.errors.contains("job.json:3: /models/two/file: "))
        try FileManager.default.removeItem(atPath: setting.models[1])
        try FileManager.default.copyItem(atPath: setting.models[0], toPath: setting.models[1])
        let gone = try await late("gone") {
            for model in setting.models { try FileManager.default.removeItem(atPath: model) }
            try? FileManager.default.removeItem(atPath: setting.commands.path("state/models"))
        }
        #expect(gone.status == 66)
        #expect(gone.errors.contains("was not sent"))
        let missing = try await setting.submit(["--workers", "1"], label: "missing")
        #expect(missing.status == 66)
        #expect(missing.errors.contains("/models/one.safetensors: no such file"))
    }

    @Test("a job whose model no worker can read fails with the reason")
    func unreadable() async throws {
        let setting = try Setting(hidden: 8, chains: 64)
        defer { setting.commands.remove() }
        let address = "ipc://" + setting.commands.path("pool")
        let state = setting.commands.path("state")
        let serve = try setting.start(
            "rrr-coordinator", ["serve", "--listen", address, "--state", state], label: "serve")
        async let ending = setting.submit(["--coordinator", address], label: "out")
        for _ in 0..<1_000 where !FileManager.default.fileExists(atPath: state + "/jobs") {
            try await Task.sleep(for: .milliseconds(5))
        }
        // The coordinator has accepted the job; now its disk fails.
        for name in try setting.expected {
            try Data("damage".utf8).write(to: URL(fileURLWithPath: state + "/models/" + name))
        }
        let worker = try setting.start("rrr-worker", ["--coordinator", address, "--slots", "1"], label: "worker")
        let failed = try await ending
        #expect(failed.status == 2)
        #expect(failed.errors.contains("arrived with another content"), "\(failed.errors)")
        serve.signal(SIGTERM)
        #expect(try await setting.commands.ending(of: worker, label: "worker").status == 0)
    }
}
