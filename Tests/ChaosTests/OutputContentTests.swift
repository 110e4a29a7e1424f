import Chaos
import Foundation
import Testing

@Suite("The comparison of outputs")
struct OutputContentTests {
    private func folder(_ files: [String: String]) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "rrr-test-\(UUID().uuidString.prefix(8))")
        for (name, text) in files {
            let file = folder.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        return folder.path
    }

    @Test("A byte, a missing file and a file too many are differences; provenance and hidden files are not")
    func differences() throws {
        let first = try folder([
            "samples.npy": "abc", "job.json": "{}", "same.zarr/zarr.json": "1", "provenance.json": "1", ".left": "1",
        ])
        let second = try folder([
            "samples.npy": "abd", "more.npz": "", "same.zarr/zarr.json": "1", "provenance.json": "2",
        ])
        defer { for path in [first, second] { try? FileManager.default.removeItem(atPath: path) } }
        let (a, b) = (try OutputContent(folder: first), try OutputContent(folder: second))
        #expect(Set(a.files.keys) == ["samples.npy", "job.json", "same.zarr/zarr.json"])
        #expect(a.differences(from: b) == ["job.json", "more.npz", "samples.npy"])
        #expect(a.differences(from: try OutputContent(folder: first)) == [])
    }

    @Test("One run that is not identical spoils the report")
    func verdict() {
        func run(_ outcome: RunReport.Outcome) -> RunReport {
            RunReport(
                seed: 1, outcome: outcome, time: .seconds(1), disturbances: [.workerKilled: 2], lateStops: [],
                unexpectedEnds: [], resubmissions: 0, blocksRunAgain: 1, details: [], folder: nil)
        }
        #expect(ChaosReport(undisturbedTime: .seconds(1), runs: [run(.identical), run(.identical)]).allIdentical)
        for outcome in RunReport.Outcome.allCases where outcome != .identical {
            #expect(!ChaosReport(undisturbedTime: .seconds(1), runs: [run(.identical), run(outcome)]).allIdentical)
        }
    }
}
