import Foundation
import JobFile
import Testing

@Suite("Targets that can't be normalised")
struct NormalizationTests {
    private static func text(_ target: String, key: String = "", sampler: String = #""kind": "hmc""#) -> String {
        """
        {"rrr": 1, "name": "tails",
         "models": {"wide": {"kind": "gaussian", "mean": [0, 0], "covariance": [[1, 0], [0, 1]]},
                    "narrow": {"kind": "gaussian_mixture", "means": [[0.5, 0]], "std": 0.1}},
         "target": \(target), "schedule": {"kind": "cosine", "levels": 20},
         "sampler": {\(sampler), "step_size": 0.03}, "chains": 8\(key)}
        """
    }

    private static let rising = #"{"negation": {"of": "wide", "by": "narrow", "weight": 0.3}}"#

    @Test("each is refused at its place, with the total weight and what to do")
    func refusal() throws {
        let error = try #require(#expect(throws: JobError.self) { try ExampleJobs.decode(Self.text(Self.rising)) })
        #expect(error.exitStatus == 65)
        #expect(
            error.description
                == "job.json:4: /target: can't be normalised: its total weight is 0.7, and at level 0 its log density does "
                + "not fall far out along axis 0; put \"bounded\" around it, use smaller negative weights, or add "
                + "\"allow_unnormalized\": true to the job")
    }

    @Test("bounds, a smaller weight, noisier levels alone, or leave make it a job")
    func ways() throws {
        for text in [
            Self.text(#"{"bounded": {"of": \#(Self.rising), "low": [-2, -2], "high": [2, 2]}}"#),
            Self.text(Self.rising.replacing("0.3", with: "0.01")),
            Self.text(Self.rising, sampler: #""kind": "hmc", "levels": [18, 19]"#),
            Self.text(Self.rising, key: #", "allow_unnormalized": true"#),
        ] {
            #expect(throws: Never.self) { try ExampleJobs.decode(text) }
        }
        // An ancestral step into each level visits them all.
        let stepping = Self.text(Self.rising, sampler: #""kind": "hmc", "levels": [18, 19], "reverse_steps": true"#)
        #expect(throws: JobError.self) { try ExampleJobs.decode(stepping) }
    }

    @Test("levels below 0 are looked at where chains are refined")
    func refined() throws {
        let target = Self.rising.replacing("0.3", with: "0.05")
        let few = Self.text(target).replacing("\"levels\": 20", with: "\"levels\": 5")
        #expect(throws: Never.self) { try ExampleJobs.decode(few) }
        let refined = few.replacing("\"step_size\"", with: "\"refine\": {\"levels\": 2}, \"step_size\"")
        let error = #expect(throws: JobError.self) { try ExampleJobs.decode(refined) }
        #expect(error?.description.contains("at level -2 its log density does not fall far out") == true)
        // A box that takes part is where all density is.
        let boxed = refined.replacing(target, with: "{\"product\": [\"bar\", \(target)]}").replacing(
            "\"models\": {",
            with: "\"models\": {\"bar\": {\"kind\": \"uniform_box\", \"low\": [0, 0], \"high\": [1, 1]}, ")
        #expect(throws: Never.self) { try ExampleJobs.decode(boxed) }
    }

    @Test("leave is a part of the job where it is given, and leaves no trace where it is not")
    func canonical() throws {
        let plain = try ExampleJobs.decode(Self.text("\"wide\""))
        let denied = try ExampleJobs.decode(Self.text("\"wide\"", key: #", "allow_unnormalized": false"#))
        let allowed = try ExampleJobs.decode(Self.text("\"wide\"", key: #", "allow_unnormalized": true"#))
        #expect(denied.canonicalText == plain.canonicalText)
        #expect(!plain.canonicalText.contains("allow_unnormalized"))
        #expect(allowed.canonicalText.hasPrefix(#"{"allow_unnormalized":true,"block":64,"#))
        #expect(allowed.identity != plain.identity)
        let rising = try ExampleJobs.decode(Self.text(Self.rising, key: #", "allow_unnormalized": true"#))
        #expect(rising.allowsUnnormalized)
        #expect(try ExampleJobs.decode(rising.canonicalText) == rising)
    }

    @Test("many levels and many parts are looked at in no time", .timeLimit(.minutes(1)))
    func large() throws {
        let factors = [String](repeating: "\"wide\"", count: 200_000).joined(separator: ",")
        let weights = [String](repeating: "1", count: 199_999).joined(separator: ",")
        let text = Self.text("{\"product\": [\(factors)], \"weights\": [\(weights),-200000]}")
            .replacing("\"levels\": 20", with: "\"levels\": 65535")
        var refusal: JobError?
        do throws(JobError) { _ = try ExampleJobs.decode(text) } catch { refusal = error }
        #expect(refusal?.description.contains("its total weight is -1, and at level 0") == true)
    }

    @Test("every example can be normalised")
    func examples() throws {
        let folder = ExampleJobs.malformedFolder.appendingPathComponent("../../../Examples")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }
        #expect(names.count >= 12)
        for name in names {
            #expect(throws: Never.self) { try Job.load(path: folder.appendingPathComponent(name).path) }
        }
    }
}
