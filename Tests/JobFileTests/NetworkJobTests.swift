import ContentHash
import EnergyModels
import Foundation
import JobFile
import Sampling
import StrictJSON
import Testing

@Suite("Jobs with networks")
struct NetworkJobTests {
    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("EnergyModelsTests/Fixtures")

    private static func path(_ name: String) -> String {
        fixtures.appendingPathComponent(name + ".safetensors").path
    }

    private static func digest(_ name: String) throws -> Digest { try SHA256.hash(ofFile: path(name)) }

    /// A job file in a folder of its own, beside which lie the named fixtures.
    private static func load(_ models: String, target: String = "\"net\"", sampler: String = "ula") throws -> Job {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("job-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let inner = folder.appendingPathComponent("models")
        try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
        for name in ["denoising", "labelled", "noise"] {
            try FileManager.default.copyItem(
                atPath: path(name), toPath: inner.appendingPathComponent(name + ".safetensors").path)
        }
        let file = folder.appendingPathComponent("job.json")
        try Data(text(models, target: target, sampler: sampler).utf8).write(to: file)
        return try Job.load(path: file.path)
    }

    private static func text(_ models: String, target: String = "\"net\"", sampler: String = "ula") -> String {
        let settings = sampler == "reverse" ? "" : ", \"step_size\": 0.01"
        return """
            {"rrr": 1, "name": "net", "models": {\(models)}, "target": \(target),
             "schedule": {"kind": "cosine", "levels": 10}, "sampler": {"kind": "\(sampler)"\(settings)}, "chains": 4}
            """
    }

    private static func decode(_ text: String, _ model: @escaping (Digest) -> String? = { _ in nil }) throws -> Job {
        try Job.decode(Array(text.utf8), file: "job", model: model)
    }

    @Test("a model file is found beside the job file, and the canonical job names it by its hash")
    func loading() throws {
        let job = try Self.load(
            #""net": {"kind": "network", "file": "models/labelled.safetensors", "label": 2}, "#
                + #""other": {"kind": "network", "file": "models/labelled.safetensors"}, "#
                + #""another": {"kind": "network", "file": "models/denoising.safetensors"}"#)
        let (labelled, denoising) = (try Self.digest("labelled"), try Self.digest("denoising"))
        #expect(job.dimension == 2)
        #expect(job.modelDigests == [denoising, labelled])
        #expect(job.modelPaths[labelled]?.hasSuffix("/models/labelled.safetensors") == true)
        #expect(job.canonicalText.contains(#""net":{"kind":"network","label":2,"sha256":"\#(labelled.hex)"}"#))
        #expect(job.canonicalText.contains(#""other":{"kind":"network","sha256":"\#(labelled.hex)"}"#))
        guard case .network(labelled, let description, label: 2) = job.models["net"] else {
            Issue.record("another model")
            return
        }
        #expect(description.architecture.classes == 3)

        let paths = [labelled: Self.path("labelled"), denoising: Self.path("denoising")]
        let again = try Self.decode(job.canonicalText) { paths[$0] }
        #expect(again == job)
        #expect(again.identity == job.identity)
        #expect(again.modelPaths == paths)
    }

    @Test("a label and the content of the file are part of the identity, the file's name is not")
    func identity() throws {
        func identity(_ model: String) throws -> Digest {
            try Self.load("\"net\": {\"kind\": \"network\", \(model)}").identity
        }
        let relative = try identity(#""file": "models/labelled.safetensors""#)
        #expect(try identity(#""file": "\#(Self.path("labelled"))""#) == relative)
        #expect(try identity(#""file": "models/labelled.safetensors", "label": 0"#) != relative)
        #expect(try identity(#""file": "models/denoising.safetensors""#) != relative)
    }

    @Test("hashes that are not known are told together, each once")
    func missing() throws {
        let (one, two) = (SHA256.hash(of: [1]), SHA256.hash(of: [2]))
        let text = Self.text(
            #""net": {"kind": "network", "sha256": "\#(one.hex)"}, "b": {"kind": "network", "sha256": "\#(two.hex)"}, "#
                + #""c": {"kind": "network", "sha256": "\#(one.hex)"}"#)
        let error = #expect(throws: JobError.self) { try Self.decode(text) }
        #expect(error?.code == .missingModels([one, two]))
        #expect(error?.exitStatus == 66)
        #expect(error?.problems.map(\.pointer) == ["/models/net/sha256", "/models/b/sha256", "/models/c/sha256"])
        // What is wrong comes first: no file would mend it.
        let wrong = #expect(throws: JobError.self) {
            try Self.decode(text.replacing("\"chains\": 4", with: "\"chains\": 0"))
        }
        #expect(wrong?.code == .badData)
    }

    @Test("a model file that is not there is no input, told with its place and its path")
    func absentFile() throws {
        let error = #expect(throws: JobError.self) {
            try Self.load(#""net": {"kind": "network", "file": "models/none.safetensors"}"#)
        }
        #expect(error?.code == .noInput)
        #expect(error?.exitStatus == 66)
        #expect(error?.description.contains("job.json:1: /models/net/file: ") == true)
        #expect(error?.description.contains("/models/none.safetensors: no such file") == true)
    }

    @Test("a job that has travelled opens no file that it names")
    func travelledName() throws {
        let text = Self.text(#""net": {"kind": "network", "file": "\#(Self.path("denoising"))"}"#)
        let error = #expect(throws: JobError.self) { try Self.decode(text) }
        #expect(error?.code == .badData)
        #expect(error?.problems.map(\.pointer) == ["/models/net/file"])
    }

    @Test(
        "a network of the kind noise may be scaled, summed and guided, with kernels that need no energy",
        arguments: [
            "ula", "uhmc", "reverse", #"mala", "acceptance": "line"#, #"hmc", "acceptance": "line"#,
            #"hmc", "acceptance": "path"#,
        ])
    func noise(sampler: String) throws {
        let model = #""net": {"kind": "network", "file": "models/noise.safetensors"}"#
        for target in [
            #""net""#, #"{"product": ["net", "net"], "weights": [2, -0.5]}"#,
            #"{"negation": {"of": "net", "by": "net", "weight": 0.3}}"#,
            #"{"guidance": {"unconditional": "net", "conditional": ["net"], "scale": 4}}"#,
            #"{"tempered": {"of": "net", "temperature": 2}}"#,
            #"{"bounded": {"of": "net", "low": [-1, -1], "high": [1, 1]}}"#,
        ] {
            #expect(try !Self.load(model, target: target, sampler: sampler).hasEnergy)
        }
        // One that the target does not name is no hindrance.
        let other = model + #", "box": {"kind": "uniform_box", "low": [0, 0], "high": [1, 1]}"#
        #expect(try Self.load(other, target: #""box""#, sampler: "hmc").hasEnergy)
    }

    @Test("a plan loads each network through the caller, with its label")
    func plan() throws {
        let job = try Self.load(
            #""net": {"kind": "network", "file": "models/labelled.safetensors", "label": 1}, "#
                + #""b": {"kind": "network", "file": "models/noise.safetensors"}"#,
            target: #"{"product": ["net", "b"]}"#)
        let noise = try Self.digest("noise")
        var asked: [Digest] = []
        let plan = try job.plan { digest in
            asked.append(digest)
            return Network(try NetworkFile(path: Self.path(digest == noise ? "noise" : "labelled")))
        }
        #expect(Set(asked) == Set(job.modelDigests))
        #expect(!plan.hasEnergy)
        #expect(plan.density.dimension == 2)
    }
}
