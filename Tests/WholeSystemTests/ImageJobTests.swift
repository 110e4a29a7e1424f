import ContentHash
import Foundation
import RunFolder
import Testing

@Suite("Jobs of images through the whole pool", .oneAtATime, .serialized)
struct ImageJobTests {
    private static let shape = [3, 8, 8]
    private static let pixels = 192

    /// Pictures whose pixels, between -0.9 and 0.9, follow no pattern: [count, 3, 8, 8].
    private static func pictures(_ count: Int) -> [Float] {
        (0..<count * pixels).map { Float(0.9 * sin(1.7 * Double($0 + 1))) }
    }

    /// A mixture of pictures of standard deviation 0.2 times a Gaussian of standard deviation 0.5.
    private static func job(in commands: Commands, block: Int) throws -> String {
        var array = try ArrayStaging(
            folder: commands.path("."), name: "templates.npy", elementType: .float32, shape: [4] + shape)
        try array.write(pictures(4), atRow: 0)
        try array.finish()
        let text = """
            {"rrr": 1, "name": "pictures", "seed": 5,
             "models": {"pictures": {"kind": "gaussian_mixture", "means": {"file": "templates.npy"}, "std": 0.2},
                        "dark": {"kind": "gaussian", "shape": [3, 8, 8], "mean": 0, "std": 0.5}},
             "target": {"product": ["pictures", "dark"]}, "schedule": {"kind": "cosine", "levels": 20},
             "sampler": {"kind": "hmc", "step_size": {"beta_power": [0.25, 0.5]}, "transitions": 6, "leapfrog": 4},
             "chains": 48, "draws": 2, "thin": 4, "block": \(block)}
            """
        let job = commands.path("job.json")
        try Data(text.utf8).write(to: URL(fileURLWithPath: job))
        return job
    }

    @Test("1 and 3 workers, to which the pictures travel, give the same bytes, and those follow the exact law")
    func pictures() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try Self.job(in: commands, block: 8)
        var all: Set<[String]> = []
        for workers in [1, 3] {
            let output = commands.path("out\(workers)")
            let ending = try await commands.run(
                "rrr-coordinator", ["submit", job, "--workers", "\(workers)", "--output", output], label: "w\(workers)")
            #expect(ending.status == 0, "\(ending.errors)")
            #expect(ending.output.contains("48 x 2 x 3 x 8 x 8"))
            all.insert(try commands.bytes(of: output))
        }
        #expect(all.count == 1)
        let digest = try SHA256.hash(ofFile: commands.path("templates.npy"))
        let cached = try FileManager.default.contentsOfDirectory(atPath: commands.path("cache/rrr/models"))
        #expect(cached.contains { $0.hasPrefix(digest.hex) })

        let output = commands.path("out1")
        let summary = try RunFolder.summary(in: output)
        #expect(summary.shape == Self.shape)
        let samples = try NpyReader(path: output + "/samples.npy")
        #expect(samples.header.shape == [48, 2] + Self.shape)
        try Self.check(samples.all())
    }

    /// At level 0 the target is a mixture of Gaussians with the means w a m / (v + w) for pictures m, a the signal, and the
    /// variance v w / (v + w), where v and w are the noised variances of the two factors.
    private static func check(_ draws: [Float]) throws {
        // The cosine schedule with 20 levels.
        func square(_ u: Double) -> Double {
            let c = cos((u / 20 + 0.008) / 1.008 * .pi / 2)
            return c * c
        }
        let signal = square(1) / square(0)
        let (v, w) = (signal * 0.04 + 1 - signal, signal * 0.25 + 1 - signal)
        let pictures = pictures(4).map { Double($0) * signal.squareRoot() * w / (v + w) }
        var sum = 0.0
        for start in stride(from: 0, to: draws.count, by: pixels) {
            let squares = (0..<4).map { picture in
                (0..<pixels).reduce(0.0) {
                    let difference = Double(draws[start + $1]) - pictures[picture * pixels + $1]
                    return $0 + difference * difference
                }
            }
            sum += squares.min() ?? .infinity
        }
        // A mean of 96 x 192 squares has a standard deviation of 1 % were they independent.
        let ratio = sum / Double(draws.count) / (v * w / (v + w))
        #expect(abs(ratio - 1) < 0.05, "\(ratio)")
    }
}
