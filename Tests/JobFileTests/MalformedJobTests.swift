import Foundation
import JobFile
import StrictJSON
import Testing

@Suite("Malformed jobs")
struct MalformedJobTests {
    @Test("each is refused at its place, with words that help", arguments: Malformed.all)
    func refusal(of malformed: Malformed) throws {
        let file = ExampleJobs.malformedFolder.appendingPathComponent(malformed.name + ".json")
        let error = #expect(throws: JobError.self) { try Job.load(path: file.path) }
        let problems = try #require(error?.problems)
        #expect(error?.code == .badData)
        #expect(problems.map(\.pointer) == [malformed.pointer])
        let message = try #require(problems.first?.message)
        #expect(message.contains(malformed.fragment), "\(message)")
        #expect(error?.description.hasPrefix("\(file.path):\(problems.first?.line ?? 0): ") == true)
    }

    @Test("the table and the folder hold the same files")
    func complete() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: ExampleJobs.malformedFolder.path)
        #expect(Set(files) == Set(Malformed.all.map { $0.name + ".json" }))
        #expect(Malformed.all.count >= 45)
    }

    @Test("a description reads file, line, place, fault")
    func description() {
        let text = ExampleJobs.smallest.replacing("0.01", with: "-0.1")
        let error = #expect(throws: JobError.self) { try ExampleJobs.decode(text) }
        #expect(
            error?.description
                == "job.json:6: /sampler/step_size: must be a finite number above zero such as 0.03, is -0.1")
    }

    @Test("faults in different sections are told at once, in the order of the file")
    func severalProblems() throws {
        let text = ExampleJobs.smallest.replacing("0.01", with: "-0.1").replacing("100", with: "0")
            .replacing("\"name\": \"bar\"", with: "\"name\": 7")
        let problems = try #require(#expect(throws: JobError.self) { try ExampleJobs.decode(text) }?.problems)
        #expect(problems.map(\.pointer) == ["/name", "/sampler/step_size", "/chains"])
        #expect(problems.map(\.line) == [3, 6, 7])
    }

    @Test("what can't go together is told of each part of the job, the first thing of each")
    func severalConflicts() throws {
        let options = #""reverse_steps": true, "population": {}, "refine": {"levels": 1}"#
        let text = ExampleJobs.smallest.replacing("\"ula\"", with: "\"mala\", \(options)")
            .replacing("\"chains\": 100", with: "\"chains\": 100, \"pilot\": true")
        let problems = try #require(#expect(throws: JobError.self) { try ExampleJobs.decode(text) }?.problems)
        #expect(problems.map(\.pointer) == ["/sampler/population", "/pilot"])
    }

    @Test("a misspelt key that is required is told as unknown and as missing")
    func misspeltRequiredKey() throws {
        let text = ExampleJobs.smallest.replacing("\"sampler\"", with: "\"sampeler\"")
        let problems = try #require(#expect(throws: JobError.self) { try ExampleJobs.decode(text) }?.problems)
        #expect(problems.map(\.pointer) == ["", "/sampeler"])
        #expect(problems.last?.message.contains("did you mean \"sampler\"") == true)
    }
}
