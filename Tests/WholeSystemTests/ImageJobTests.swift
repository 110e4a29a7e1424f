import ContentHash
import Foundation
import Pictures
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
            let picture = try Data(contentsOf: URL(fileURLWithPath: output + "/samples.png"))
            all.insert(try commands.bytes(of: output) + [SHA256.hash(of: Array(picture)).hex])
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
        try Self.checkPicture(output, samples.all())
    }

    /// The last draws of the 48 chains, of 8 x 8 pixels enlarged 16 times, 8 in each row with 2 white pixels around each.
    private static func checkPicture(_ output: String, _ samples: [Float]) throws {
        let image = try PNGImage(decoding: Array(Data(contentsOf: URL(fileURLWithPath: output + "/samples.png"))))
        #expect(image.width == 8 * 130 + 2 && image.height == 8 * 130 + 2 && image.channels == 3)
        var wrong = 0
        for y in 0..<image.height {
            for x in 0..<image.width {
                let (cell, dy, dx) = (y / 130 * 8 + x / 130, y % 130 - 2, x % 130 - 2)
                for channel in 0..<3 {
                    let byte = Double(image.bytes[(y * image.width + x) * 3 + channel])
                    var tone = 255.0
                    if dy >= 0, dx >= 0, cell < 48 {
                        let place = (cell * 2 + 1) * pixels + channel * 64 + dy / 16 * 8 + dx / 16
                        tone = 127.5 * (Double(min(max(samples[place], -1), 1)) + 1)
                    }
                    if abs(byte - tone) > 0.501 { wrong += 1 }
                }
            }
        }
        #expect(wrong == 0)
    }

    @Test("Other sheets are made of a finished run, which stays what it was")
    func sheets() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try Self.job(in: commands, block: 8)
        let output = commands.path("out")
        let run = try await commands.run(
            "rrr-coordinator", ["submit", job, "--workers", "2", "--output", output], label: "submit")
        #expect(run.status == 0, "\(run.errors)")
        func picture(_ arguments: [String], _ label: String) async throws -> Commands.Ending {
            try await commands.run("rrr-coordinator", ["picture", output] + arguments, label: label)
        }
        let sheet = try await picture(["--grid", "3", "4", "--by", "acceptance", "--descending"], "sheet")
        #expect(sheet.status == 0, "\(sheet.errors)")
        #expect(sheet.output == output + "/picture.png\n")
        let image = try PNGImage(decoding: Array(Data(contentsOf: URL(fileURLWithPath: output + "/picture.png"))))
        #expect(image.width == 4 * 130 + 2 && image.height == 3 * 130 + 2)
        let draws = try await picture(
            ["--chains", "0-2,40", "--draws", "0-1", "--out", commands.path("draws.png")], "draws")
        #expect(draws.status == 0, "\(draws.errors)")
        let rows = try PNGImage(decoding: Array(Data(contentsOf: URL(fileURLWithPath: commands.path("draws.png")))))
        #expect(rows.width == 2 * 130 + 2 && rows.height == 4 * 130 + 2)
        let wrong: [([String], Int32, String)] = [
            (["--output", output + "/samples.png"], 73, "a file of the run itself"),
            (["--output", job], 73, "no PNG file"), (["--chains", "48"], 65, "has no chain 48"),
            (["--chains", "3-1"], 64, "chains"), (["--grid", "3"], 64, "--grid takes rows and columns"),
            (["--by", "beauty"], 64, "log_density"), (["--by", "label"], 64, "several folders"),
            ([commands.path("cache"), "--output", commands.path("x.png")], 66, "no finished run"),
        ]
        for (number, (arguments, status, words)) in wrong.enumerated() {
            let ending = try await picture(arguments, "wrong\(number)")
            #expect(ending.status == status && ending.errors.contains(words), "\(arguments): \(ending.errors)")
        }
        // Once more: its files are found to be what they were.
        let again = try await commands.run(
            "rrr-coordinator", ["submit", job, "--workers", "2", "--output", output], label: "again")
        #expect(again.status == 0 && again.output.contains("48 x 2 x 3 x 8 x 8"), "\(again.errors)")
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
