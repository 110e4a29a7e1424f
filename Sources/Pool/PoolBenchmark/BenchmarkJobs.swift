import JobFile

/// The benchmark's jobs, no two of them the same.
struct BenchmarkJobs {
    private var seed = 0

    /// Next to no work: chains of one number, one level, the plain reverse process.
    mutating func empty(blocks: Int, block: Int = 1) throws -> Job {
        try job(
            model: #"{"kind": "gaussian", "mean": [0], "covariance": [[1]]}"#, sampler: #"{"kind": "reverse"}"#,
            size: #""chains": \#(blocks * block), "block": \#(block)"#)
    }

    /// Results of 64 chains x 3 draws x 64 x 64 float32: 3.1 MB.
    mutating func large(blocks: Int) throws -> Job {
        try job(
            model: #"{"kind": "gaussian_mixture", "shape": [\#(Self.largeDimension)], "means": [0], "std": 1}"#,
            sampler: #"{"kind": "ula", "step_size": 0.1, "transitions": 1}"#,
            size: #""chains": \#(blocks * 64), "draws": 3, "block": 64"#)
    }

    private static let largeDimension = 64 * 64
    /// Bytes of the samples of a block of ``large(blocks:)``.
    static let largeBytes = 64 * 3 * largeDimension * 4

    private mutating func job(model: String, sampler: String, size: String) throws -> Job {
        seed += 1
        let text = """
            {"rrr": 1, "name": "benchmark", "seed": \(seed), "models": {"m": \(model)}, "target": "m",
             "schedule": {"kind": "cosine", "levels": 1}, "sampler": \(sampler), \(size)}
            """
        return try Job.decode(Array(text.utf8), file: "the benchmark's job")
    }
}
