import ContentHash
import Foundation
import Messaging
import RawPeers
import Testing

/// A coordinator at a TCP port, with a worker, and those who wish it ill.
private struct AttackedPool {
    let commands: Commands
    let serve: Commands.Started
    let worker: Commands.Started
    let address: String
    private let context = MessagingContext()

    init(_ commands: Commands, openFiles: Int? = nil) async throws {
        self.commands = commands
        serve = try commands.start(
            "rrr-coordinator", ["serve", "--listen", "tcp://127.0.0.1:*", "--state", commands.path("state")],
            label: "serve", environment: ["RRR_LOG_LEVEL": "info"], openFiles: openFiles)
        address = try await Self.address(commands)
        worker = try commands.start("rrr-worker", ["--coordinator", address, "--slots", "1"], label: "worker")
    }

    private static func address(_ commands: Commands) async throws -> String {
        let line = try await commands.wait(for: "listening at ", in: "serve.err")
        return line.components(separatedBy: "listening at ")[1]
    }

    /// Connections that say nothing; once they are there, `idle.out` tells.
    func connections(_ count: Int) throws -> Commands.Started {
        let place = address.dropFirst("tcp://".count).replacing(":", with: "/")
        return try commands.startShell(
            """
            ulimit -n \(count + 100) &&
            for i in {1..\(count)}; do exec {file}<>/dev/tcp/\(place) || exit; done
            echo held \(count); read -t 60 <> <(:)
            """, label: "idle")
    }

    func end() {
        for process in [worker, serve] { process.signal(SIGKILL) }
        commands.remove()
    }

    /// The most memory that a process has had, in bytes.
    static func highestMemory(_ process: Int32) throws -> Int { try memory(process, "VmHWM:") }

    static func memory(_ process: Int32, _ key: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(key) })
        return (Int(line.filter(\.isNumber)) ?? 0) << 10
    }

    func dealer() throws -> DealerSocket { try DealerSocket(context, connectingTo: address) }

    /// Sends as soon as there is a connection, and room.
    func send(_ message: [UInt8], by dealer: DealerSocket) throws {
        let wakeup = Wakeup()
        for _ in 0..<1_000 {
            if try dealer.send(message) { return }
            try dealer.wait(for: wakeup, atMost: .milliseconds(5))
        }
        Issue.record("nothing could be sent for seconds")
    }

    /// The first message that `accept` makes something of, within half a minute.
    func answer<T>(to dealer: DealerSocket, _ accept: (Message) -> T?) throws -> T? {
        let wakeup = Wakeup()
        let end = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < end {
            while let bytes = try dealer.receive() {
                if let wanted = accept(try Message.decode(bytes)) { return wanted }
            }
            try dealer.wait(for: wakeup, atMost: .milliseconds(50))
        }
        return nil
    }

    /// Hands a job in by hand. - Returns: the job, or why it was refused.
    func submit(_ text: String, watch: Bool = false, by dealer: DealerSocket) throws -> Result<Digest, Refusal>? {
        try send(Message.submit(jobText: Array(text.utf8), force: false, watch: watch).encoded(), by: dealer)
        return try answer(to: dealer) {
            switch $0 {
            case .accepted(let job, _): .success(job)
            case .refusal(let status, let text): .failure(Refusal(status: status, text: text))
            default: nil
            }
        }
    }

    struct Refusal: Error, Equatable {
        let status: Int32
        let text: String
    }

    static func registration(host: String = "host", holding: [AttemptID] = []) -> [UInt8] {
        var registration = Registration(
            session: (0..<16).map { _ in UInt8.random(in: 0...255) }, host: host, process: 1, slots: 1, version: "1",
            fingerprint: "another")
        registration.holding = holding
        return Message.registration(registration).encoded()
    }

    static func text(chains: Int, block: Int, name: String = "wide") -> String {
        """
        {"rrr": 1, "name": "\(name)", "models": {"a": {"kind": "gaussian", "mean": [0], "covariance": [[1]]}}, \
        "target": "a", "schedule": {"kind": "cosine", "levels": 2}, \
        "sampler": {"kind": "ula", "step_size": 0.1}, "chains": \(chains), "block": \(block)}
        """
    }

    /// A message from a connection that never reads, as ZeroMQ frames it.
    func mute() throws -> RawPeer {
        let peer = try #require(RawPeer(address))
        peer.introduce()
        return peer
    }
}

@Suite("A coordinator under attack", .oneAtATime)
struct AttackTests {
    @Test("A job of more blocks than a pool takes is refused with what to change; one that just fits costs little")
    func manyBlocks() async throws {
        let commands = try Commands()
        let pool = try await AttackedPool(commands)
        defer { pool.end() }
        let dealer = try pool.dealer()
        guard case .failure(let refusal) = try pool.submit(AttackedPool.text(chains: 1 << 32, block: 1), by: dealer)
        else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.status == 75)
        #expect(refusal.text.contains("make \"block\" 256 or more"))
        let (blocks, before) = (1 << 24, try AttackedPool.highestMemory(pool.serve.identifier))
        let job = try #require(try pool.submit(AttackedPool.text(chains: blocks, block: 1), by: dealer)).get()
        // Somebody claims to run its last block, and others in between, and leaves.
        let claims = [blocks - 1, blocks / 2, blocks / 3].map { AttemptID(job: job, block: $0, attempt: 1) }
        let liar = try pool.dealer()
        try pool.send(AttackedPool.registration(holding: claims), by: liar)
        try pool.send(Message.goodbye(reason: "done").encoded(), by: liar)
        // It has said that it is a worker, and workers do not ask.
        try pool.send(Message.statusRequest(job: job).encoded(), by: liar)
        let forbidden = try pool.answer(to: liar) { if case .refusal(let status, _) = $0 { status } else { nil } }
        #expect(forbidden == 77)
        try pool.send(Message.statusRequest(job: job).encoded(), by: dealer)
        let status = try pool.answer(to: dealer) { if case .poolStatus(let status) = $0 { status } else { nil } }
        #expect(status?.jobs.count == 1)
        #expect(try AttackedPool.highestMemory(pool.serve.identifier) - before < 40 << 20)
    }

    @Test("All attacks together cost less than 300 MB, and an honest job comes to the same bytes")
    func everything() async throws {
        let commands = try Commands()
        let pool = try await AttackedPool(commands, openFiles: 1_024)
        defer { pool.end() }
        let honest = try commands.job(chains: 8_192, levels: 4, transitions: 1, draws: 64)
        func submit(_ label: String) async throws -> Commands.Ending {
            try await commands.run(
                "rrr-coordinator",
                ["submit", honest, "--coordinator", pool.address, "--output", commands.path(label), "--force"],
                label: label)
        }
        let first = try await submit("first")
        #expect(first.status == 0, "\(first.errors)")
        let before = try AttackedPool.highestMemory(pool.serve.identifier)
        let summary = try String(contentsOfFile: commands.path("first") + "/provenance.json", encoding: .utf8)
        let identity = try #require(
            Digest(hex: summary.components(separatedBy: "\"job\": \"")[1].prefix(64).description))

        // Who asks and never reads.
        let fetch = Message.fetch(job: identity, file: "samples.npy", offset: 0, length: 1 << 30).encoded()
        let mutes = try (0..<2).map { _ in try pool.mute() }
        for mute in mutes { for _ in 0..<300 { mute.write(frames: [fetch]) } }
        // Who sends what nobody can be asked to read, and a message without end.
        let crowd = try (0..<40).map { _ in try pool.mute() }
        let threads = crowd.map { peer in
            Thread {
                let bytes = Message.submit(
                    jobText: [UInt8](repeating: 0x20, count: 60 << 20), force: false, watch: false
                ).encoded()
                peer.write(frames: [bytes])
            }
        }
        for thread in threads { thread.start() }
        let endless = try pool.mute()
        Thread {
            for _ in 0..<300 where !endless.isEnded {
                endless.write([3] + [0, 0, 0, 0, 0, 0x10, 0, 0] + [UInt8](repeating: 0, count: 1 << 20))
            }
        }.start()
        // Who knows no protocol, many times over.
        let noisy = try pool.dealer()
        for round in 0..<20_000 { try pool.send([0xFF, UInt8(round % 256), 7], by: noisy) }
        let second = try await submit("second")
        #expect(second.status == 0, "\(second.errors)")
        #expect(try commands.bytes(of: commands.path("second")) == commands.bytes(of: commands.path("first")))

        // Who has a long name.
        for _ in 0..<70 {
            let host = String(repeating: "\u{1B}[31m", count: 200_000)
            try pool.send(AttackedPool.registration(host: host), by: try pool.dealer())
        }
        let workers = try await commands.run(
            "rrr-coordinator", ["workers", "--coordinator", pool.address], label: "workers")
        #expect(workers.status == 0, "\(workers.errors)")
        #expect(!workers.output.contains("\u{1B}[31m"))
        // Who comes and says nothing: in another process, for the sake of this one's open files.
        let idle = try pool.connections(1_300)
        defer { idle.signal(SIGKILL) }
        try await commands.wait(for: "held 1300", in: "idle.out")
        let third = try await submit("third")
        #expect(third.status == 0, "\(third.errors)")
        #expect(try commands.bytes(of: commands.path("third")) == commands.bytes(of: commands.path("first")))

        let most = try AttackedPool.highestMemory(pool.serve.identifier)
        #expect(most - before < 300 << 20, "\(before >> 20) MB before, \(most >> 20) MB at most")
        let log = try String(contentsOfFile: commands.path("serve.err"), encoding: .utf8)
        #expect(log.split(separator: "\n").count < 1_000)
        #expect(!log.contains("\u{1B}"))
        withExtendedLifetime((mutes, crowd, endless)) {}
    }

    @Test("A pool keeps little of jobs that are over")
    func finishedJobs() async throws {
        let commands = try Commands()
        let pool = try await AttackedPool(commands)
        defer { pool.end() }
        // About 500 kB of text.
        let means = (0..<16).map { mean in
            "[" + (0..<4_096).map { "\(Double(mean * 4_096 + $0) / 16)" }.joined(separator: ",") + "]"
        }.joined(separator: ",")
        let dealer = try pool.dealer()
        func run(_ seeds: Range<Int>) throws {
            for seed in seeds {
                let text = """
                    {"rrr": 1, "name": "long", "seed": \(seed), "models": {"a": {"kind": "gaussian_mixture", \
                    "means": [\(means)], "std": 1}}, "target": "a", "schedule": {"kind": "cosine", "levels": 1}, \
                    "sampler": {"kind": "ula", "step_size": 0.1, "transitions": 1}, "chains": 1, "block": 1}
                    """
                try pool.send(
                    Message.submit(jobText: Array(text.utf8), force: false, watch: true).encoded(), by: dealer)
                let end = try pool.answer(to: dealer) { message -> String? in
                    switch message {
                    case .event(let status) where status.state.isOver: "\(status.state)"
                    case .refusal(_, let text): text
                    default: nil
                    }
                }
                #expect(end == "finished")
            }
        }
        func memory() throws -> [Int] {
            try [pool.serve, pool.worker].map { try AttackedPool.memory($0.identifier, "VmRSS:") }
        }
        let few = Int(ProcessInfo.processInfo.environment["RRR_TEST_FEW_JOBS"] ?? "") ?? 6
        let many = Int(ProcessInfo.processInfo.environment["RRR_TEST_MANY_JOBS"] ?? "") ?? 36
        try run(0..<few)
        let before = try memory()
        try run(few..<many)
        let after = try memory()
        if many > 36 { print("memory of coordinator and worker:", before, after) }
        for (before, after) in zip(before, after) {
            // Kept, the texts alone would take as much again.
            #expect(after - before < (many - few) * 500_000 / 2, "\(before >> 20) MB, then \(after >> 20) MB")
        }
    }
}
