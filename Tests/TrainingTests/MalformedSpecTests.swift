import Foundation
import StrictJSON
import Testing

@testable import Training

@Suite("Malformed training specs")
struct MalformedSpecTests {
    @Test("each is refused at its place, with words that help", arguments: Malformed.all)
    func refusal(of malformed: Malformed) throws {
        let file = ExampleSpecs.malformedFolder.appendingPathComponent(malformed.name + ".json")
        let error = try #require(#expect(throws: TrainingError.self) { try TrainingSpec.load(path: file.path) })
        #expect(error.exitStatus == 65)
        #expect(error.problems.map(\.pointer) == [malformed.pointer])
        let problem = try #require(error.problems.first)
        #expect(problem.message.contains(malformed.fragment), "\(problem.message)")
        #expect(error.description.hasPrefix("\(file.path):\(problem.line): "))
    }

    @Test("the table and the folder hold the same files")
    func complete() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: ExampleSpecs.malformedFolder.path)
        #expect(Set(files) == Set(Malformed.all.map { $0.name + ".json" }))
    }
}
