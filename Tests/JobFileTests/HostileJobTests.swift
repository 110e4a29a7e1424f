import Foundation
import JobFile
import StrictJSON
import Testing

@Suite("Hostile jobs")
struct HostileJobTests {
    private func refusal(_ text: String) throws -> JobError {
        try #require(#expect(throws: JobError.self) { try ExampleJobs.decode(text) })
    }

    @Test("a very long unknown name takes no time to refuse and makes no long message", .timeLimit(.minutes(1)))
    func longNames() throws {
        let (name, long) = (String(repeating: "x", count: 512), String(repeating: "x", count: 100_000))
        let error = try refusal(
            ExampleJobs.smallest.replacing("\"bar\": {", with: "\"\(name)\": {")
                .replacing("\"target\": \"bar\"", with: "\"target\": \"\(long)y\""))
        #expect(error.problems.map(\.pointer) == ["/target"])
        #expect(error.description.utf8.count < 2000)
    }

    @Test("a long name over a long array is refused before the name stands before each number", .timeLimit(.minutes(1)))
    func longNameOverManyNumbers() throws {
        let numbers = Array(repeating: "0", count: 50_000).joined(separator: ",")
        let error = try refusal(
            ExampleJobs.smallest.replacing("\"bar\": {", with: "\"\(String(repeating: "n", count: 513))\": {")
                .replacing("[-0.2, -1.0]", with: "[\(numbers)]"))
        #expect(error.problems.count == 1)
        #expect(error.description.contains("a model's name has 513 bytes; at most 512 are possible"))
    }

    @Test("a name from the file cannot command the terminal")
    func controlCharacters() throws {
        let error = try refusal(
            ExampleJobs.smallest.replacing("\"target\": \"bar\"", with: #""target": "\u001b[31m\nother.json:1: x""#))
        #expect(error.description.unicodeScalars.allSatisfy { $0.value >= 0x20 })
    }

    @Test("thousands of unknown keys are told by the first few")
    func manyProblems() throws {
        let keys = (0..<5000).map { "\"k\($0)\": 1, " }.joined()
        #expect(
            try refusal(ExampleJobs.smallest.replacing("\"chains\"", with: keys + "\"chains\"")).problems.count == 16)
    }

    @Test("a trace of half a million levels takes no time to refuse", .timeLimit(.minutes(1)))
    func manyLevels() throws {
        let levels = (0..<500_000).map(String.init).joined(separator: ",")
        let error = try refusal(
            ExampleJobs.smallest.replacing("\"chains\"", with: "\"output\": {\"trace\": [\(levels)]}, \"chains\""))
        #expect(error.problems.map(\.pointer) == ["/output/trace"])
    }

    @Test("weights whose sum is no number are refused")
    func weights() throws {
        let error = try refusal(
            ExampleJobs.smallest.replacing(
                "\"target\": \"bar\"", with: #""target": {"mixture": ["bar", "bar"], "weights": [1e308, 1e308]}"#))
        #expect(error.problems.map(\.pointer) == ["/target/weights"])
    }

    @Test("a text beyond 16 MiB is refused, also from a file without end")
    func size() throws {
        let padded = ExampleJobs.smallest + String(repeating: " ", count: 16 << 20)
        #expect(try refusal(padded).code == .badData)
        let error = #expect(throws: JobError.self) { try Job.load(path: "/dev/zero") }
        #expect(error?.code == .badData)
    }
}
