import ContentHash
import Foundation
import JobFile
import Logging
import Messaging
import ModelTransfer
import Testing

@testable import Worker

/// A supply on a cache of its own, and what its reader has said.
private final class Supply {
    let folder = FileManager.default.temporaryDirectory.path + "/rrr-supply-\(UUID().uuidString.prefix(8))"
    private let cache: OpenModelCache
    private var supply: JobSupply
    private var readings: AsyncStream<(JobSupply.Order, JobSupply.Reading)>.Iterator

    init() throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        cache = try OpenModelCache(ModelCache(folder: folder), logger: logger)
        let (stream, continuation) = AsyncStream.makeStream(of: (JobSupply.Order, JobSupply.Reading).self)
        supply = JobSupply(cache: cache, memory: NetworkMemory(bytes: .max, slots: 1), isAlone: false) {
            continuation.yield(($0, $1))
        }
        readings = stream.makeAsyncIterator()
    }

    /// Where models go now.
    var place: String { cache.store.folder }

    func remove() {
        cache.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    func take(_ job: Digest, text: String, digest: Digest? = nil) -> JobSupply.Standing {
        let text = Array(text.utf8)
        return supply.take(job, text: text, digest: digest ?? SHA256.hash(of: text), inUse: [job])
    }

    func take(_ chunk: ModelChunk) -> [JobSupply.Change] { supply.take(chunk, at: .zero) }

    func read() async -> [JobSupply.Change] {
        guard let (order, reading) = await readings.next(isolation: #isolation) else { return [] }
        return supply.take(reading, of: order, at: .zero)
    }

    func seed(of job: Digest) -> UInt64? { supply.ready(job)?.job.seed }
    var requests: Int { supply.requests(at: .zero).count }
}

/// The texts that jobs are run by, and where models are kept.
struct JobSupplyTests {
    private let job = SHA256.hash(of: [1])

    private func text(seed: Int, model: String = #"{"kind": "gaussian", "mean": [0], "covariance": [[1]]}"#) -> String {
        """
        {"rrr": 1, "name": "small", "seed": \(seed), "models": {"m": \(model)}, "target": "m", \
        "schedule": {"kind": "cosine", "levels": 4}, "sampler": {"kind": "reverse"}, "chains": 4, "block": 4}
        """
    }

    @Test func `A new text of a known job takes the old one's place, a late reading of that one included`() async throws
    {
        let supply = try Supply()
        defer { supply.remove() }
        #expect(supply.take(job, text: text(seed: 1)) == .preparing)
        #expect(supply.take(job, text: text(seed: 2)) == .preparing)
        #expect(await supply.read().isEmpty)
        #expect(await supply.read().count == 1)
        #expect(supply.seed(of: job) == 2)
        // It need not come again.
        #expect(supply.take(job, text: "", digest: SHA256.hash(of: Array(text(seed: 2).utf8))) == .ready)
    }

    @Test func `Blocks of a text that is not here are not run by another, nor those of a text that is another`()
        async throws
    {
        let supply = try Supply()
        defer { supply.remove() }
        let digest = SHA256.hash(of: Array(text(seed: 2).utf8))
        #expect(supply.take(job, text: "", digest: digest) == .unknown)
        #expect(supply.take(job, text: text(seed: 1)) == .preparing)
        #expect(supply.take(job, text: "", digest: digest) == .unknown)
        #expect(supply.take(job, text: text(seed: 1), digest: digest) == .garbled)
    }

    @Test func `Models go to a temporary folder when the cache can't be added to, and no block fails by that`()
        async throws
    {
        let supply = try Supply()
        defer { supply.remove() }
        let model = Array("no model at all".utf8)
        let digest = SHA256.hash(of: model)
        // The folder is gone; a full disk says no in the same place.
        try FileManager.default.removeItem(atPath: supply.folder)
        let network = #"{"kind": "network", "sha256": "\#(digest.hex)"}"#
        #expect(supply.take(job, text: text(seed: 1, model: network)) == .preparing)
        #expect(await supply.read().isEmpty)
        #expect(supply.place != supply.folder && supply.requests > 0)
        let chunk = ModelChunk(model: digest, offset: 0, total: model.count, data: model)
        #expect(supply.take(chunk).isEmpty)
        #expect(FileManager.default.fileExists(atPath: supply.place + "/\(digest.hex).safetensors"))
        // What came is no model: that is the job's own trouble.
        let changes = await supply.read()
        guard case .failed(job, let trouble)? = changes.first else {
            Issue.record("\(changes)")
            return
        }
        #expect(!trouble.isInability)
        let place = supply.place
        supply.remove()
        #expect(!FileManager.default.fileExists(atPath: place))
    }

    @Test func `A model that the coordinator sends wrong is the job's trouble: no worker gets it`() async throws {
        let supply = try Supply()
        defer { supply.remove() }
        let digest = SHA256.hash(of: [7])
        let network = #"{"kind": "network", "sha256": "\#(digest.hex)"}"#
        #expect(supply.take(job, text: text(seed: 1, model: network)) == .preparing)
        #expect(await supply.read().isEmpty)
        let changes = supply.take(ModelChunk(model: digest, offset: 0, total: 1, data: [8]))
        guard case .failed(job, let trouble)? = changes.first else {
            Issue.record("\(changes)")
            return
        }
        #expect(!trouble.isInability)
    }
}
