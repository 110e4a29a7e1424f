import Foundation
import Testing

@Suite("The verdict on runs of the real commands", .oneAtATime)
struct DiagnoseCommandTests {
    /// Jobs that end well as far as the pool is concerned, and what is wrong with their samples.
    enum WrongJob: String, CaseIterable {
        case stuck, infinite, fewAncestors, tooShort

        var text: String {
            let (sampler, target, more) = parts
            return """
                {"rrr": 1, "name": "wrong", "seed": 7, "schedule": {"kind": "cosine", "levels": 20},
                 "models": {"wide": {"kind": "gaussian", "mean": [0, 0], "covariance": [[1, 0], [0, 1]]},
                            "narrow": {"kind": "gaussian", "mean": [0, 0], "covariance": [[0.01, 0], [0, 0.01]]},
                            "apart": {"kind": "gaussian", "mean": [3, 3], "covariance": [[0.001, 0], [0, 0.001]]}},
                 "target": \(target), "sampler": {\(sampler)}, \(more)}
                """
        }

        private var parts: (sampler: String, target: String, more: String) {
            switch self {
            case .stuck:
                // A box at fifty standard deviations: the gradient drives every proposal out of it.
                (
                    #""kind": "hmc", "transitions": 5, "step_size": 0.1"#,
                    #"{"bounded": {"of": "wide", "low": [50, -1], "high": [51, 1]}}"#, #""chains": 100"#
                )
            case .infinite:
                // Steps ten times as long as they may be, as often as some chains need to leave single precision.
                (
                    #""kind": "ula", "transitions": 152, "step_size": 0.05, "levels": [0, 0]"#, #""narrow""#,
                    #""chains": 100"#
                )
            case .fewAncestors:
                (
                    #""kind": "mala", "transitions": 1, "step_size": 0.0001, "population": {"threshold": 0.5}"#,
                    #"{"product": ["wide", "apart"]}"#, #""chains": 500"#
                )
            case .tooShort:
                (
                    #""kind": "hmc", "transitions": 2, "step_size": 0.1"#, #""wide""#, #""chains": 4, "draws": 60"#
                )
            }
        }

        var verdict: String {
            switch self {
            case .stuck: "failed: acceptance is 0 at level 0, and below 0.05 at 20 of 20 levels"
            case .infinite: "draws have a coordinate that is not finite: chains ran away"
            case .fewAncestors: "failed: the "
            case .tooShort: "independent ones, fewer than 400: take more draws"
            }
        }
    }

    @Test(
        "A run whose samples are wrong ends with 0 and a verdict that says so, and diagnose ends with 3",
        arguments: WrongJob.allCases)
    func wrong(job: WrongJob) async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let (file, output) = (commands.path("job.json"), commands.path("out"))
        try Data(job.text.utf8).write(to: URL(fileURLWithPath: file))
        let run = try await commands.run(
            "rrr-coordinator", ["submit", file, "--workers", "1", "--output", output], label: "submit")
        #expect(run.status == 0, "\(run.errors)")
        let verdict = run.output.split(separator: "\n").filter { $0.hasPrefix("verdict") }
        #expect(verdict.count == 1)
        #expect(verdict.first?.contains(job.verdict) == true, "\(run.output)")

        let found = try await commands.run("rrr-coordinator", ["diagnose", output], label: "diagnose")
        #expect(found.status == 3)
        let words = try #require(verdict.first).drop { $0 != ":" }
        #expect(found.output.split(separator: "\n").last?.hasSuffix(words) == true, "\(found.output)")
        if job == .fewAncestors { #expect(found.output.contains("FAILED  ancestors")) }
    }

    @Test(
        "A run that is right passes: diagnose ends with 0, and finds in the files what the summary tells",
        arguments: [(draws: 1, sampler: ""), (4, ""), (20, ""), (1, #", "population": {"threshold": 0.5}"#)])
    func right(draws: Int, sampler: String) async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 512, levels: 40, transitions: 6, block: 128, draws: draws, sampler: sampler)
        let output = commands.path("out")
        let run = try await commands.run(
            "rrr-coordinator", ["submit", job, "--workers", "2", "--output", output, "--json"], label: "submit")
        #expect(run.status == 0, "\(run.errors)")
        let found = try await commands.run("rrr-coordinator", ["diagnose", output], label: "diagnose")
        #expect(found.status == 0, "\(found.output)")
        #expect(found.output.split(separator: "\n").last?.hasPrefix("verdict  passed: ") == true)

        let told = try await commands.run("rrr-coordinator", ["diagnose", output, "--json"], label: "json")
        #expect(told.status == 0)
        let summary = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
        let diagnostics = try #require(summary?["diagnostics"] as? NSDictionary)
        #expect(try JSONSerialization.jsonObject(with: Data(told.output.utf8)) as? NSDictionary == diagnostics)
        #expect(diagnostics["version"] as? Int == 1 && diagnostics["verdict"] as? String == "passed")
        let variables = try #require(diagnostics["variables"] as? [[String: Any]])
        #expect(variables.compactMap { $0["name"] as? String } == ["log_density", "x[0]", "x[1]", "norm"])
        #expect(variables.allSatisfy { ($0["r_hat"] is NSNull) == (draws < 20) })
    }

    @Test("A finished run is drawn in its folder or another, and stays what it was")
    func plots() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 64, levels: 3, draws: 6)
        let output = commands.path("out")
        _ = try await commands.run(
            "rrr-coordinator", ["submit", job, "--workers", "1", "--output", output], label: "run")
        func plot(_ arguments: [String], _ label: String) async throws -> Commands.Ending {
            try await commands.run("rrr-coordinator", ["plot"] + arguments, label: label)
        }
        let names = ["plot-samples.svg", "plot-levels.svg", "plot-draws.svg"]
        for (label, arguments, folder) in [
            ("here", [output], output), ("again", [output, "--job", job], output),
            ("there", [output, "--output", commands.path("")], commands.path("")),
        ] {
            let ending = try await plot(arguments, label)
            #expect(ending.status == 0, "\(ending.errors)")
            let paths = ending.output.split(separator: "\n").map(String.init)
            #expect(paths.map { $0.split(separator: "/").last.map(String.init) } == names)
            for path in paths {
                let text = try String(contentsOfFile: path, encoding: .utf8)
                #expect(text.hasPrefix("<svg ") && text.hasSuffix("</svg>\n"), "\(folder)")
            }
        }
        #expect(try String(contentsOfFile: output + "/" + names[0], encoding: .utf8).contains("lines hold 50"))
        let other = try commands.job(chains: 65, levels: 3, draws: 6)
        let wrong = try await plot([output, "--job", other], "wrong")
        #expect(wrong.status == 65 && wrong.errors.contains("is another job"), "\(wrong.errors)")
        #expect(try await plot([commands.path("none")], "none").status == 66)
        #expect(try await plot([output, "--output", commands.path("none")], "nowhere").status == 73)
        #expect(try await commands.run("rrr-coordinator", ["diagnose", output], label: "diagnose").status != 65)
    }

    @Test("A folder without a run ends diagnose with 66, a damaged run with 65")
    func noRun() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let none = try await commands.run("rrr-coordinator", ["diagnose", commands.path("none")], label: "none")
        #expect(none.status == 66)
        let empty = try await commands.run("rrr-coordinator", ["diagnose", commands.path("")], label: "empty")
        #expect(empty.status == 66)
        #expect(empty.errors.contains("holds no finished run"), "\(empty.errors)")
        let job = try commands.job(chains: 64, levels: 3)
        let output = commands.path("out")
        _ = try await commands.run(
            "rrr-coordinator", ["submit", job, "--workers", "1", "--output", output], label: "run")
        let samples = URL(fileURLWithPath: output + "/samples.npy")
        try (try Data(contentsOf: samples) + Data([0])).write(to: samples)
        let damaged = try await commands.run("rrr-coordinator", ["diagnose", output], label: "damaged")
        #expect(damaged.status == 65)
        #expect(damaged.errors.contains("samples.npy"), "\(damaged.errors)")
    }
}
