import ContentHash
import Foundation
import JobFile
import Synchronization
import Testing

@testable import ModelTransfer

@Suite("Reading jobs that have travelled")
struct JobReaderTests {
    private static let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("EnergyModelsTests/Fixtures/denoising.safetensors").path

    private func outcome(of text: String, in store: ModelStore) async -> JobReader<Int>.Outcome {
        await withCheckedContinuation { continuation in
            // The reader's thread keeps it alive.
            let reader = JobReader<Int>(store: store) { ticket, outcome in
                #expect(ticket == 5)
                continuation.resume(returning: outcome)
            }
            reader.read(Array(text.utf8), ticket: 5)
        }
    }

    @Test("models that are missing are named; when they are there the job comes with them; nonsense is refused")
    func outcomes() async throws {
        let folder = try StoreFolder()
        defer { folder.remove() }
        let store = try folder.store()
        let model = try SHA256.hash(ofFile: Self.fixture)
        let text = """
            {"rrr": 1, "name": "net", "models": {"net": {"kind": "network", "sha256": "\(model.hex)"}}, "target": "net",
             "schedule": {"kind": "cosine", "levels": 10}, "sampler": {"kind": "ula", "step_size": 1}, "chains": 4}
            """
        guard case .missing([model], let found) = await outcome(of: text, in: store) else {
            Issue.record("not missing")
            return
        }
        #expect(found.isEmpty)
        try send(model, from: Self.fixture, to: store)
        guard case .job(let job, let models) = await outcome(of: text, in: store) else {
            Issue.record("no job")
            return
        }
        #expect(job.modelDigests == [model])
        #expect(models.keys.sorted { $0.hex < $1.hex } == [model])
        #expect(job.modelPaths[model] == models[model]?.path)
        guard case .refused(let error) = await outcome(of: "{", in: store) else {
            Issue.record("not refused")
            return
        }
        #expect(error.code == .badData)
    }
}
