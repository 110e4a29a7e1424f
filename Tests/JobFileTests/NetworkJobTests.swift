import Composition
import ContentHash
import EnergyModels
import Foundation
import JobFile
import Sampling
import StrictJSON
import Testing
import VectorMath

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
        for name in ["denoising", "labelled", "noise", "classifier"] {
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

    private static let judge =
        #""judge": {"kind": "network", "file": "models/classifier.safetensors"}, "#
        + #""net": {"kind": "network", "file": "models/denoising.safetensors"}, "#
        + #""score": {"kind": "network", "file": "models/noise.safetensors"}, "#
        + #""box": {"kind": "uniform_box", "low": [0, 0], "high": [1, 1]}"#

    private static func guided(_ of: String, label: Int = 2, scale: String = "1") -> String {
        #"{"classifier": {"of": \#(of), "by": "judge", "label": \#(label), "scale": \#(scale)}}"#
    }

    @Test("a classifier guides, and the canonical job tells by what name, to which label and how strongly")
    func classifier() throws {
        let job = try Self.load(Self.judge, target: Self.guided("\"net\"", scale: "-0.5"))
        #expect(job.target == .classifier(of: .leaf("net"), by: "judge", label: 2, scale: -0.5))
        #expect(job.hasEnergy)
        #expect(
            job.canonicalText.contains(
                #""target":{"classifier":{"by":"judge","label":2,"of":"net","scale":-0.5}}"#))
        let (judge, others) = (try Self.digest("classifier"), ["denoising", "noise"])
        #expect(job.canonicalText.contains(#""judge":{"kind":"network","sha256":"\#(judge.hex)"}"#))
        #expect(job.modelDigests.contains(judge))
        var paths = [judge: Self.path("classifier")]
        for name in others { paths[try Self.digest(name)] = Self.path(name) }
        let again = try Self.decode(job.canonicalText) { paths[$0] }
        #expect(again == job && again.identity == job.identity)
        for other in [Self.guided("\"net\"", label: 1, scale: "-0.5"), Self.guided("\"net\""), Self.guided("\"box\"")] {
            #expect(try Self.load(Self.judge, target: other).identity != job.identity)
        }
    }

    @Test(
        "it guides a network with an energy under every kernel, and one without where that goes by itself",
        arguments: ["ula", "mala", "uhmc", "hmc", "reverse"])
    func guidance(sampler: String) throws {
        for target in [
            Self.guided("\"net\""), Self.guided(Self.guided("\"box\""), label: 0, scale: "1e3"),
            #"{"mixture": [\#(Self.guided("\"net\"")), \#(Self.guided("\"box\"", label: 0))]}"#,
            #"{"bounded": {"of": \#(Self.guided("\"net\"", scale: "0")), "low": [-1, -1], "high": [1, 1]}}"#,
            #"{"guidance": {"unconditional": "net", "conditional": [\#(Self.guided("\"net\""))], "scale": 2}}"#,
        ] {
            #expect(try Self.load(Self.judge, target: target, sampler: sampler).hasEnergy)
        }
        let scored = Self.guided("\"score\"")
        guard sampler == "mala" || sampler == "hmc" else {
            #expect(try !Self.load(Self.judge, target: scored, sampler: sampler).hasEnergy)
            return
        }
        let error = #expect(throws: JobError.self) { try Self.load(Self.judge, target: scored, sampler: sampler) }
        #expect(error?.problems.map(\.pointer) == ["/sampler/kind"])
        let line = sampler + #"", "acceptance": "line"#
        #expect(try !Self.load(Self.judge, target: scored, sampler: line).hasEnergy)
        // A mixture weighs by the energy of what is guided, which a classifier has not got to give.
        let mixed = #expect(throws: JobError.self) {
            try Self.load(Self.judge, target: #"{"mixture": ["net", \#(scored)]}"#, sampler: line)
        }
        #expect(mixed?.problems.map(\.pointer) == ["/target/mixture/1"])
    }

    @Test("a network in a mixture is warned of unless its normaliser is given or to be estimated")
    func normalizers() throws {
        func warnings(_ rest: String) throws -> [String] {
            try Self.load(Self.judge, target: #"{"mixture": ["net", "box"]\#(rest)}"#, sampler: "mala").warnings
        }
        #expect(try warnings("").first?.contains(#"its components "net" are known up to"#) == true)
        for rest in [#", "log_normalizers": [-2, 0]"#, #", "log_normalizers": ["estimate", 0]"#] {
            #expect(try warnings(rest) == [])
        }
    }

    @Test("the plan of a guided job adds scale times the classifier's log probability")
    func guidedPlan() throws {
        func density(_ target: String) throws -> (any Density, Bool) {
            let job = try Self.load(Self.judge, target: target)
            let names = Dictionary(
                uniqueKeysWithValues: try ["classifier", "denoising", "noise"].map { (try Self.digest($0), $0) })
            let plan = try job.plan { digest in try Network(NetworkFile(path: Self.path(names[digest] ?? ""))) }
            return (plan.density, plan.hasEnergy)
        }
        func logDensity(_ target: String) throws -> Double {
            let level = NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 10)).levels[3]
            var evaluator = try density(target).0.evaluator(lanes: 1, at: level)
            var evaluation = Evaluation(dimension: 2, lanes: 1)
            var x = LaneMatrix(rows: 2, lanes: 1)
            (x[0, 0], x[1, 0]) = (0.25, -0.5)
            try evaluator.evaluate(at: x, into: &evaluation)
            return evaluation.logDensity[0]
        }
        let judge = try Network(NetworkFile(path: Self.path("classifier")))
        let wanted = Double(try judge.classify(points: [0.25, -0.5], level: 3).logProbabilities[2])
        let plain = try logDensity("\"net\"")
        #expect((try logDensity(Self.guided("\"net\"", scale: "3")) - plain - 3 * wanted).magnitude < 1e-12)
        #expect(try density(Self.guided("\"net\"")).1)
        #expect(try !density(Self.guided("\"score\"")).1)
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
            return try Network(NetworkFile(path: Self.path(digest == noise ? "noise" : "labelled")))
        }
        #expect(Set(asked) == Set(job.modelDigests))
        #expect(!plan.hasEnergy)
        #expect(plan.density.dimension == 2)
    }

    /// A job of networks that were trained on 100 levels, by their hashes.
    private static func images(
        _ models: [(name: String, fixture: String, label: String)], schedule: String
    ) throws -> Job {
        var paths: [Digest: String] = [:]
        let entries = try models.map { name, fixture, label in
            let digest = try digest(fixture)
            paths[digest] = path(fixture)
            return "\"\(name)\": {\"kind\": \"network\", \"sha256\": \"\(digest.hex)\"\(label)}"
        }
        let text = """
            {"rrr": 1, "name": "images", "models": {\(entries.joined(separator: ", "))}, "target": "net",
             "schedule": \(schedule), "sampler": {"kind": "uhmc", "step_size": 0.01}, "chains": 4}
            """
        return try decode(text) { paths[$0] }
    }

    @Test("a job may use fewer levels than its networks know, evenly spaced, and says so in its canonical text")
    func spaced() throws {
        let net = (name: "net", fixture: "unet-energy", label: ", \"label\": 1")
        let schedule = #"{"kind": "cosine", "levels": 100, "spaced": 12}"#
        let job = try Self.images([net], schedule: schedule)
        #expect(job.shape.lengths == [3, 8, 8])
        #expect(job.levels == 12)
        #expect(job.canonicalText.contains(#""schedule":{"kind":"cosine","levels":100,"spaced":12}"#))
        let path = Self.path("unet-energy")
        let again = try Self.decode(job.canonicalText) { _ in path }
        #expect(again.canonicalText == job.canonicalText)
        let plan = try job.plan { _ in try Network(NetworkFile(path: path)) }
        #expect(plan.schedule.levels.map(\.original).last == 99)
        let error = #expect(throws: JobError.self) {
            try Self.images([net], schedule: #"{"kind": "cosine", "levels": 12}"#)
        }
        #expect(error?.description.contains("was trained on the cosine schedule with 100 levels") == true)
        #expect(error?.description.contains(#"write "schedule": {"kind":"cosine","levels":100}"#) == true)
    }

    @Test("a network without a row for no label needs one; networks of other shapes don't go together")
    func labels() throws {
        let schedule = #"{"kind": "cosine", "levels": 100}"#
        let bare = #expect(throws: JobError.self) {
            try Self.images([("net", "unet-guided", "")], schedule: schedule)
        }
        #expect(bare?.problems.map(\.pointer) == ["/models/net"])
        #expect(bare?.description.contains("no row for points without a label; give it a \"label\"") == true)
        let guided = (name: "net", fixture: "unet-guided", label: ", \"label\": 1")
        #expect(try !Self.images([guided], schedule: schedule).hasEnergy)
        let mixed = #expect(throws: JobError.self) {
            try Self.images([guided, ("other", "unet-convolution", "")], schedule: schedule)
        }
        #expect(mixed?.description.contains("[1, 8, 8]") == true && mixed?.description.contains("[3, 8, 8]") == true)
    }
}
