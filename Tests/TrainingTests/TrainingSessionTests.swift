import EnergyModels
import Foundation
import Testing

@testable import Training

@Suite("Training sessions")
struct TrainingSessionTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Trains; stops after `steps` of this session if they are given.
    @discardableResult
    private func train(
        _ name: String, spec text: String = ExampleSpecs.quick, start: TrainingSession.Start = .fresh,
        threads: Int = 2, stopAfter steps: Int? = nil
    ) throws -> TrainingSession.Ending {
        var session = try TrainingSession(
            try ExampleSpecs.decode(text), output: folder(name), threads: threads, start: start)
        var reports = 0
        return try session.train(shouldStop: { steps.map { reports > $0 } ?? false }, report: { _ in reports += 1 })
    }

    private func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: folder(name)) }

    @Test("An interrupted training, resumed, writes the bytes of one that was not; threads make no difference")
    func resume() throws {
        try train("whole", threads: 1)
        for stops in [[0], [1], [5], [11], [3, 3, 2]] {
            let name = "parts-\(stops)"
            for (index, steps) in stops.enumerated() {
                let ending = try train(name, start: index == 0 ? .fresh : .resume, threads: 3, stopAfter: steps)
                guard case .stopped(let reached) = ending else {
                    Issue.record("did not stop")
                    return
                }
                #expect(reached == stops[...index].reduce(0, +))
                #expect(exists(name + ".checkpoint") && !exists(name))
            }
            try train(name, start: .resume)
            #expect(try folder.bytes(name) == folder.bytes("whole"))
            #expect(!exists(name + ".checkpoint"))
        }
    }

    @Test("A killed training goes on from its last regular checkpoint to the same bytes")
    func killed() throws {
        try train("whole")
        // The later checkpoint is lost with the process that would have written it.
        try train("killed", stopAfter: 5)
        let regular = try folder.bytes("killed.checkpoint")
        try train("killed", start: .resume, stopAfter: 2)
        try regular.write(to: URL(filePath: folder("killed.checkpoint")))
        try train("killed", start: .resume)
        #expect(try folder.bytes("killed") == folder.bytes("whole"))
    }

    @Test("The model file holds the average of the parameters and the description")
    func modelFile() throws {
        guard case .finished(let result) = try train("model.safetensors") else {
            Issue.record("did not finish")
            return
        }
        let spec = try ExampleSpecs.decode(ExampleSpecs.quick)
        let file = try NetworkFile(path: folder("model.safetensors"))
        #expect(file.description == spec.network)
        var run = try TrainingRun(spec, data: try TrainingData(spec), threads: 1)
        for _ in 0..<12 { try run.step() }
        let values = try spec.network.architecture.parameters.flatMap { try file.values($0) }
        #expect(values == run.optimizer.average)
        #expect(run.optimizer.average != run.optimizer.parameters)
        #expect(result.json.contains("\"sha256\": \"\(result.sha256)\""))
        #expect(result.progress.loss.isFinite)
    }

    @Test(
        "A training starts from the weights of a model file of the same architecture, and knows it again by its content"
    )
    func from() throws {
        try train("first")
        let text = ExampleSpecs.quick.replacing(
            "\"rrr_training\": 1", with: "\"rrr_training\": 1, \"from\": \"\(folder("first"))\"")
        let spec = try ExampleSpecs.decode(text)
        let file = try NetworkFile(path: folder("first"))
        let weights = try spec.network.architecture.parameters.flatMap { try file.values($0) }
        #expect(try TrainingRun(spec, threads: 1).optimizer.parameters == weights)
        try train("whole", spec: text)
        #expect(try folder.bytes("whole") != folder.bytes("first"))
        try train("parts", spec: text, stopAfter: 5)
        try train("parts", spec: text, start: .resume)
        #expect(try folder.bytes("parts") == folder.bytes("whole"))

        let other = #expect(throws: TrainingError.self) {
            try train("other", spec: text.replacing("\"hidden\": 8", with: "\"hidden\": 4"))
        }
        #expect(other?.exitStatus == 65 && other?.description.contains("another architecture") == true)
        try train("late", spec: text, stopAfter: 5)
        try folder.bytes("whole").write(to: URL(filePath: folder("first")))
        let changed = #expect(throws: TrainingError.self) { try train("late", spec: text, start: .resume) }
        #expect(changed?.exitStatus == 65 && changed?.description.contains("\"from\"") == true)
        try FileManager.default.removeItem(atPath: folder("first"))
        let absent = #expect(throws: TrainingError.self) { try train("absent", spec: text) }
        #expect(absent?.exitStatus == 66 && absent?.description.contains(folder("first")) == true)
    }

    @Test("Resuming with another spec is refused with what differs, and nothing is lost")
    func otherSpec() throws {
        try train("model", stopAfter: 4)
        let before = try folder.bytes("model.checkpoint")
        for (old, new, name) in [
            ("1e-2", "2e-2", "optimizer"), ("\"seed\": 3", "\"seed\": 4", "seed"),
            ("\"shard\": 4", "\"shard\": 8", "shard"), ("\"hidden\": 8", "\"hidden\": 4", "network"),
        ] {
            let error = #expect(throws: TrainingError.self) {
                try train("model", spec: ExampleSpecs.quick.replacing(old, with: new), start: .resume)
            }
            #expect(error?.exitStatus == 65)
            #expect(error?.description.contains("model.checkpoint: ") == true)
            #expect(error?.description.contains("\"\(name)\"") == true, "\(error?.description ?? "")")
        }
        #expect(try folder.bytes("model.checkpoint") == before)
        // How often checkpoints are written makes no difference to the result.
        try train(
            "model", spec: ExampleSpecs.quick.replacing("\"checkpoint_every\": 5", with: "\"checkpoint_every\": 1"),
            start: .resume)
    }

    @Test("Files in the way are refused with 73, and replaced when that is asked for")
    func inTheWay() throws {
        try train("model", stopAfter: 4)
        let interrupted = #expect(throws: TrainingError.self) { try train("model") }
        #expect(interrupted?.exitStatus == 73)
        #expect(interrupted?.description.contains("--resume") == true)
        try train("model", start: .force)
        let bytes = try folder.bytes("model")
        for start in [TrainingSession.Start.fresh, .resume] {
            let finished = #expect(throws: TrainingError.self) { try train("model", start: start) }
            #expect(finished?.exitStatus == 73)
            #expect(finished?.description.contains("--force") == true)
        }
        try train("model", start: .force)
        #expect(try folder.bytes("model") == bytes)
    }

    @Test("Two trainings do not write one file: the second is told to wait, and nothing of the first is lost")
    func twoAtOnce() throws {
        try train("whole")
        var first = try TrainingSession(
            try ExampleSpecs.decode(ExampleSpecs.quick), output: folder("model"), threads: 1, start: .fresh)
        for start in [TrainingSession.Start.fresh, .resume, .force] {
            let error = #expect(throws: TrainingError.self) { try train("model", start: start) }
            #expect(error?.exitStatus == 75)
            #expect(error?.description.hasPrefix(folder("model") + ": another process") == true)
        }
        _ = try first.train(shouldStop: { false }, report: { _ in })
        #expect(try folder.bytes("model") == folder.bytes("whole"))
    }

    @Test("Resuming without a checkpoint begins at the beginning")
    func nothingToResume() throws {
        try train("whole")
        try train("other", start: .resume)
        #expect(try folder.bytes("other") == folder.bytes("whole"))
    }

    @Test("An output that cannot be written is refused with 73 before any step")
    func unwritable() throws {
        try Data().write(to: URL(filePath: folder("file")))
        let error = #expect(throws: TrainingError.self) { try train("file/model") }
        #expect(error?.exitStatus == 73)
    }

    @Test("An output that is there and is no file is refused with 73 before any step, and left as it is")
    func noFile() throws {
        try FileManager.default.createDirectory(atPath: folder("folder"), withIntermediateDirectories: false)
        try #require(mkfifo(folder("pipe"), 0o600) == 0)
        try FileManager.default.createDirectory(atPath: folder("model.checkpoint"), withIntermediateDirectories: false)
        for start in [TrainingSession.Start.fresh, .resume, .force] {
            for name in ["folder", "pipe", "model", "new/"] {
                let error = #expect(throws: TrainingError.self) { try train(name, start: start) }
                #expect(error?.exitStatus == 73)
                #expect(error?.description.contains("not") == true)
            }
        }
        #expect(!exists("folder.checkpoint") && !exists("pipe.checkpoint") && !exists("model"))
        var status = stat()
        #expect(stat(folder("pipe"), &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
    }

    @Test("A damaged checkpoint is refused with 65 and its name")
    func damaged() throws {
        try train("model", stopAfter: 4)
        let bytes = try folder.bytes("model.checkpoint")
        for damaged in [Data(), bytes.prefix(100), bytes.dropLast(), bytes + [0], Data("nonsense".utf8)] {
            try damaged.write(to: URL(filePath: folder("model.checkpoint")))
            let error = #expect(throws: TrainingError.self) { try train("model", start: .resume) }
            #expect(error?.exitStatus == 65)
            #expect(error?.description.contains("model.checkpoint") == true)
        }
    }

    @Test("A training that diverges stops with 2, names the iteration and leaves its last checkpoint")
    func diverging() throws {
        let text = ExampleSpecs.quick.replacing(
            #"{"learning_rate": 1e-2, "decay": "cosine", "warmup": 3, "clip_norm": 1}"#,
            with: #"{"learning_rate": 1e30}"#)
        let error = try #require(#expect(throws: TrainingError.self) { try train("model", spec: text) })
        #expect(error.exitStatus == 2)
        #expect(error.description.contains(/iteration \d+: the (loss|gradient) is not finite/))
        #expect(error.description.contains("learning_rate") && error.description.contains("clip_norm"))
        #expect(exists("model.checkpoint") && !exists("model"))
    }

    @Test("A step that loses all measure ends the training with 2 and not with its checkpoint")
    func divergingInTheStep() throws {
        let text = ExampleSpecs.quick.replacing(
            #"{"learning_rate": 1e-2, "decay": "cosine", "warmup": 3, "clip_norm": 1}"#,
            with: #"{"learning_rate": 1e38}"#
        ).replacing("\"checkpoint_every\": 5", with: "\"checkpoint_every\": 1")
        for (name, iterations) in [("only", 1), ("first", 12)] {
            let spec = text.replacing("\"iterations\": 12", with: "\"iterations\": \(iterations)")
            let error = try #require(#expect(throws: TrainingError.self) { try train(name, spec: spec) })
            #expect(error.exitStatus == 2)
            #expect(error.description.contains("the parameters are not finite"))
            #expect(error.description.contains("the checkpoint of iteration 0 stays"))
            #expect(!exists(name))
            // Whoever goes on from it meets the same end, not a damaged file.
            let again = #expect(throws: TrainingError.self) { try train(name, spec: spec, start: .resume) }
            #expect(again == error)
        }
    }
}
