import ContentHash
import EnergyModels
import Foundation
import JobFile
import Pictures
import RunFolder
import Sampling
import StrictJSON
import Testing
import VectorMath

@Suite("Jobs of images")
struct ImageJobTests {
    /// A folder for a job file and arrays beside it.
    private final class Folder {
        private let url = FileManager.default.temporaryDirectory.appendingPathComponent("job-\(UUID())")

        init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

        deinit { try? FileManager.default.removeItem(at: url) }

        func path(_ name: String) -> String { url.appendingPathComponent(name).path }

        /// An array of the numbers `first`, `first` + 0.01…
        func write(_ name: String, _ shape: [Int], first: Float = 0) throws {
            let numbers = (0..<shape.reduce(1, *)).map { first + Float($0) / 100 }
            var array = try ArrayStaging(folder: url.path, name: name, elementType: .float32, shape: shape)
            try array.write(numbers, atRow: 0)
            try array.finish()
        }

        func load(_ models: String, target: String = #""a""#, more: String = "") throws -> Job {
            let text = """
                {"rrr": 1, "name": "images", "models": {\(models)}, "target": \(target),
                 "schedule": {"kind": "cosine", "levels": 10}, "sampler": {"kind": "ula", "step_size": 0.1}, "chains": 4\(more)}
                """
            try Data(text.utf8).write(to: url.appendingPathComponent("job.json"))
            return try Job.load(path: path("job.json"))
        }
    }

    private static func points(of job: Job, _ lanes: Int = 1) throws -> Evaluation {
        struct NoNetwork: Error {}
        let plan = try job.plan { _ in throw NoNetwork() }
        var evaluator = plan.density.evaluator(lanes: lanes, at: plan.schedule.levels[3])
        var evaluation = Evaluation(dimension: job.dimension, lanes: lanes)
        try evaluator.evaluate(at: LaneMatrix(rows: job.dimension, lanes: lanes, repeating: 0.2), into: &evaluation)
        return evaluation
    }

    @Test("A number is stretched over all pixels, and stays one number in the canonical job")
    func stretched() throws {
        let job = try Folder().load(
            """
            "a": {"kind": "gaussian", "shape": [3, 32, 32], "mean": 0, "std": 0.5},
            "b": {"kind": "gaussian_mixture", "shape": [3, 32, 32], "means": [0.5, -0.5], "std": 0.25},
            "c": {"kind": "uniform_box", "shape": [3, 32, 32], "low": -1, "high": 1}
            """, target: #"{"bounded": {"of": {"product": ["a", "b", "c"]}, "low": -1.5, "high": 2}}"#)
        #expect(job.shape.lengths == [3, 32, 32])
        #expect(job.dimension == 3_072)
        #expect(job.canonicalText.contains(#""a":{"kind":"gaussian","mean":0,"shape":[3,32,32],"std":0.5}"#))
        #expect(
            job.canonicalText.contains(
                #""means":[0.5,-0.5],"shape":[3,32,32],"std":[0.25,0.25],"weights":[1,1]}"#))
        #expect(job.canonicalText.contains(#""bounded":{"high":2,"low":-1.5,"#))
        #expect(job.canonicalText.utf8.count < 2_000)
        #expect(try Job.decode(Array(job.canonicalText.utf8), file: "again").canonicalText == job.canonicalText)
    }

    @Test("Numbers nested as the axes are, one number for all, and a file that holds the same mean the same density")
    func forms() throws {
        let numbers = "[[[0, 0.01], [0.02, 0.03]], [[0.04, 0.05], [0.06, 0.07]]]"
        let folder = try Folder()
        try folder.write("one.npy", [1, 2, 2, 2])
        try folder.write("mean.npy", [2, 2, 2])
        let evaluations = try [
            #""a": {"kind": "gaussian_mixture", "means": [\#(numbers)], "std": 0.5}"#,
            #""a": {"kind": "gaussian_mixture", "means": {"file": "one.npy"}, "std": [0.5]}"#,
            #""a": {"kind": "gaussian_mixture", "means": [{"file": "mean.npy"}], "std": 0.5}"#,
            #""a": {"kind": "gaussian", "mean": {"file": "mean.npy"}, "std": 0.5}"#,
            #""a": {"kind": "gaussian", "shape": [2, 2, 2], "mean": \#(numbers), "std": 0.5}"#,
        ].map { model in
            let job = try folder.load(model)
            #expect(job.shape.lengths == [2, 2, 2])
            return try Self.points(of: job)
        }
        for evaluation in evaluations {
            #expect(abs(evaluation.logDensity[0] - evaluations[0].logDensity[0]) < 1e-6)
            #expect(
                zip(evaluation.score.elements, evaluations[0].score.elements).allSatisfy { abs($0 - $1) < 1e-6 })
        }
    }

    @Test("The canonical job names arrays by the SHA-256 of their files, which travel like model files")
    func digests() throws {
        let folder = try Folder()
        try folder.write("templates.npy", [5, 3, 4, 4])
        try folder.write("widths.npy", [5, 3, 4, 4], first: 0.5)
        let model =
            #""a": {"kind": "gaussian_mixture", "means": {"file": "templates.npy"}, "std": {"file": "widths.npy"}}"#
        let job = try folder.load(model)
        let digests = try ["templates.npy", "widths.npy"].map { try SHA256.hash(ofFile: folder.path($0)) }
        #expect(
            job.canonicalText.contains(
                #""a":{"kind":"gaussian_mixture","means":{"sha256":"\#(digests[0].hex)"},"shape":[3,4,4],"std":{"sha256":"\#(digests[1].hex)"}"#
            ))
        #expect(job.modelDigests == digests)
        #expect(job.modelPaths == [digests[0]: folder.path("templates.npy"), digests[1]: folder.path("widths.npy")])
        #expect(job.storedBytes == 2 * 5 * 48 * 4)

        let text = Array(job.canonicalText.utf8)
        let error = #expect(throws: JobError.self) { try Job.decode(text, file: "job") }
        #expect(error?.code == .missingModels(digests))
        let again = try Job.decode(text, file: "job") { job.modelPaths[$0] }
        #expect(again.identity == job.identity)
        #expect(try Self.points(of: again) == Self.points(of: job))

        try folder.write("widths.npy", [5, 3, 4, 4], first: 0.6)
        #expect(try folder.load(model).identity != job.identity)
    }

    @Test("Points of one axis are written out in the canonical job, as they were before shapes were known")
    func oneAxis() throws {
        let old = try Folder().load(#""a": {"kind": "uniform_box", "low": [0, 0], "high": [1, 1]}"#)
        let new = try Folder().load(#""a": {"kind": "uniform_box", "shape": [2], "low": 0, "high": 1}"#)
        #expect(old.canonicalText.contains(#""a":{"high":[1,1],"kind":"uniform_box","low":[0,0]}"#))
        #expect(new.canonicalText == old.canonicalText)
    }

    @Test(
        "What has not the job's shape is refused at its place, with both shapes",
        arguments: [
            (
                #""a": {"kind": "gaussian", "mean": 0, "std": 0.5}"#, "/models/a",
                "add \"shape\", such as [2], or [3, 32, 32] for images"
            ),
            (
                #""a": {"kind": "gaussian", "shape": [3, 0, 4], "mean": 0, "std": 0.5}"#, "/models/a/shape/1",
                "a whole number from 1"
            ),
            (
                #""a": {"kind": "gaussian", "shape": [64, 512, 512], "mean": 0, "std": 0.5}"#, "/models/a/shape",
                "more than 4194304 coordinates"
            ),
            (#""a": {"kind": "gaussian", "shape": 3, "mean": 0, "std": 1}"#, "/models/a/shape", "[3, 32, 32]"),
            (
                #""a": {"kind": "gaussian", "shape": [3, 4, 4], "mean": 0, "std": 0}"#, "/models/a/std",
                "a finite number above zero"
            ),
            (
                #""a": {"kind": "gaussian", "shape": [3, 4, 4], "mean": [0, 0], "std": 1}"#, "/models/a/mean",
                "must have 3 entries, has 2"
            ),
            (
                #""a": {"kind": "gaussian", "shape": [2, 2], "mean": [[0, 0], [0]], "std": 1}"#, "/models/a/mean/1",
                "must have 2 entries, has 1; give numbers nested as the shape [2, 2] is"
            ),
            (
                #""a": {"kind": "gaussian", "shape": [3, 4, 4], "mean": {"file": "mean.npy"}, "std": 1}"#,
                "/models/a/mean", "has the shape [3, 2, 2], but points have [3, 4, 4]"
            ),
            (
                #""a": {"kind": "gaussian_mixture", "shape": [3, 4, 4], "means": {"file": "mean.npy"}, "std": 1}"#,
                "/models/a/means", "has the shape [3, 2, 2]; give one centre per component, [components, 3, 4, 4]"
            ),
            (
                #""a": {"kind": "gaussian_mixture", "means": {"file": "two.npy"}, "std": {"file": "three.npy"}}"#,
                "/models/a/std", "has the shape [3, 3, 2, 2]; give one entry per component, [2, 3, 2, 2]"
            ),
            (
                #""a": {"kind": "gaussian", "mean": 0, "std": {"file": "mean.npy"}}"#, "/models/a/std",
                "number 0 of the file is 0.0; it must be a finite number above zero"
            ),
            (
                #""a": {"kind": "gaussian", "mean": {"file": "gap.npy"}, "std": 1}"#, "/models/a/mean/file",
                "gap.npy: number 1 is nan in single precision"
            ),
            (
                #""a": {"kind": "gaussian", "mean": {"file": "job.json"}, "std": 1}"#, "/models/a/mean/file",
                "not a npy file"
            ),
            (
                #""a": {"kind": "gaussian", "mean": {"fil": "mean.npy"}, "std": 1}"#, "/models/a/mean/fil",
                #"did you mean "file""#
            ),
            (
                #""a": {"kind": "gaussian", "shape": [3, 64, 64], "mean": 0, "covariance": [[1]]}"#,
                "/models/a/covariance", "give \"std\" instead"
            ),
            (
                #""a": {"kind": "gaussian", "shape": [], "mean": 0, "std": 1}"#, "/models/a/shape",
                "give at least one entry"
            ),
            (
                #""a": {"kind": "gaussian", "mean": [1e40], "std": 1}"#, "/models/a/mean/0",
                "at most 3.4e38 in size, as samples are float32, is 1e40"
            ),
            (#""a": {"kind": "uniform_box", "low": [0], "high": [1e308]}"#, "/models/a/high/0", "float32, is 1e308"),
            (
                #""a": {"kind": "gaussian", "mean": [0], "covariance": [[1]], "std": 1}"#, "/models/a/covariance",
                "leave out one of the two"
            ),
            (
                #""a": {"kind": "uniform_box", "shape": [3, 4, 4], "low": 1, "high": 1}"#, "/models/a/high",
                "not above the lower corner's 1.0"
            ),
            (
                #""a": {"kind": "gaussian", "shape": [3, 4, 4], "mean": 0, "std": 1}, "b": {"kind": "gaussian", "shape": [3, 8, 8], "mean": 0, "std": 1}"#,
                "/models/b", #"has points of the shape [3, 8, 8], but "a" has [3, 4, 4]; all models share one shape"#
            ),
            (
                #""a": {"kind": "gaussian", "shape": [48], "mean": 0, "std": 1}, "b": {"kind": "gaussian", "shape": [3, 4, 4], "mean": 0, "std": 1}"#,
                "/models/b", #"has points of the shape [3, 4, 4], but "a" has [48]"#
            ),
        ])
    func refusals(models: String, pointer: String, fragment: String) throws {
        let folder = try Folder()
        try folder.write("mean.npy", [3, 2, 2])
        try folder.write("two.npy", [2, 3, 2, 2])
        try folder.write("three.npy", [3, 3, 2, 2], first: 1)
        var gap = try ArrayStaging(folder: folder.path("."), name: "gap.npy", elementType: .float32, shape: [2])
        try gap.write([1, .nan] as [Float], atRow: 0)
        try gap.finish()
        let error = #expect(throws: JobError.self) { try folder.load(models) }
        let problems = try #require(error?.problems)
        #expect(error?.code == .badData)
        #expect(problems.map(\.pointer) == [pointer])
        let message = try #require(problems.first?.message)
        #expect(message.contains(fragment), "\(message)")
    }

    @Test(
        "Bounds of images are numbers, or nested as the points are",
        arguments: ["[0, 0]", "[[[0]]]", #"{"file": "a.npy"}"#])
    func badBounds(low: String) throws {
        let error = #expect(throws: JobError.self) {
            try Folder().load(
                #""a": {"kind": "gaussian", "shape": [3, 2, 2], "mean": 0, "std": 1}"#,
                target: #"{"bounded": {"of": "a", "low": \#(low), "high": 1}}"#)
        }
        #expect(error?.problems.first?.pointer.hasPrefix("/target/bounded/low") == true)
    }

    @Test(
        "A block has 64 chains, or fewer where points are large",
        arguments: [
            ("[2]", 64), ("[4096]", 64), ("[3, 32, 32]", 64), ("[3, 64, 64]", 16), ("[3, 256, 256]", 1),
            ("[4, 1024, 1024]", 1),
        ])
    func usualBlock(shape: String, block: Int) throws {
        let model = #""a": {"kind": "gaussian", "shape": \#(shape), "mean": 0, "std": 0.5}"#
        #expect(try Folder().load(model).block == block)
        #expect(try Folder().load(model, more: #", "block": 2"#).block == 2)
    }

    @Test(
        "What is too large for a result or a state is refused with what would fit",
        arguments: [
            (#""chains": 4, "block": 2000"#, "[3, 64, 64]", "", "a block's result would take 98408000 bytes"),
            (
                #""chains": 4, "block": 65536, "draws": 16777216"#, "[4, 1024, 1024]", "",
                "use a block of at most 0 chains"
            ),
            (
                #""chains": 4, "block": 800, "draws": 2"#, "[4096]", #", "exchange": {"replicas": 10}"#,
                "more than 536870912; use a block of at most "
            ),
        ])
    func tooLarge(size: String, shape: String, more: String, fragment: String) throws {
        let text = """
            {"rrr": 1, "name": "large", "target": "a",
             "models": {"a": {"kind": "gaussian", "shape": \(shape), "mean": 0, "std": 0.5}},
             "schedule": {"kind": "cosine", "levels": 10},
             "sampler": {"kind": "mala", "step_size": 0.1, "transitions": 1\(more)}, \(size)}
            """
        let error = #expect(throws: JobError.self) { try ExampleJobs.decode(text) }
        #expect(error?.problems.map(\.pointer) == ["/block"])
        let message = try #require(error?.problems.first?.message)
        #expect(message.contains(fragment), "\(message)")
    }

    @Test(
        "No line of text stretches to more numbers than memory holds",
        arguments: [
            (
                #""a": {"kind": "gaussian_mixture", "shape": [4096], "means": [\#(zeros(5_000))], "std": 1}"#, #""a""#,
                "/models/a/means", "5000 components of 4096 numbers are too many; at most 4096 are possible"
            ),
            (
                #""a": {"kind": "gaussian_mixture", "shape": [4, 1024, 1024], "means": [\#(zeros(5))], "std": 1}"#,
                #""a""#, "/models/a/means", "at most 4 are possible"
            ),
            (
                (0..<3).map { #""m\#($0)": {"kind": "uniform_box", "shape": [4, 1024, 1024], "low": 0, "high": 1}"# }
                    .joined(separator: ", "), #""m0""#, "/models/m2", "have 25165824 numbers"
            ),
            (
                #""a": {"kind": "gaussian", "shape": [4, 1024, 1024], "mean": 0, "std": 1}"#,
                #"{"bounded": {"of": {"bounded": {"of": {"bounded": {"of": "a", "low": 0, "high": 1}}, "low": 0, "high": 1}}, "low": 0, "high": 1}}"#,
                "/target", "has 3 bounded parts; at most 2"
            ),
        ])
    func stretchedTooFar(models: String, target: String, pointer: String, fragment: String) throws {
        let error = #expect(throws: JobError.self) { try Folder().load(models, target: target) }
        #expect(error?.problems.map(\.pointer) == [pointer])
        let message = try #require(error?.problems.first?.message)
        #expect(message.contains(fragment), "\(message)")
    }

    private static func zeros(_ count: Int) -> String { [String](repeating: "0", count: count).joined(separator: ",") }

    @Test("An array file that is not there is no input")
    func absent() throws {
        let error = #expect(throws: JobError.self) {
            try Folder().load(#""a": {"kind": "gaussian", "mean": {"file": "none.npy"}, "std": 1}"#)
        }
        #expect(error?.code == .noInput)
        #expect(error?.description.contains("/models/a/mean/file: ") == true)
        #expect(error?.description.contains("/none.npy: no such file") == true)
    }

    @Test("The picture of samples has the rows and columns that are asked for; the usual ones make no other job")
    func grid() throws {
        let model = #""a": {"kind": "gaussian", "shape": [3, 32, 32], "mean": 0, "std": 0.5}"#
        let plain = try Folder().load(model)
        #expect(plain.pictureLayout?.grid == SheetGrid(rows: 2, columns: 2))
        let usual = try Folder().load(model, more: #", "output": {"formats": ["npy"], "grid": [2, 2]}"#)
        #expect(usual.canonicalText == plain.canonicalText && !plain.canonicalText.contains("grid"))
        let wide = try Folder().load(model, more: #", "output": {"grid": [1, 4]}"#)
        #expect(wide.canonicalText.contains(#""output":{"formats":["npy"],"grid":[1,4]}"#))
        #expect(wide.pictureLayout?.grid == SheetGrid(rows: 1, columns: 4))
        #expect(try Job.decode(Array(wide.canonicalText.utf8), file: "canonical") == wide)
        let points = try Folder().load(#""a": {"kind": "gaussian", "mean": [0, 0], "covariance": [[1, 0], [0, 1]]}"#)
        #expect(points.pictureLayout == nil)
    }

    @Test("Levels of which points are kept stand in the canonical job from the noisiest on, and add an array of blocks")
    func trace() throws {
        let model = #""a": {"kind": "gaussian", "shape": [3, 4, 5], "mean": 0, "std": 0.5}"#
        let plain = try Folder().load(model)
        #expect(plain.trace.isEmpty && !plain.canonicalText.contains("trace"))
        #expect(!plain.statistics.contains { $0.name == "trace" })
        let job = try Folder().load(model, more: #", "output": {"trace": [0, 9, 4]}"#)
        #expect(job.canonicalText.contains(#""output":{"formats":["npy"],"trace":[9,4,0]}"#))
        #expect(try Job.decode(Array(job.canonicalText.utf8), file: "canonical") == job)
        let other = try Folder().load(model, more: #", "output": {"trace": [9, 4, 0]}"#)
        #expect(other.identity == job.identity && job.identity != plain.identity)
        let statistic = try #require(job.statistics.last)
        // Of four chains, not of as many as a block might have.
        #expect(statistic.name == "trace" && statistic.rows == .blocks && statistic.element == .float32)
        #expect(statistic.axis?.lengths == [4, 3, 3, 4, 5])
        #expect(job.mostStateBytes - plain.mostStateBytes >= 4 * 4 * 3 * 60)
    }

    @Test(
        "Levels that chains don't come to, twice the same or too many are refused",
        arguments: [
            ("[3, 10]", "/output/trace", "chains don't come to level 10; take some of 0 to 9"),
            ("[3, 2, 3]", "/output/trace/2", "level 3 is named twice"),
            ("[]", "/output/trace", "must not be empty"), ("[-1]", "/output/trace/0", "from 0"),
            ("3", "/output/trace", "noise levels, such as"),
        ])
    func wrongTrace(levels: String, pointer: String, fragment: String) throws {
        let error = #expect(throws: JobError.self) {
            try Folder().load(
                #""a": {"kind": "gaussian", "shape": [3, 4, 5], "mean": 0, "std": 0.5}"#,
                more: #", "output": {"trace": \#(levels)}"#)
        }
        #expect(error?.problems.map(\.pointer) == [pointer])
        #expect(error?.problems.first?.message.contains(fragment) == true, "\(error?.problems.first?.message ?? "")")
    }

    @Test("Points of so many levels that a block's would take more than 16 MiB are refused")
    func largeTrace() throws {
        let error = #expect(throws: JobError.self) {
            try Folder().load(
                #""a": {"kind": "gaussian", "shape": [3, 512, 512], "mean": 0, "std": 0.5}"#,
                more: #", "block": 2, "output": {"trace": [0, 3, 6]}"#)
        }
        #expect(error?.problems.first?.message.contains("18874368 bytes, more than 16777216") == true)
    }

    @Test("A job that is run first has the same identity whatever the picture of the other")
    func preliminaryGrid() throws {
        let text = """
            {"rrr": 1, "name": "images", "models": {"a": {"kind": "gaussian", "shape": [1, 2, 2], "mean": 0, "std": 1}},
             "target": "a", "schedule": {"kind": "cosine", "levels": 4}, "sampler": {"kind": "mala", "step_size": "tuned"},
             "chains": 4, "output": {"grid": [1, 4]}}
            """
        let job = try Job.decode(Array(text.utf8), file: "job")
        let other = try Job.decode(Array(text.replacing("[1, 4]", with: "[4, 1]").utf8), file: "job")
        #expect(job.identity != other.identity)
        #expect(try #require(job.preliminary).job.identity == #require(other.preliminary).job.identity)
    }
}
