import Foundation
import Testing

@testable import Training

@Suite("Held-out losses and their history")
struct LossHistoryTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static let spec = ExampleSpecs.quick.replacing(
        "\"checkpoint_every\": 5", with: "\"checkpoint_every\": 5, \"report_every\": 5")

    private func train(
        _ name: String, start: TrainingSession.Start = .fresh, stopAfter steps: Int = .max, spec: String = spec
    ) throws {
        var session = try TrainingSession(
            try ExampleSpecs.decode(spec), output: folder(name), threads: 2, history: folder(name + ".csv"),
            start: start)
        var reports = 0
        _ = try session.train(shouldStop: { reports > steps }, report: { _ in reports += 1 })
    }

    /// The file's lines without the seconds, of which only that they grow is sure.
    private func lines(_ name: String) throws -> [String] {
        let text = try String(contentsOfFile: folder(name + ".csv"), encoding: .utf8)
        let rows = text.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        let seconds = rows.dropFirst().compactMap { Double($0[3]) }
        #expect(seconds.count == rows.count - 1 && seconds == seconds.sorted())
        return rows.map { $0.dropLast().joined(separator: ",") }
    }

    @Test("A line comes with every report and at the end, and an interruption leaves no trace in them")
    func history() throws {
        try train("whole")
        let whole = try lines("whole")
        #expect(whole.first == "step,loss,held_out_loss")
        #expect(whole.dropFirst().compactMap { $0.split(separator: ",").first } == ["5", "10", "12"])
        try train("parts", stopAfter: 7)
        // What a killed training had written behind its checkpoint is made anew.
        let handle = try #require(FileHandle(forWritingAtPath: folder("parts.csv")))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("10,1,1,1000\n".utf8))
        try handle.close()
        try train("parts", start: .resume)
        #expect(try lines("parts") == whole)
        #expect(try folder.bytes("parts") == folder.bytes("whole"))
    }

    @Test("The held-out loss is that of the averaged weights on points that no step sees")
    func heldOut() throws {
        let spec = try ExampleSpecs.decode(Self.spec)
        var run = try TrainingRun(spec, data: try TrainingData(spec), threads: 1)
        for _ in 0..<12 { try run.step() }
        let before = run.optimizer
        let first = run.heldOutLoss()
        let loss = try #require(first)
        #expect(run.optimizer == before)
        // The batch is always the same one; the parameters are not.
        let again = run.heldOutLoss()
        try run.step()
        let later = run.heldOutLoss()
        #expect(again == loss && later != loss)
        try train("model")
        #expect(try lines("model").last?.hasSuffix(",\(loss)") == true)
    }

    @Test("Of an array file the last rows are held out where that is asked for; else there is no such loss")
    func rows() throws {
        let points = try folder.write((0..<20).map { Float($0) }, shape: [10, 2], "points.npy")
        func spec(_ more: String) throws -> TrainingSpec {
            try ExampleSpecs.spec(data: "{\"kind\": \"npy\", \"file\": \"\(points)\"\(more)}")
        }
        var whole = try TrainingRun(try spec(""), data: try TrainingData(spec("")), threads: 1)
        let none = whole.heldOutLoss()
        #expect(none == nil)
        let part = try spec(", \"held_out\": 3")
        let data = try TrainingData(part)
        #expect(data.holdsOut)
        for (iteration, rows) in [(0, 0..<7), (1, 0..<7), (TrainingData.heldOutIteration, 7..<10)] {
            let found = rowsDrawn(data, iteration: iteration)
            #expect(found == Set(rows))
        }
        let error = #expect(throws: TrainingError.self) { try TrainingData(spec(", \"held_out\": 10")) }
        #expect(error?.description.contains("holds 10 points, and \"held_out\" leaves none of them") == true)
    }

    private func rowsDrawn(_ data: TrainingData, iteration: Int) -> Set<Int> {
        var shard = TrainingPoints(data: data, count: 400)
        return Set(shard.draw(iteration: iteration).map { Int($0[0]) / 2 })
    }

    @Test("A file of something else, or of a training before, is not written over")
    func inTheWay() throws {
        try Data("notes\n".utf8).write(to: URL(filePath: folder("model.csv")))
        let fresh = #expect(throws: TrainingError.self) { try train("model") }
        #expect(fresh?.exitStatus == 73 && fresh?.description.contains("--force") == true)
        try FileManager.default.removeItem(atPath: folder("model.csv"))
        try train("model", stopAfter: 6)
        try Data("notes\n".utf8).write(to: URL(filePath: folder("model.csv")))
        let resumed = #expect(throws: TrainingError.self) { try train("model", start: .resume) }
        #expect(resumed?.exitStatus == 73 && resumed?.description.contains("not the history") == true)
        #expect(try String(contentsOfFile: folder("model.csv"), encoding: .utf8) == "notes\n")
    }
}
