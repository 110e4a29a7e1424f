import ContentHash
import Foundation
import Testing

@testable import RunFolder

private let full = RunSummary(
    jobHash: "00ff", name: "ring-and-bar", chains: 2000, draws: 1, shape: [2], acceptanceMean: 0.875,
    acceptancePerLevel: [nil, 0.75, 1], stepSize: [nil, 0.03, 0.0625], gradientEvaluations: 6_000_000, divergences: 3,
    logNormalizer: RunSummary.LogNormalizer(estimate: -1.5, standardError: 0.01, perLevel: [-1.5, nil, 0.25]),
    population: RunSummary.PopulationWorth(effectiveSize: 1234.5, distinctChains: 1700, ancestors: 900),
    preliminaries: [
        RunSummary.PreliminaryRun(
            jobHash: "0a", name: "normalizer", gradientEvaluations: 30, component: "\"bar\"",
            logNormalizer: RunSummary.LogNormalizer(estimate: 0.5, standardError: nil, perLevel: [0.5, nil, 1])),
        RunSummary.PreliminaryRun(
            jobHash: "0b", name: "pilot", gradientEvaluations: 12, component: nil, logNormalizer: nil),
    ],
    logDensity: RunSummary.LogDensity(mean: -2.25, standardDeviation: 0.5),
    warnings: ["3 proposals diverged", "few \"ancestors\""], samplesSHA256: "abcd")

private let empty = RunSummary(
    jobHash: "00ff", name: "ancestral", chains: 1, draws: 1, shape: [2], acceptanceMean: nil,
    acceptancePerLevel: [nil, nil], stepSize: [nil, nil], gradientEvaluations: 0, divergences: 0,
    logDensity: RunSummary.LogDensity(mean: nil, standardDeviation: nil), samplesSHA256: "abcd")

private let fullText = """
    {
      "version": 1,
      "job": "00ff",
      "name": "ring-and-bar",
      "chains": 2000,
      "draws": 1,
      "shape": [2],
      "acceptance": {
        "mean": 0.875,
        "per_level": [null, 0.75, 1]
      },
      "step_size": [null, 0.03, 0.0625],
      "gradient_evaluations": 6000000,
      "divergences": 3,
      "non_finite_draws": 0,
      "log_normalizer": {
        "estimate": -1.5,
        "standard_error": 0.01,
        "per_level": [-1.5, null, 0.25]
      },
      "population": {
        "effective_size": 1234.5,
        "distinct_chains": 1700,
        "ancestors": 900
      },
      "preliminary": [
        {
          "job": "0a",
          "name": "normalizer",
          "gradient_evaluations": 30,
          "component": "\\"bar\\"",
          "log_normalizer": {
            "estimate": 0.5,
            "standard_error": null,
            "per_level": [0.5, null, 1]
          }
        },
        {
          "job": "0b",
          "name": "pilot",
          "gradient_evaluations": 12
        }
      ],
      "log_density": {
        "mean": -2.25,
        "standard_deviation": 0.5
      },
      "warnings": ["3 proposals diverged", "few \\"ancestors\\""],
      "samples_sha256": "abcd"
    }

    """

/// The same text with the SHA-256 of all that is in it at its end.
private func sealed(_ text: String) -> String {
    let content = text.dropLast(3)
    return "\(content),\n  \"content_sha256\": \"\(SHA256.hash(of: Array(content.utf8)).hex)\"\n}\n"
}

@Suite("Summaries of runs")
struct RunSummaryTests {
    @Test("The text has the names of the format, in its order")
    func text() throws {
        #expect(full.json == sealed(fullText))
        var summary = full
        summary.statisticsSHA256 = "ef01"
        let more = fullText.replacing("\"abcd\"", with: "\"abcd\",\n  \"statistics_sha256\": \"ef01\"")
        #expect(summary.json == sealed(more))
        #expect(try RunSummary(json: Array(summary.json.utf8)) == summary)
        summary.pictureSHA256 = "12ab"
        #expect(summary.json == sealed(more.replacing("\"ef01\"", with: "\"ef01\",\n  \"picture_sha256\": \"12ab\"")))
        #expect(try RunSummary(json: Array(summary.json.utf8)) == summary)
    }

    @Test(
        "A later program's names are read where it has sealed them, and a text without the seal that it had is refused")
    func lostSeal() throws {
        let more = fullText.replacing("\"abcd\"", with: "\"abcd\",\n  \"statistics_sha256\": \"ef01\", \"more\": 1")
        #expect(try RunSummary(json: Array(sealed(more).utf8)).statisticsSHA256 == "ef01")
        for text in [more, sealed(more).replacing("0.0625", with: "0.0635"), sealed(more) + "\n"] {
            let error = failure { () throws(RunFolderError) in _ = try RunSummary(json: Array(text.utf8)) }
            #expect(error?.code == .malformed)
            #expect(error?.reason.contains("its SHA-256 is another") == true)
        }
    }

    @Test("A summary reads back from its text", arguments: [full, empty])
    func roundTrip(summary: RunSummary) throws {
        #expect(try RunSummary(json: Array(summary.json.utf8)) == summary)
    }

    @Test(
        "Names that a later program may write are passed over",
        arguments: ["\"draws\": 1", "\"mean\": 0.875", "\"job\": \"0a\"", "\"ancestors\": 900", "\"mean\": -2.25"])
    func unknownNames(member: String) throws {
        let text = fullText.replacing(member, with: "\(member), \"extra\": {\"of\": [1]}", maxReplacements: 1)
        #expect(text != fullText)
        #expect(try RunSummary(json: Array(text.utf8)) == full)
    }

    @Test("A summary of a program that knew no version and no warnings is read")
    func older() throws {
        let lines = fullText.split(separator: "\n").filter { !$0.contains("version") && !$0.contains("warnings") }
        var expected = full
        expected.warnings = []
        #expect(try RunSummary(json: Array(lines.joined(separator: "\n").utf8)) == expected)
    }

    private static let diagnosed = {
        var summary = full
        summary.diagnostics = RunDiagnostics(
            chains: 20, draws: 100,
            variables: [
                RunDiagnostics.Variable(
                    name: "x[0]", mean: 0.5, standardDeviation: 2, meanError: 0.1, deviationError: 0.05,
                    bulkSize: 410.5,
                    tailSize: 390.25, rHat: 1.005),
                RunDiagnostics.Variable(name: "norm"),
            ],
            checks: [
                RunDiagnostics.Check(name: "acceptance", value: 0.75, limit: 0.05, passes: true, text: "it is high"),
                RunDiagnostics.Check(name: "r_hat", value: nil, limit: 1.01, passes: false, text: "chains stand still"),
                RunDiagnostics.Check(name: "drift", value: 0.5, limit: 0.1, passes: false, text: "chains move"),
            ])
        return summary
    }()

    @Test("Diagnostics are written beside the other names, and read back")
    func diagnostics() throws {
        let summary = Self.diagnosed
        #expect(try RunSummary(json: Array(summary.json.utf8)) == summary)
        let text = summary.json
        #expect(text.contains("\"diagnostics\": {\n    \"version\": 1,\n    \"verdict\": \"failed\","))
        // Without them it is what it was.
        let start = try #require(text.firstRange(of: "  \"diagnostics\"")).lowerBound
        let end = try #require(text.firstRange(of: "  \"samples_sha256\"")).lowerBound
        let rest = String(text[..<start] + text[end...])
        #expect(rest.prefix(fullText.count - 3) == fullText.dropLast(3))
    }

    @Test("Diagnostics of a later version are passed over, damaged ones refused")
    func foreignDiagnostics() throws {
        func unsealed(_ old: String, _ new: String) throws -> [UInt8] {
            var lines = Self.diagnosed.json.replacing(old, with: new).split(separator: "\n")
            lines.removeAll { $0.contains("content_sha256") }
            return Array(lines.joined(separator: "\n").replacing("\"abcd\",", with: "\"abcd\"").utf8)
        }
        let later = try unsealed("\"version\": 1,\n    \"verdict\"", "\"version\": 2,\n    \"verdict\"")
        #expect(try RunSummary(json: later) == full)
        let damaged = try unsealed("\"passes\": true", "\"passes\": 1")
        let error = failure { () throws(RunFolderError) in _ = try RunSummary(json: damaged) }
        #expect(error?.reason.contains("/diagnostics/checks/0/passes: expected true or false") == true)
    }

    @Test("The verdict is the last line of the table, and the last of the diagnostics' own")
    func verdict() {
        let diagnostics = Self.diagnosed.diagnostics
        let line = "failed: chains stand still (and 1 more check fails)"
        #expect(Self.diagnosed.text.hasSuffix("few \"ancestors\"\nverdict         \(line)\n"))
        #expect(
            diagnostics?.text == """
                20 chains of 100 draws

                      mean  sd  mcse_mean  mcse_sd  ess_bulk  ess_tail  r_hat
                x[0]   0.5   2        0.1     0.05     410.5     390.3  1.005
                norm     -   -          -        -         -         -      -

                passed  acceptance  it is high
                FAILED  r_hat       chains stand still
                FAILED  drift       chains move

                verdict  \(line)

                """)
    }

    @Test("Numbers that are not finite become null")
    func notFinite() throws {
        var summary = full
        summary.acceptanceMean = .nan
        summary.stepSize = [.infinity, 1, 2]
        let read = try RunSummary(json: Array(summary.json.utf8))
        #expect(read.acceptanceMean == nil)
        #expect(read.stepSize == [nil, 1, 2])
    }

    @Test(
        "A text that is not a summary is refused with the line and the place",
        arguments: [
            ("{", "", "line 2, column 12: "),
            ("\"name\": \"ring-and-bar\",\n", "", "the name \"name\" is missing"),
            ("\"version\": 1", "\"version\": 2", "line 2, /version: version 2 of the format"),
            ("\"version\": 1", "\"version\": \"1\"", "/version: expected a whole number"),
            ("\"few \\\"ancestors\\\"\"", "7", "/warnings/1: expected a string"),
            ("\"draws\": 1", "\"draws\": 1.5", "line 6, /draws: expected a whole number"),
            ("\"draws\": 1", "\"draws\": -1", "/draws"),
            ("[null, 0.75, 1]", "[null, \"x\", 1]", "/acceptance/per_level/1: expected a number or null"),
            ("[null, 0.03, 0.0625]", "[null, 1e999, 1]", "/step_size/1: expected a finite number"),
            ("[2]", "2", "/shape: expected an array, found a number"),
            ("\"00ff\"", "17", "/job: expected a string"),
            ("\"mean\": -2.25,", "", "/log_density: the name \"mean\" is missing"),
            ("\"standard_error\"", "\"error\"", "/log_normalizer"),
            ("\"distinct_chains\"", "\"chains\"", "/population"),
        ])
    func refusals(old: String, new: String, reason: String) throws {
        let range = try #require(fullText.firstRange(of: old))
        let text = fullText.replacingCharacters(in: range, with: new)
        let error = failure { () throws(RunFolderError) in _ = try RunSummary(json: Array(text.utf8), path: "s.json") }
        #expect(error?.code == .malformed)
        #expect(error?.path == "s.json")
        #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "read")")
    }

    @Test("The table for people is aligned and gives units and definitions")
    func table() {
        #expect(
            full.text == """
                run             ring-and-bar
                job             00ff
                samples         2000 x 1 x 2    chains x draws x shape, float32
                acceptance      0.875           mean over chains and levels; lowest 0.75 at level 1
                step size       0.03 to 0.0625  over the levels with transitions
                gradients       6000000         gradient evaluations, all chains
                divergences     3               divergent transitions, all chains
                before          42              gradient evaluations of jobs that were run first: normalizer, pilot
                log normalizer  -1.5 ± 0.01     nats, estimate ± standard error
                effective size  1235            equally weighted samples that the weighted chains are worth
                distinct        1700            chains among the samples, once or more
                ancestors       900             chains of the start that they descend from
                log density     -2.25 ± 0.5     nats, mean ± standard deviation over chains, last level
                SHA-256         abcd            samples.npy
                warning         3 proposals diverged
                warning         few "ancestors"

                """)
        #expect(empty.text.contains("acceptance   -          no transitions ran\n"))
        var unadjusted = full
        (unadjusted.acceptanceMean, unadjusted.acceptancePerLevel) = (1, [nil, 1, 1])
        #expect(unadjusted.text.contains("  1               of every proposal, as with ula and uhmc\n"))
    }

    @Test(
        "Numbers in the table have four significant digits",
        arguments: [
            (0, "0"), (0.123456, "0.1235"), (-1234.56, "-1235"), (123456.7, "123457"), (1e20, "1e+20"),
            (-4.29064181837946e+72, "-4.291e+72"),
            (0.000012345678, "1.235e-05"), (1.5e-9, "1.5e-9"), (-2.5e-12, "-2.5e-12"), (.nan, "-"),
        ])
    func digits(value: Double, expected: String) {
        var summary = full
        summary.acceptanceMean = value
        #expect(summary.text.contains(" \(expected) "))
    }
}
