import Foundation

@testable import two_dimensional_study

/// Job files in a folder of their own, beside the networks of the examples.
enum StudyFolder {
    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static let examples = repository.appendingPathComponent("Examples")

    static func withJob<Result>(
        _ job: StudyJob, chains: Int = 2000, _ body: (String) throws -> Result
    ) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("rrr-study-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("\(job.name).json")
        try Data(job.text(chains: chains, modelFolder: examples.appendingPathComponent("models").path).utf8)
            .write(to: file)
        return try body(file.path)
    }
}
