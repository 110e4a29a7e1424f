import Foundation
import Testing

@Suite("Nothing that was computed is lost", .oneAtATime, .serialized)
struct DurabilityTests {
    /// The bytes of a job that nothing has happened to.
    private func undisturbed(_ job: String, _ commands: Commands) async throws -> [String] {
        let ending = try await commands.run(
            "rrr-coordinator", ["submit", job, "--workers", "2", "--output", commands.path("calm")], label: "calm")
        #expect(ending.status == 0, "\(ending.errors)")
        return try commands.bytes(of: commands.path("calm"))
    }

    @Test("kill -9 of the coordinator, three times in a job of 10 000 blocks, makes no block run again")
    func killedCoordinator() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 80_000, levels: 50, transitions: 10, block: 8)
        let pool = try ServedPool(commands)
        let workers = [try pool.worker("worker1"), try pool.worker("worker2")]
        let submit = try pool.submit(job, "out")
        for _ in 0..<3 {
            try await Task.sleep(for: .milliseconds(700))
            #expect(submit.isRunning, "the job was over too early")
            try await pool.killCoordinator()
        }
        let ending = try await commands.ending(of: submit, label: "out")
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(try commands.bytes(of: commands.path("out")) == (try await undisturbed(job, commands)))
        var blocks = 0
        for (index, worker) in workers.enumerated() {
            blocks += try await pool.end(worker, "worker\(index + 1)").blocks
        }
        // At the end the queue of a worker that is late, 256 blocks at most, is moved to the other one, which may come to be
        // late with it in turn. A coordinator that forgot would have cost thousands.
        #expect((10_000...10_512).contains(blocks))
        pool.serve.signal(SIGTERM)
    }

    @Test("A detached job outlives its coordinator, is paused and resumed, and is handed out when somebody asks for it")
    func detachedJob() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 20_000, levels: 100, transitions: 10)
        let pool = try ServedPool(commands)
        let handedIn = try await commands.ending(
            of: try pool.submit(job, "detached", ["--detach", "--priority", "-3"]), label: "detached")
        #expect(handedIn.status == 0, "\(handedIn.errors)")
        try await pool.killCoordinator()
        try await pool.wait(until: "queued")
        #expect(try await pool.jobs().first?["priority"] as? Int == -3)
        let hash = handedIn.output.trimmingCharacters(in: .whitespacesAndNewlines)
        for verb in ["pause", "resume"] {
            let changed = try await commands.run(
                "rrr-coordinator", [verb, String(hash.prefix(8)), "--coordinator", pool.address], label: verb)
            #expect(changed.status == 0, "\(changed.errors)")
            try await pool.wait(until: verb == "pause" ? "paused" : "queued")
            if verb == "pause" {
                // A pause is kept too.
                try await pool.killCoordinator()
                try await pool.wait(until: "paused")
            }
        }
        let worker = try pool.worker("worker")
        try await pool.wait(until: "finished")
        try await pool.killCoordinator()
        let fetched = try await commands.ending(of: try pool.submit(job, "out"), label: "out")
        #expect(fetched.status == 0, "\(fetched.errors)")
        #expect(try commands.bytes(of: commands.path("out")) == (try await undisturbed(job, commands)))
        _ = try await pool.end(worker, "worker")
        pool.serve.signal(SIGTERM)
    }

    @Test("A worker that is asked to stop hands its block back within 2 s, and another one goes on with it")
    func handedBack() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        // One block, of some seconds.
        let job = try commands.job(chains: 40_000, levels: 100, transitions: 10, block: 40_000)
        let pool = try ServedPool(commands)
        let submit = try pool.submit(job, "out")
        let first = try pool.worker("worker1")
        try await pool.wait(until: "running")
        let clock = ContinuousClock()
        let start = clock.now
        _ = try await pool.end(first, "worker1")
        #expect(clock.now - start < .seconds(2))
        let second = try pool.worker("worker2")
        let ending = try await commands.ending(of: submit, label: "out")
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(try await pool.end(second, "worker2").said.contains("goes on from step"))
        #expect(try commands.bytes(of: commands.path("out")) == (try await undisturbed(job, commands)))
        pool.serve.signal(SIGTERM)
    }

    @Test(
        "A block whose state is far longer than a message goes on at another worker, after a pause, to the same bytes")
    func longState() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        // Positions and momenta take 101 MB.
        let text = """
            {"rrr": 1, "name": "large", "seed": 3,
             "models": {"a": {"kind": "gaussian", "shape": [3, 64, 64], "mean": 0, "std": 0.5}}, "target": "a",
             "sampler": {"kind": "hmc", "step_size": 0.05, "transitions": 8, "leapfrog": 1},
             "schedule": {"kind": "cosine", "levels": 4}, "chains": 512, "block": 512}
            """
        let job = commands.path("large.json")
        try Data(text.utf8).write(to: URL(fileURLWithPath: job))
        let pool = try ServedPool(commands)
        let submit = try pool.submit(job, "out", ["--checkpoint-every", "1"])
        let first = try pool.worker("worker1")
        try await pool.wait(until: "running")
        let hash = try #require(try await pool.jobs().first?["job"] as? String)
        func tell(_ wish: String...) async throws {
            let ending = try await commands.run(
                "rrr-coordinator", [wish[0], hash] + wish.dropFirst() + ["--coordinator", pool.address], label: wish[0])
            #expect(ending.status == 0, "\(ending.errors)")
        }
        try await pool.wait { ($0["fraction"] as? Double ?? 0) > 0 }
        try await tell("pause")
        try await pool.wait(until: "paused")
        // The block is handed back before its worker says goodbye.
        #expect(try await pool.end(first, "worker1").blocks == 0)
        // What is told of this comes from the disk, and so is all that came before it.
        try await tell("prioritize", "1")
        try await pool.killCoordinator()
        let second = try pool.worker("worker2")
        try await tell("resume")
        let ending = try await commands.ending(of: submit, label: "out")
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(try await pool.end(second, "worker2").said.contains("goes on from step"))
        #expect(try commands.bytes(of: commands.path("out")) == (try await undisturbed(job, commands)))
        pool.serve.signal(SIGTERM)
    }

    private func run(_ arguments: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// A disk of its own; nil where nothing may be mounted.
    private func mountDisk(of size: String, _ commands: Commands) throws -> String? {
        let disk = commands.path("disk")
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
        return try run(["mount", "-t", "tmpfs", "-o", "size=\(size)", "tmpfs", disk]) == 0 ? disk : nil
    }

    /// Waits until the only job tells that there is no room, at most half a minute.
    private func waitForFullDisk(_ pool: ServedPool) async throws {
        var notice = ""
        for _ in 0..<300 where !notice.contains("nothing can be stored") {
            try await Task.sleep(for: .milliseconds(100))
            notice = try await pool.jobs().first?["notice"] as? String ?? ""
        }
        #expect(notice.contains("nothing can be stored") && (notice.contains("full") || notice.contains("No space")))
    }

    @Test(
        "Cancelling the job that has filled the disk makes room for the next, also after a restart",
        .enabled(if: getuid() == 0))
    func cancelledOnFullDisk() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        guard let disk = try mountDisk(of: "12m", commands) else { return }
        defer { _ = try? run(["umount", "-l", disk]) }
        let pool = try ServedPool(commands, state: disk + "/state")
        let worker = try pool.worker("worker")
        let handedIn = try await commands.ending(
            of: try pool.submit(
                try commands.job(chains: 100_000, levels: 100, transitions: 3), "detached", ["--detach"]),
            label: "detached")
        #expect(handedIn.status == 0, "\(handedIn.errors)")
        try await waitForFullDisk(pool)
        let hash = handedIn.output.trimmingCharacters(in: .whitespacesAndNewlines)
        let cancelled = try await commands.run(
            "rrr-coordinator", ["cancel", hash, "--coordinator", pool.address], label: "cancel")
        #expect(cancelled.status == 0, "\(cancelled.errors)")
        try await pool.killCoordinator()
        try await pool.wait(until: "cancelled")
        let next = try await commands.ending(of: try pool.submit(try commands.job(chains: 64), "out"), label: "out")
        #expect(next.status == 0, "\(next.errors)")
        _ = try await pool.end(worker, "worker")
        pool.serve.signal(SIGTERM)
        _ = try await commands.ending(of: pool.serve, label: "serve2")
    }

    @Test("Deleting a finished job makes room on a full disk for one that waits", .enabled(if: getuid() == 0))
    func deletedOnFullDisk() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        guard let disk = try mountDisk(of: "16m", commands) else { return }
        defer { _ = try? run(["umount", "-l", disk]) }
        let pool = try ServedPool(commands, state: disk + "/state")
        let worker = try pool.worker("worker")
        let first = try await commands.ending(
            of: try pool.submit(try commands.job(chains: 60_000, transitions: 1), "first"), label: "first")
        #expect(first.status == 0, "\(first.errors)")
        // All but half a MB is taken by somebody else.
        let free = try #require(
            try FileManager.default.attributesOfFileSystem(forPath: disk)[.systemFreeSize] as? NSNumber)
        try Data(count: free.intValue - 500_000).write(to: URL(fileURLWithPath: disk + "/ballast"))
        let next = try pool.submit(try commands.job(chains: 10_000, transitions: 1), "next")
        try await commands.wait(for: "nothing can be stored", in: "serve1.err")
        #expect(next.isRunning)
        let hash = try #require(try await pool.jobs().first?["job"] as? String)
        let deleted = try await commands.run(
            "rrr-coordinator", ["delete", hash, "--coordinator", pool.address], label: "delete")
        #expect(deleted.status == 0, "\(deleted.errors)")
        let ending = try await commands.ending(of: next, label: "next")
        #expect(ending.status == 0, "\(ending.errors)")
        _ = try await pool.end(worker, "worker")
        pool.serve.signal(SIGTERM)
    }

    @Test("A job on a disk that is full waits, says so, and goes on when there is room", .enabled(if: getuid() == 0))
    func fullDisk() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        guard let disk = try mountDisk(of: "48m", commands) else { return }
        defer { _ = try? run(["umount", "-l", disk]) }
        let job = try commands.job(chains: 40_000, levels: 100, transitions: 10)
        let calm = try await undisturbed(job, commands)
        // The statistics take 16 MB while the job runs, and as much again at its end.
        let ballast = disk + "/ballast"
        try Data(count: 36 << 20).write(to: URL(fileURLWithPath: ballast))
        let pool = try ServedPool(commands, state: disk + "/state")
        let worker = try pool.worker("worker")
        let submit = try pool.submit(job, "out")
        try await waitForFullDisk(pool)
        #expect(submit.isRunning)
        try FileManager.default.removeItem(atPath: ballast)
        let ending = try await commands.ending(of: submit, label: "out")
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(try commands.bytes(of: commands.path("out")) == calm)
        let (blocks, _) = try await pool.end(worker, "worker")
        #expect(blocks == 625)
        pool.serve.signal(SIGTERM)
        _ = try await commands.ending(of: pool.serve, label: "serve1")
    }
}
