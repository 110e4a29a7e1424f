import ContentHash
import Dispatch
import Foundation
import JobFile
import Messaging
import ModelTransfer
import RunFolder
import Testing

@testable import Coordinator

/// Submitters that wait while the files of a finished job are looked at.
struct InspectionTests {
    private let plain = #""kind": "mala", "transitions": 2, "step_size": 0.01"#

    /// A coordinator at which a job is finished, and an inspector that waits for `goOn`.
    private func finished(_ goOn: DispatchSemaphore) throws -> (coordinator: CoordinatorUnderTest, job: Job) {
        let coordinator = try CoordinatorUnderTest(
            inspector: FolderInspector { folder in
                let content = try RunFolder.content(of: folder)
                goOn.wait()
                return content
            })
        let job = try SmallJobs.job(plain)
        coordinator.join([1], arithmetic: "a")
        coordinator.submit(job)
        #expect(try coordinator.finish(job) == .finished)
        return (coordinator, job)
    }

    @Test func `All that ask for one finished job wait for one look, with one text, and so many at most`() throws {
        let goOn = DispatchSemaphore(value: 0)
        let (coordinator, job) = try finished(goOn)
        defer { coordinator.remove() }
        let accepted = coordinator.accepted.count
        for number in 0..<1_100 { coordinator.submit(job, from: [7, UInt8(number / 256), UInt8(number % 256)]) }
        // One that asks again waits once.
        for _ in 0..<10 { coordinator.submit(job, from: [7, 0, 0]) }
        #expect(coordinator.waitingForInspections.submitters == 1_000)
        #expect(coordinator.waitingForInspections.bytes == job.canonicalText.utf8.count)
        goOn.signal()
        try coordinator.work(until: { coordinator.accepted.count >= accepted + 1_000 })
        #expect(coordinator.accepted.dropFirst(accepted).allSatisfy { $0.isFinished })
        #expect(
            coordinator.refusals.count >= 100
                && coordinator.refusals.allSatisfy { $0.status == 75 && $0.text.contains("later") })
        #expect(coordinator.waitingForInspections == (0, 0))
    }

    @Test func `Who waited for the files of a job that was begun anew meanwhile waits for the new ones`() throws {
        let goOn = DispatchSemaphore(value: 0)
        let (coordinator, job) = try finished(goOn)
        defer { coordinator.remove() }
        coordinator.take(.goodbye(reason: ""), from: [1])
        let accepted = coordinator.accepted.count
        coordinator.submit(job, from: [201])
        coordinator.submit(job, force: true, from: [202])
        try coordinator.work(until: { coordinator.status(of: job)?.state.isOver == false })
        goOn.signal()
        try coordinator.work(until: { coordinator.accepted.count >= accepted + 2 })
        #expect(coordinator.accepted.dropFirst(accepted).allSatisfy { !$0.isFinished })
        #expect(Set(coordinator.accepted.dropFirst(accepted).map(\.peer)) == [[201], [202]])
        coordinator.join([2], arithmetic: "a")
        #expect(try coordinator.finish(job) == .finished)
        // And what is finished now is looked at as ever.
        goOn.signal()
        coordinator.submit(job, from: [203])
        try coordinator.work(until: { coordinator.accepted.last?.peer == [203] })
        #expect(coordinator.accepted.last?.isFinished == true)
    }

    @Test func `What a look at the old files found does not take the new run's away`() throws {
        let (isThere, goOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let coordinator = try CoordinatorUnderTest(
            inspector: FolderInspector { _ in
                isThere.signal()
                goOn.wait()
                return .damaged(jobHash: "", reason: "a bit")
            })
        defer { coordinator.remove() }
        let job = try SmallJobs.job(plain)
        coordinator.join([1], arithmetic: "a")
        coordinator.submit(job)
        #expect(try coordinator.finish(job) == .finished)
        coordinator.submit(job, from: [201])
        isThere.wait()
        coordinator.submit(job, force: true, from: [202])
        try coordinator.work(until: { coordinator.status(of: job)?.state.isOver == false })
        #expect(try coordinator.finish(job) == .finished)
        goOn.signal()
        // Who asked first is answered after a second look, at the new run.
        try coordinator.work(until: { isThere.wait(timeout: .now()) == .success })
        #expect(RunFolder.hasSummary(in: coordinator.folder + "/jobs/" + job.identity.hex))
        goOn.signal()
    }

    @Test(arguments: [1 << 25, 4])
    func `A model that came with a job which is refused does not stay, one of a job that is accepted does`(
        chains: Int
    ) throws {
        let coordinator = try CoordinatorUnderTest()
        defer { coordinator.remove() }
        let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("EnergyModelsTests/Fixtures/denoising.safetensors").path
        coordinator.model = fixture
        let model = try SHA256.hash(ofFile: fixture)
        let text = """
            {"rrr": 1, "name": "net", "models": {"net": {"kind": "network", "sha256": "\(model.hex)"}}, "target": "net",
             "schedule": {"kind": "cosine", "levels": 10}, "sampler": {"kind": "ula", "step_size": 1},
             "chains": \(chains), "block": 1}
            """
        coordinator.take(.submit(jobText: Array(text.utf8), force: false, watch: true), from: [200])
        try coordinator.work(until: { !coordinator.refusals.isEmpty || !coordinator.accepted.isEmpty })
        let isRefused = chains > 4
        #expect(coordinator.refusals.contains { $0.text.contains("a pool takes at most") } == isRefused)
        // The coordinator tidies up with the next tick.
        var ticks = 0
        try coordinator.work(until: {
            ticks += 1
            return ticks > 3
        })
        let names = try FileManager.default.contentsOfDirectory(atPath: coordinator.folder + "/models")
        #expect(names.contains { $0.contains(model.hex) } == !isRefused, "\(names)")
        if isRefused { #expect(names.isEmpty) }
    }
}
