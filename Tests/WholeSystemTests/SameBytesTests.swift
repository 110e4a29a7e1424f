import Foundation
import Testing

@Suite("The same bytes, wherever and however a job ran", .oneAtATime, .serialized)
struct SameBytesTests {
    @Test(
        "1, 2 and 5 local workers give the same bytes",
        arguments: [
            ("", ""), (#", "population": {"threshold": 0.5}"#, ""),
            (#", "denoise": true, "exchange": {"replicas": 3}"#, ""),
            (#", "refine": {"levels": 2}, "population": {}"#, ""),
            (#", "step_size": {"target_acceptance": 0.65, "pilots": 3}, "population": {}"#, ""),
            (
                "",
                #"{"mixture": ["ring", {"tempered": {"of": "bar", "temperature": 2}}], "log_normalizers": "estimate"}"#
            ),
            (
                #", "step_size": "tuned""#,
                #"{"mixture": ["ring", {"tempered": {"of": "bar", "temperature": 2}}], "sharpness": 3.5, "#
                    + #""log_normalizers": "estimate"}"#
            ),
        ])
    func numberOfWorkers(sampler: String, target: String) async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let draws = sampler.contains("exchange") ? 10 : 1
        let job = try commands.job(chains: 500, draws: draws, sampler: sampler, target: target)
        var all: Set<[String]> = []
        for workers in [1, 2, 5] {
            let output = commands.path("out\(workers)")
            let ending = try await commands.run(
                "rrr-coordinator", ["submit", job, "--workers", "\(workers)", "--output", output], label: "w\(workers)")
            #expect(ending.status == 0, "\(ending.errors)")
            all.insert(try commands.bytes(of: output))
        }
        #expect(all.count == 1)
    }

    @Test("A local worker killed half-way changes no byte, and is replaced")
    func killedWorker() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 25_600, levels: 100, transitions: 10)
        let calm = commands.path("calm")
        let first = try await commands.run(
            "rrr-coordinator", ["submit", job, "--workers", "2", "--output", calm], label: "calm")
        #expect(first.status == 0, "\(first.errors)")

        let output = commands.path("killed")
        let submit = try commands.start(
            "rrr-coordinator", ["submit", job, "--workers", "2", "--output", output], label: "killed")
        var killed: [Int32] = []
        // Two deaths, the second of a replacement or of the other one.
        while submit.isRunning, killed.count < 2 {
            try await Task.sleep(for: .milliseconds(20))
            // One that has computed for a while has blocks.
            let workers = Commands.workers(of: submit.identifier).filter { !killed.contains($0) }
            if let worker = workers.first(where: { Commands.computingSeconds(of: $0) > 0.4 }) {
                kill(worker, SIGKILL)
                killed.append(worker)
            }
        }
        let ending = try await commands.ending(of: submit, label: "killed")
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(!killed.isEmpty, "the job was over before a worker could be killed")
        #expect(try commands.bytes(of: output) == commands.bytes(of: calm))
        let provenance = try String(contentsOfFile: output + "/provenance.json", encoding: .utf8)
        #expect(!provenance.contains("\"blocks_run_again\": 0,"), "no block was lost with a killed worker")
    }

    @Test("serve with two workers gives a submitter the bytes of one process, also after a worker hangs")
    func serveAndHang() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 6_400, levels: 100, transitions: 10)
        let alone = commands.path("alone")
        let first = try await commands.run(
            "rrr-coordinator", ["submit", job, "--workers", "1", "--output", alone], label: "alone")
        #expect(first.status == 0, "\(first.errors)")

        let address = "ipc://" + commands.path("pool")
        let serve = try commands.start(
            "rrr-coordinator", ["serve", "--listen", address, "--state", commands.path("state")], label: "serve")
        let workers = try (1...2).map {
            try commands.start("rrr-worker", ["--coordinator", address, "--slots", "1"], label: "worker\($0)")
        }
        for worker in 1...2 { try await commands.wait(for: "registered as worker", in: "worker\(worker).err") }
        let output = commands.path("served")
        let submit = try commands.start(
            "rrr-coordinator", ["submit", job, "--coordinator", address, "--output", output], label: "submit")
        try await Task.sleep(for: .milliseconds(300))
        workers[0].signal(SIGSTOP)
        let ending = try await commands.ending(of: submit, label: "submit")
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(try commands.bytes(of: output) == commands.bytes(of: alone))

        // The one that hung is asked to stop; the other is sent home by the coordinator.
        workers[0].signal(SIGTERM)
        workers[0].signal(SIGCONT)
        serve.signal(SIGTERM)
        #expect(try await commands.ending(of: serve, label: "serve").status == 143)
        for (index, worker) in workers.enumerated() {
            let left = try await commands.ending(of: worker, label: "worker\(index + 1)")
            #expect(left.status == 0, "\(left.errors)")
        }
    }
}
