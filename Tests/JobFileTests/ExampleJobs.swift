import Foundation
import JobFile

/// Jobs that the tests read, and the folders of this test target.
enum ExampleJobs {
    /// The smallest job: only what has no default.
    static let smallest = """
        {
          "rrr": 1,
          "name": "bar",
          "models": { "bar": { "kind": "uniform_box", "low": [-0.2, -1.0], "high": [0.2, 1.0] } },
          "target": "bar",
          "sampler": { "kind": "ula", "step_size": 0.01 },
          "chains": 100
        }
        """

    /// Every kind of model, every operator, and every option that there is.
    static let everything = """
        {
          "rrr": 1, "name": "every-thing-1", "seed": "18446744073709551615",
          "models": {
            "ring": { "kind": "gaussian_mixture", "means": [[0.5, 0.0], [0.0, 0.5]], "std": [0.03, [0.1, 0.2]] },
            "bar": { "kind": "uniform_box", "low": [-0.2, -1.0], "high": [0.2, 1.0] },
            "blob é/~": { "kind": "gaussian", "mean": [1e-3, -0.0], "covariance": [[1, 0.5], [0.5, 1]] }
          },
          "target": {
            "product": [
              { "mixture": ["ring", "bar"], "weights": [1, 2.5], "log_normalizers": [0, -0.25] },
              { "mixture": ["ring", {"bounded": { "of": "bar", "low": [-1, -1], "high": [1, 1] }}], "sharpness": 3.5 },
              { "negation": { "of": "ring", "by": { "tempered": { "of": "bar", "temperature": 2 } }, "weight": 0.3 } },
              { "guidance": { "unconditional": "ring", "conditional": ["bar", "blob é/~"], "scale": 4 } }
            ],
            "weights": [1, 0.5, 1e-7, -0.3]
          },
          "schedule": { "kind": "linear", "levels": 4 },
          "sampler": {
            "kind": "uhmc", "transitions": 7, "leapfrog": 4, "damping": 0.9, "mass": [1, 2, 3, 4],
            "step_size": { "beta_power": [0.1, 0.5] }, "reverse_steps": true, "levels": [0, 2]
          },
          "chains": 2000, "draws": 3, "thin": 5, "block": 100, "output": { "formats": ["npy"] }
        }
        """

    /// One job for each kernel.
    static let kernels = [
        #"{ "kind": "reverse" }"#,
        #"{ "kind": "reverse", "denoise": true }"#,
        #"{ "kind": "ula", "step_size": 0.01, "transitions": 3 }"#,
        #"{ "kind": "mala", "step_size": { "beta_power": [2, -1.5] }, "acceptance": "energy" }"#,
        #"{ "kind": "uhmc", "step_size": 0.01, "damping": 0, "mass": { "beta_power": [1, 0.5] } }"#,
        #"{ "kind": "hmc", "step_size": 1e-3, "levels": [10, 20], "reverse_steps": true }"#,
        #"{ "kind": "mala", "step_size": 0.01, "acceptance": "line" }"#,
        #"{ "kind": "hmc", "step_size": 0.01, "acceptance": { "line": { "points": 64 } } }"#,
        #"{ "kind": "hmc", "step_size": 0.01, "acceptance": "path" }"#,
    ].map { smallest.replacing(#"{ "kind": "ula", "step_size": 0.01 }"#, with: $0) }

    /// Points of three axes, of which all numbers but a few are stretched.
    static let images = """
        {
          "rrr": 1, "name": "images", "seed": 1,
          "models": {
            "light": { "kind": "gaussian", "shape": [3, 2, 2], "mean": 0.5, "std": 0.25 },
            "two": { "kind": "gaussian_mixture", "shape": [3, 2, 2], "weights": [1, 2], "std": [0.5, 1],
                     "means": [-0.5, [[[0, 1], [2, 3]], [[4, 5], [6, 7]], [[8, 9], [0.5, 1.5]]]] },
            "range": { "kind": "uniform_box", "shape": [3, 2, 2], "low": -1, "high": 1 }
          },
          "target": { "bounded": { "of": { "product": ["light", "two", "range"] }, "low": -2, "high": 2 } },
          "sampler": { "kind": "mala", "step_size": 0.01 }, "chains": 10
        }
        """

    /// All of the above.
    static let valid = [smallest, everything, images] + kernels

    static let malformedFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Malformed")

    static func decode(_ text: String) throws(JobError) -> Job { try Job.decode(Array(text.utf8), file: "job.json") }
}
