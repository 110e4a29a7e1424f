import JobFile
import Testing

private let exact = """
    "ring": { "kind": "gaussian_mixture", "means": [[0.5, 0.0]], "std": 0.1 },
    "left": { "kind": "uniform_box", "low": [-0.3, -1], "high": [-0.1, 1] },
    "right": { "kind": "uniform_box", "low": [0.1, -1], "high": [0.3, 1] }
    """

private func warnings(target: String, sampler: String = #"{ "kind": "mala", "step_size": 0.01 }"#) throws -> [String] {
    try ExampleJobs.decode(
        """
        { "rrr": 1, "name": "warned", "models": { \(exact) }, "target": \(target), "schedule": { "kind": "cosine",
          "levels": 4 }, "sampler": \(sampler), "chains": 10, "allow_unnormalized": true }
        """
    ).warnings
}

@Suite("What a job itself gives reason to doubt")
struct JobWarningTests {
    @Test(
        "Components of a mixture without a normaliser are named",
        arguments: [
            (#"{"mixture": [{"product": ["ring", "left"]}, "right"]}"#, "its components a product are known"),
            (
                #"{"mixture": [{"bounded": {"of": "ring", "low": [0, 0], "high": [1, 1]}}, {"tempered": {"of": "ring", "temperature": 2}}]}"#,
                "a bounded part, a tempering"
            ),
            (
                #"{"product": ["ring", {"mixture": [{"negation": {"of": "ring", "by": "left", "weight": 1}}, "left"]}]}"#,
                "a negation"
            ),
            (#"{"mixture": [{"product": ["ring", "left"]}, "right"], "sharpness": 2}"#, "a product"),
        ])
    func normalizers(target: String, fragment: String) throws {
        let found = try warnings(target: target)
        #expect(found.count == 1)
        #expect(found.first?.contains(fragment) == true, "\(found)")
        #expect(found.first?.contains("\"estimate\"") == true)
    }

    @Test(
        "No word of exact models, of normalisers that are given or estimated, and of boxes that meet",
        arguments: [
            #""ring""#, #"{"mixture": ["left", "right"]}"#,
            #"{"mixture": [{"mixture": ["left", "ring"]}, {"product": ["right"]}]}"#,
            #"{"mixture": [{"product": ["ring", "left"]}, "right"], "log_normalizers": [-1.5, 0]}"#,
            #"{"mixture": [{"product": ["ring", "left"]}, "right"], "log_normalizers": ["estimate", 0]}"#,
            #"{"product": ["ring", "left"]}"#, #"{"negation": {"of": "left", "by": "right", "weight": 0.3}}"#,
            #"{"product": ["left", "right"], "weights": [1, 0]}"#,
            #"{"mixture": ["left", "right", "ring"]}"#,
        ])
    func silence(target: String) throws {
        #expect(try warnings(target: target) == [])
    }

    @Test("Boxes that have nothing in common leave no density without noise")
    func gap() throws {
        let found = try warnings(target: #"{"product": ["left", "right"]}"#)
        #expect(found.count == 1)
        #expect(found.first?.contains("nothing in common") == true)
    }
}
