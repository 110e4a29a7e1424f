import Foundation
import Testing

@Suite("Jobs that others are run for first", .oneAtATime, .serialized)
struct PreliminaryJobTests {
    private let tuned = #", "step_size": {"target_acceptance": 0.65, "pilots": 40}"#
    private let estimated =
        #"{"mixture": ["ring", {"tempered": {"of": "bar", "temperature": 2}}], "log_normalizers": "estimate"}"#

    private func summary(_ folder: String) throws -> [String: Any] {
        let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/summary.json"))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test("The table that pilots found, pasted into the job, gives the same samples")
    func pasted() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 300, sampler: #", "step_size": "tuned""#)
        let first = try await commands.run(
            "rrr-coordinator", ["submit", job, "--output", commands.path("tuned")], label: "tuned")
        #expect(first.status == 0, "\(first.errors)")
        let found = try summary(commands.path("tuned"))
        let steps = try #require(found["step_size"] as? [Double])
        let preliminary = try #require((found["preliminary"] as? [[String: Any]])?.first)
        #expect(preliminary["name"] as? String == "ring-and-bar-pilot")
        #expect(preliminary["gradient_evaluations"] as? Int ?? 0 > 0)

        let table = steps.map { "\($0)" }.joined(separator: ", ")
        let again = try commands.job(chains: 300, sampler: #", "step_size": [\#(table)]"#)
        let second = try await commands.run(
            "rrr-coordinator", ["submit", again, "--output", commands.path("pasted")], label: "pasted")
        #expect(second.status == 0, "\(second.errors)")
        let pasted = try summary(commands.path("pasted"))
        #expect(pasted["samples_sha256"] as? String == found["samples_sha256"] as? String)
        #expect(pasted["preliminary"] == nil)
    }

    @Test("kill -9 of the coordinator while it looks for numbers, and after that, changes no byte")
    func killedCoordinator() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(
            chains: 6_400, levels: 100, transitions: 10, sampler: tuned, target: estimated)
        let calm = try await commands.run(
            "rrr-coordinator", ["submit", job, "--workers", "2", "--output", commands.path("calm")], label: "calm")
        #expect(calm.status == 0, "\(calm.errors)")
        let pool = try ServedPool(commands)
        let workers = [try pool.worker("worker1"), try pool.worker("worker2")]
        let submit = try pool.submit(job, "out")
        for _ in 0..<4 {
            try await Task.sleep(for: .milliseconds(900))
            if submit.isRunning { try await pool.killCoordinator() }
        }
        let ending = try await commands.ending(of: submit, label: "out")
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(try commands.bytes(of: commands.path("out")) == commands.bytes(of: commands.path("calm")))
        let names = try await pool.jobs().compactMap { $0["name"] as? String }
        #expect(Set(names) == ["ring-and-bar", "ring-and-bar-normalizer", "ring-and-bar-pilot"])
        for (index, worker) in workers.enumerated() { _ = try await pool.end(worker, "worker\(index + 1)") }
        pool.serve.signal(SIGTERM)
    }

    @Test("What is done to a job that waits is done to what it waits for, also after kill -9 of the coordinator")
    func treatedAlike() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 300, sampler: tuned)
        let pool = try ServedPool(commands)
        let handedIn = try await commands.ending(
            of: try pool.submit(job, "detached", ["--detach", "--priority", "2"]), label: "detached")
        #expect(handedIn.status == 0, "\(handedIn.errors)")
        let hash = String(handedIn.output.trimmingCharacters(in: .whitespacesAndNewlines).prefix(8))
        func tell(_ verb: String, _ more: [String] = []) async throws {
            let said = try await commands.run(
                "rrr-coordinator", [verb, hash] + more + ["--coordinator", pool.address], label: verb)
            #expect(said.status == 0, "\(said.errors)")
        }
        try await pool.wait(until: "queued", ofJob: 1)
        #expect(try await pool.jobs().allSatisfy { $0["priority"] as? Int == 2 })
        #expect(try await pool.jobs().first?["notice"] as? String == "finds step sizes first: ring-and-bar-pilot, 0 %")
        try await tell("pause")
        try await pool.wait(until: "paused", ofJob: 1)
        try await tell("prioritize", ["5"])
        try await pool.killCoordinator()
        try await pool.wait(until: "paused", ofJob: 1)
        #expect(try await pool.jobs().allSatisfy { $0["priority"] as? Int == 5 })
        try await tell("resume")
        try await pool.wait(until: "queued", ofJob: 1)
        try await tell("cancel")
        try await pool.wait(until: "cancelled")
        try await pool.wait(until: "cancelled", ofJob: 1)

        // Handed in again, both begin anew and end.
        let submit = try pool.submit(job, "out")
        let worker = try pool.worker("worker")
        let ending = try await commands.ending(of: submit, label: "out")
        #expect(ending.status == 0, "\(ending.errors)")
        _ = try await pool.end(worker, "worker")
        pool.serve.signal(SIGTERM)
    }

    @Test("Two jobs share a pilot: what one of them wants of it, and its end, leave the other alone")
    func shared() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let jobs = try [300, 400].map { try commands.job(chains: $0, sampler: tuned) }
        let pool = try ServedPool(commands)
        var hashes: [String] = []
        for (index, more) in [["--time-limit", "3"], ["--priority", "4"]].enumerated() {
            let handedIn = try await commands.ending(
                of: try pool.submit(jobs[index], "detached\(index)", ["--detach"] + more), label: "detached\(index)")
            #expect(handedIn.status == 0, "\(handedIn.errors)")
            hashes.append(String(handedIn.output.trimmingCharacters(in: .whitespacesAndNewlines).prefix(8)))
            // A pause of the first alone, before the second comes.
            guard index == 0 else { continue }
            try await pool.wait(until: "queued", ofJob: 1)
            let paused = try await commands.run(
                "rrr-coordinator", ["pause", hashes[0], "--coordinator", pool.address], label: "pause")
            #expect(paused.status == 0, "\(paused.errors)")
            try await pool.wait(until: "paused", ofJob: 1)
        }
        // The pilot, job 1, goes on for the second, as urgently as that is.
        try await pool.wait(until: "queued", ofJob: 1)
        let all = try await pool.jobs()
        #expect(all.count == 3)
        #expect(all.map { $0["priority"] as? Int } == [0, 4, 4])
        try await pool.wait(until: "failed")
        #expect(try await pool.jobs()[0]["failure"] as? String == "its time limit is over")
        #expect(try await pool.jobs()[1]["state"] as? String == "queued")
        let worker = try pool.worker("worker")
        try await pool.wait(until: "finished", ofJob: 2)
        _ = try await pool.end(worker, "worker")
        pool.serve.signal(SIGTERM)
    }

    @Test("A pilot is as urgent, and as paused, as those that wait for it want it together, whenever that changes")
    func wantedTogether() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let pool = try ServedPool(commands)
        func tell(_ words: [String]) async throws {
            let said = try await commands.run(
                "rrr-coordinator", words + ["--coordinator", pool.address], label: words.joined(separator: "-"))
            #expect(said.status == 0, "\(said.errors)")
        }
        var hashes: [String] = []
        for chains in [300, 400] {
            let job = try commands.job(chains: chains, sampler: tuned)
            let handedIn = try await commands.ending(
                of: try pool.submit(job, "of\(chains)", ["--detach"]), label: "of\(chains)")
            #expect(handedIn.status == 0, "\(handedIn.errors)")
            hashes.append(String(handedIn.output.trimmingCharacters(in: .whitespacesAndNewlines).prefix(8)))
        }
        try await pool.wait(until: "queued", ofJob: 2)
        func pilot() async throws -> (state: String?, priority: Int?) {
            let job = try await pool.jobs()[1]
            return (job["state"] as? String, job["priority"] as? Int)
        }
        try await tell(["prioritize", hashes[1], "7"])
        #expect(try await pilot().priority == 7)
        try await tell(["pause", hashes[0]])
        #expect(try await pilot().state == "queued")
        try await tell(["pause", hashes[1]])
        #expect(try await pilot().state == "paused")
        #expect(try await (pool.jobs()[2]["notice"] as? String)?.hasSuffix(", paused") == true)
        try await tell(["resume", hashes[0]])
        #expect(try await pilot().state == "queued")
        try await tell(["cancel", hashes[1]])
        #expect(try await pilot().priority == 0)
        try await tell(["pause", hashes[0]])
        #expect(try await pilot().state == "paused")
        pool.serve.signal(SIGTERM)
    }

    @Test("What a pilot has come to is kept when the time of the job that needs it is over")
    func timeLimit() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(
            chains: 300, levels: 100, transitions: 10, block: 512,
            sampler: #", "step_size": {"target_acceptance": 0.65, "pilots": 40}"#)
        let pool = try ServedPool(commands)
        let worker = try pool.worker("worker")
        var ending = try await commands.ending(of: try pool.submit(job, "out", ["--time-limit", "2"]), label: "out")
        #expect(ending.status == 2 && ending.errors.contains("its time limit is over"), "\(ending.errors)")
        #expect(try await pool.jobs()[1]["state"] as? String == "failed")
        let submit = try pool.submit(job, "again")
        try await pool.wait(until: "queued")
        let chains = try await pool.jobs()[1]["chains_done"] as? Int ?? 0
        #expect(chains > 0, "the pilot has begun anew")
        ending = try await commands.ending(of: submit, label: "again")
        #expect(ending.status == 0, "\(ending.errors)")
        _ = try await pool.end(worker, "worker")
        pool.serve.signal(SIGTERM)
    }

    @Test("A job fails, with the reason, when what it waits for fails or is cancelled")
    func failedPilot() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 300, sampler: tuned)
        let pool = try ServedPool(commands)
        let submit = try pool.submit(job, "out")
        try await pool.wait(until: "queued", ofJob: 1)
        let pilot = try #require(try await pool.jobs()[1]["job"] as? String)
        let cancel = try await commands.run(
            "rrr-coordinator", ["cancel", String(pilot.prefix(8)), "--coordinator", pool.address], label: "cancel")
        #expect(cancel.status == 0, "\(cancel.errors)")
        let ending = try await commands.ending(of: submit, label: "out")
        #expect(ending.status == 2)
        #expect(ending.errors.contains("ring-and-bar-pilot, which it needs, did not end well: it was cancelled"))
        pool.serve.signal(SIGTERM)
    }
}
