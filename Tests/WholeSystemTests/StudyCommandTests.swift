import Foundation
import Testing

/// `two-dimensional-study`: that it runs jobs in the pool and tells what came of them, not the figures.
@Suite(.oneAtATime) struct StudyCommandTests {
    private static let models = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Examples/models").path

    private func study(_ commands: Commands, _ arguments: [String], label: String) async throws -> Commands.Ending {
        try await commands.run(
            "two-dimensional-study",
            ["--output", commands.path("study"), "--workers", "2", "--models", Self.models] + arguments, label: label)
    }

    @Test func `A small study leaves tables and pictures, and runs nothing twice`() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let arguments = ["--chains", "16", "--only", "mixture", "exact", "reverse", "ula"]
        let first = try await study(commands, arguments, label: "first")
        #expect(first.status == 0, "\(first.errors)")
        let folder = commands.path("study")
        let table = try String(contentsOfFile: "\(folder)/table.md", encoding: .utf8)
        #expect(first.output == table)
        #expect(table.contains("| reverse diffusion |") && table.contains("| ULA |"))
        let lines = try String(contentsOfFile: "\(folder)/table.csv", encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 3)
        let picture = try String(contentsOfFile: "\(folder)/mixture-exact.svg", encoding: .utf8)
        #expect(picture.contains(">ULA</text>"))

        let provenance = "\(folder)/runs/mixture-exact-ula/provenance.json"
        let before = try Data(contentsOf: URL(fileURLWithPath: provenance))
        let second = try await study(commands, arguments, label: "second")
        #expect(second.status == 0)
        #expect(second.output == first.output)
        #expect(try Data(contentsOf: URL(fileURLWithPath: provenance)) == before)
    }

    @Test func `A run that fails is a row that says so, and the others run all the same`() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        // A file where the run's folder should be.
        let runs = commands.path("study/runs")
        try FileManager.default.createDirectory(atPath: runs, withIntermediateDirectories: true)
        try Data().write(to: URL(fileURLWithPath: runs + "/mixture-exact-reverse"))
        let ending = try await study(
            commands, ["--chains", "16", "--only", "mixture", "exact", "reverse", "ula"], label: "failing")
        #expect(ending.status == 2)
        #expect(ending.output.contains("| reverse diffusion | failed: "), "\(ending.output)")
        #expect(ending.output.contains("| ULA | -") || ending.output.contains("| ULA | 0"))
        #expect(ending.errors.contains("1 of the runs failed: mixture-exact-reverse"))
    }

    @Test func `A name that is none is refused with those that are`() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let ending = try await study(commands, ["--only", "prodct"], label: "wrong")
        #expect(ending.status == 64)
        #expect(ending.errors.contains("\"prodct\"") && ending.errors.contains("hmc-population-late"))
    }
}
