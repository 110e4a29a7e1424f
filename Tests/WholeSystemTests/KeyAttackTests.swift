import ContentHash
import Foundation
import Messaging
import PoolKeys
import RawPeers
import Testing

@Suite("A pool that is protected by keys", .oneAtATime)
struct KeyAttackTests {
    private static let registration = Message.registration(
        Registration(
            session: [UInt8](repeating: 7, count: 16), host: "liar", process: 1, slots: 64, version: "1",
            fingerprint: "another")
    ).encoded()
    private static let question = Message.statusRequest(job: nil).encoded()
    private static let submission = Message.submit(jobText: Array("{}".utf8), force: false, watch: true).encoded()

    @Test("Nobody without the right key gets work, results or status; the job goes on, each is counted and named")
    func strangers() async throws {
        let commands = try Commands()
        let pool = try await GuardedPool(commands)
        defer { pool.end() }
        let job = try commands.job(chains: 8_000, levels: 30)
        let alone = try await commands.run(
            "rrr-coordinator", ["submit", job, "--workers", "1", "--output", commands.path("alone")], label: "alone")
        #expect(alone.status == 0)
        let honest = try commands.start(
            "rrr-coordinator",
            ["submit", job, "--coordinator", pool.address, "--keys", pool.keys, "--output", commands.path("out")],
            label: "honest")
        try await commands.wait(for: "begins: ", in: "serve.err")
        let before = pool.memory

        let worker = try KeyFolder.clientKeys(pool.keys, for: [.worker])
        let other = try await commands.run("rrr-coordinator", ["keygen", commands.path("other")], label: "other")
        #expect(other.status == 0)
        let stranger = try KeyFolder.clientKeys(commands.path("other"), for: [.worker])
        // No key; an unknown one; a known one at what is taken for another coordinator.
        let strangers: [ClientKeys?] = [
            nil, ClientKeys(pair: stranger.pair, server: worker.server),
            ClientKeys(pair: worker.pair, server: stranger.server),
        ]
        for keys in strangers {
            for message in [Self.registration, Self.question, Self.submission] {
                #expect(try pool.answers(to: message, by: try pool.dealer(keys), atMost: .milliseconds(300)).isEmpty)
            }
        }
        // Without a key it may find each time that the other side hangs up before it has read why.
        let others: [(file: String?, statuses: [Int32])] = [
            (nil, [77, 69]), (commands.path("other/submitter.key"), [69]),
        ]
        for (file, statuses) in others {
            let keys = file.map { ["--keys", $0] } ?? []
            for question in [["status"], ["keys", "reload"]] {
                let ending = try await commands.run(
                    "rrr-coordinator", question + ["--coordinator", pool.address] + keys, label: "asked")
                #expect(statuses.contains(ending.status), "\(question): \(ending.errors)")
                #expect(ending.output.isEmpty && ending.errors.contains("--keys"), "\(ending.errors)")
            }
        }
        // Noise before any key, greetings cut off, and a conversation that was overheard.
        let noise = (0..<(64 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 7) }
        let greeting: [UInt8] = [0xFF] + [UInt8](repeating: 0, count: 8) + [0x7F, 3, 0] + Array("CURVE".utf8)
        for bytes in [
            noise, Array(noise[0..<100]), greeting, greeting + [UInt8](repeating: 0, count: 47) + [4, 200, 5],
        ] {
            try #require(RawPeer(pool.address)).write(bytes)
        }
        let relay = try #require(RecordingRelay(to: pool.address))
        let overheard = try DealerSocket(
            MessagingContext(), connectingTo: relay.endpoint,
            keys: try KeyFolder.clientKeys(pool.keys, for: [.submitter]))
        #expect(!(try pool.answers(to: Self.question, by: overheard, atMost: .seconds(5))).isEmpty)
        let recording = relay.recording
        #expect(recording.count > 300)
        // What was said is not to be read by who overhears it.
        #expect(recording.firstRange(of: Self.question) == nil)
        for length in [recording.count, recording.count - 1, recording.count / 2, 100, 64, 12] {
            try #require(RawPeer(pool.address)).write(Array(recording[..<length]))
        }

        let ending = try await commands.ending(of: honest, label: "honest")
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(try commands.bytes(of: commands.path("out")) == commands.bytes(of: commands.path("alone")))
        #expect(pool.memory - before < 100 << 20)
        let refused = try await pool.refused()
        #expect(refused["keys", default: 0] >= 3, "\(refused)")
        #expect(refused["handshakes", default: 0] >= 6, "\(refused)")
        let workers = try await pool.run(["workers"], keys: "status.key", label: "workers")
        #expect(!workers.output.contains("liar"))
        let log = try String(contentsOfFile: commands.path("serve.err"), encoding: .utf8)
        #expect(log.contains("is not in the allow-list (from 127.0.0.1)"))
        #expect(log.contains("another coordinator's key"))
        #expect(log.split(separator: "\n").count { $0.contains("not let in") } < 100)
        for name in ["server", "worker", "submitter", "status"] {
            let secret = try String(contentsOfFile: "\(pool.keys)/\(name).key", encoding: .utf8)
                .components(separatedBy: "\"secret\": \"")[1].prefix(40)
            #expect(!log.contains(secret))
        }
    }

    @Test(
        "Whoever has a key and floods the coordinator with whole messages costs it little memory, and holds nobody up")
    func floods() async throws {
        let commands = try Commands()
        let pool = try await GuardedPool(commands)
        defer { pool.end() }
        let before = pool.memory
        var registration = Registration(
            session: [UInt8](repeating: 7, count: 16), host: "liar", process: 1, slots: 1, version: "1",
            fingerprint: "another")
        registration.holding = (0..<6_000).map {
            AttemptID(job: SHA256.hash(of: [1]), block: $0, attempt: 1)
        }
        let long = Message.registration(registration).encoded()
        // A question in an envelope that is filled up with what nobody reads: field 9, a quarter of a megabyte of it.
        let padded = Self.question + [0x4A, 0x80, 0x80, 0x10] + [UInt8](repeating: 0, count: 1 << 18)
        for (role, message) in [(PeerRole.status, long), (.status, padded), (.worker, long)] {
            let dealers = try (0..<3).map { _ in try pool.dealer(role) }
            let end = ContinuousClock.now + .seconds(2)
            var sent = 0
            while ContinuousClock.now < end {
                for dealer in dealers where try dealer.send(message) { sent += 1 }
            }
            #expect(sent > 100)
            let clock = ContinuousClock.now
            #expect(try await pool.run(["workers"], keys: "submitter.key", label: "workers").status == 0)
            #expect(ContinuousClock.now - clock < .seconds(10))
        }
        #expect(pool.memory - before < 300 << 20, "\((pool.memory - before) >> 20) MB")
    }

    @Test("A key does what its role does and nothing else, whatever it says")
    func roles() async throws {
        let commands = try Commands()
        let pool = try await GuardedPool(commands)
        defer { pool.end() }
        let job = try commands.job(chains: 64)
        let done = try await pool.run(["submit", job, "--output", commands.path("out")], keys: "", label: "submit")
        #expect(done.status == 0, "\(done.errors)")
        let hash = try #require(
            Digest(
                hex: String(
                    try String(contentsOfFile: commands.path("out/provenance.json"), encoding: .utf8)
                        .components(separatedBy: "\"job\": \"")[1].prefix(64))))
        func isRefused(_ message: Message, to role: PeerRole) throws -> Bool {
            let answers = try pool.answers(to: message.encoded(), by: try pool.dealer(role), atMost: .seconds(5))
            return answers.count == 1
                && answers.allSatisfy {
                    switch $0 {
                    case .refusal(77, _), .drain(_, 77): true
                    default: false
                    }
                }
        }
        let text = Array(try String(contentsOfFile: job, encoding: .utf8).utf8)
        let submitting: [Message] = [
            .submit(jobText: text, force: true, watch: false), .cancel(job: hash), .control(job: hash, .pause),
            .delete(job: hash),
            .fetch(job: hash, file: "samples.npy", offset: 0, length: 64), .reloadKeys,
        ]
        for message in submitting + [.statusRequest(job: nil), .workersRequest, .explain(job: hash, chain: nil)] {
            #expect(try isRefused(message, to: .worker), "\(message)")
        }
        for message in submitting { #expect(try isRefused(message, to: .status), "\(message)") }
        for role in [PeerRole.submitter, .status] {
            #expect(try isRefused(try Message.decode(Self.registration), to: role))
            #expect(try isRefused(.heartbeat(), to: role))
        }
        #expect(try await pool.run(["workers"], keys: "status.key", label: "workers").status == 0)
        #expect(try await pool.refused()["roles"] == 19)
        let wrong = try await commands.run(
            "rrr-worker", ["--coordinator", pool.address, "--keys", pool.keys + "/submitter.key"], label: "wrong")
        #expect(wrong.status == 77, "\(wrong.errors)")
    }

    @Test(
        "A key that is taken off the list is cut off at once, and its blocks go on elsewhere", arguments: [true, false])
    func revocation(byCommand: Bool) async throws {
        let commands = try Commands()
        let pool = try await GuardedPool(commands)
        defer { pool.end() }
        let added = try await commands.run(
            "rrr-coordinator", ["keygen", pool.keys, "--add", "worker", "--name", "node7"], label: "add")
        #expect(added.status == 0, "\(added.errors)")
        func reload(_ label: String) async throws {
            guard byCommand else { return pool.serve.signal(SIGHUP) }
            #expect(try await pool.run(["keys", "reload"], keys: "", label: label).status == 0)
        }
        try await reload("reload1")
        try await commands.wait(for: "4 keys are let in, 0 no more", in: "serve.err")
        let second = try commands.start(
            "rrr-worker", ["--coordinator", pool.address, "--slots", "1", "--keys", pool.keys + "/node7.key"],
            label: "second")
        try await commands.wait(for: "registered as worker", in: "second.err")
        let job = try commands.job(chains: 8_000, levels: 30)
        let submit = try commands.start(
            "rrr-coordinator",
            ["submit", job, "--coordinator", pool.address, "--keys", pool.keys, "--output", commands.path("out")],
            label: "submit")
        try await commands.wait(for: "begins: ", in: "serve.err")
        try await Task.sleep(for: .milliseconds(300))
        try FileManager.default.removeItem(atPath: pool.keys + "/allowed/node7.pub")
        try await reload("reload2")
        let start = ContinuousClock.now
        let ending = try await commands.ending(of: second, label: "second")
        #expect(ContinuousClock.now - start < .seconds(2))
        #expect(ending.status == 77, "\(ending.errors)")
        let done = try await commands.ending(of: submit, label: "submit")
        #expect(done.status == 0, "\(done.errors)")
        let alone = try await commands.run(
            "rrr-coordinator", ["submit", job, "--workers", "1", "--output", commands.path("alone")], label: "alone")
        #expect(alone.status == 0)
        #expect(try commands.bytes(of: commands.path("out")) == commands.bytes(of: commands.path("alone")))
        // A list that can't be trusted changes nothing.
        try Data("{".utf8).write(to: URL(filePath: pool.keys + "/allowed/bad.pub"))
        if byCommand {
            #expect(try await pool.run(["keys", "reload"], keys: "", label: "reload3").status == 65)
        } else {
            pool.serve.signal(SIGHUP)
        }
        try await commands.wait(for: "the old one holds on", in: "serve.err")
        #expect(try await pool.run(["status"], keys: "", label: "status").status == 0)
    }

    @Test("Members that send garbage, or too much, are refused and hung up on; the others feel nothing")
    func members() async throws {
        let commands = try Commands()
        let pool = try await GuardedPool(commands, ["--limit", "jobs=3", "--limit", "requests=50"])
        defer { pool.end() }
        let before = pool.memory
        // Every message with every byte changed in turn, from its own role.
        let attempt = AttemptID(job: SHA256.hash(of: [1]), block: 0, attempt: 1)
        let words: [(PeerRole, Message)] = [
            (.worker, try Message.decode(Self.registration)), (.worker, .heartbeat(lease: 3, holding: 1)),
            (.worker, .progress(BlockProgress(attempt: attempt, stepsDone: 1, stepsTotal: 2, acceptance: 0.5))),
            (.worker, .checkpoint(BlockState(attempt: attempt, stepsDone: 1, state: [1, 2, 3]))),
            (.worker, .failure(attempt, text: "no")),
            (.worker, .modelRequest(ModelRequest(model: attempt.job, offset: 0, length: 64))),
            (.submitter, .fetch(job: attempt.job, file: "../../journal.sqlite", offset: 0, length: 64)),
            (.submitter, .control(job: attempt.job, .priority(3))), (.submitter, .cancel(job: attempt.job)),
            (.submitter, .submit(jobText: Array("{}".utf8), force: false, watch: false)),
        ]
        let wakeup = Wakeup()
        for (role, message) in words {
            let dealer = try pool.dealer(role)
            let bytes = message.encoded()
            for place in bytes.indices {
                for change: UInt8 in [0x01, 0x80, 0xFF] {
                    var garbage = bytes
                    garbage[place] ^= change
                    _ = try dealer.send(garbage)
                }
                if place % 16 == 0 { try dealer.wait(for: wakeup, atMost: .milliseconds(1)) }
                while try dealer.receive() != nil {}
            }
        }
        let noisy = try pool.dealer(.worker)
        for round in 0..<400 {
            _ = try noisy.send([0xFF, UInt8(round % 256), 7])
            if round % 50 == 0 { try noisy.wait(for: wakeup, atMost: .milliseconds(5)) }
        }
        // One byte more than a message may have ends its connection.
        let large = try pool.dealer(.submitter)
        let answers = try pool.answers(
            to: [UInt8](repeating: 1, count: DecodingLimits().messageBytes + 1), by: large, atMost: .seconds(3))
        #expect(answers.isEmpty)
        let done = try await pool.run(
            ["submit", try commands.job(chains: 64), "--output", commands.path("out")], keys: "", label: "submit")
        #expect(done.status == 0, "\(done.errors)")

        // More jobs than are taken on, and more questions.
        var refusals = 0
        for seed in 0..<20 {
            let file = try commands.job(chains: 1_000_000 + seed, levels: 100)
            let ending = try await pool.run(["submit", file, "--detach"], keys: "", label: "many")
            if ending.status == 75 {
                refusals += 1
                #expect(ending.errors.contains("no more than 3 "), "\(ending.errors)")
            }
        }
        #expect(refusals == 17)
        let dealer = try pool.dealer(.status)
        let told = try pool.answers(to: Self.question, by: dealer, atMost: .seconds(3))
        #expect(!told.isEmpty)
        var asked = 0
        for _ in 0..<2_000 where asked < 500 {
            if try dealer.send(Self.question) {
                asked += 1
            } else {
                try dealer.wait(for: wakeup, atMost: .milliseconds(1))
            }
        }
        try await Task.sleep(for: .seconds(2))
        let refused = try await pool.refused()
        #expect(refused["jobs"] == 17, "\(refused)")
        #expect(refused["requests", default: 0] > 100, "\(refused)")
        #expect(refused["unreadable", default: 0] > 100, "\(refused)")
        #expect(refused["connections", default: 0] > 0, "\(refused)")
        // The one large message is let in as far as it may be, and given back.
        #expect(pool.memory - before < 100 << 20 + DecodingLimits().messageBytes)
        let log = try String(contentsOfFile: commands.path("serve.err"), encoding: .utf8)
        #expect(log.split(separator: "\n").count < 600)
    }

    @Test("Beyond this host a coordinator listens with keys, or says everywhere that it is insecure")
    func insecure() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let refused = try await commands.run(
            "rrr-coordinator", ["serve", "--listen", "tcp://0.0.0.0:*", "--state", commands.path("state")], label: "no")
        #expect(refused.status == 64)
        #expect(refused.errors.contains("rrr-coordinator keygen"))
        let serve = try commands.start(
            "rrr-coordinator",
            ["serve", "--listen", "tcp://0.0.0.0:*", "--state", commands.path("state"), "--insecure"], label: "serve")
        defer { serve.signal(SIGKILL) }
        try await commands.wait(for: "INSECURE", in: "serve.err")
        let port = try await commands.wait(for: "listening at ", in: "serve.err").split(separator: ":").last ?? ""
        let address = "tcp://127.0.0.1:\(port)"
        let status = try await commands.run("rrr-coordinator", ["status", "--coordinator", address], label: "status")
        #expect(status.output.contains("INSECURE"))
        let workers = try await commands.run(
            "rrr-coordinator", ["workers", "--coordinator", address], label: "workers")
        #expect((workers.output + workers.errors).contains("INSECURE"))
        let keys = commands.path("keys")
        #expect(try await commands.run("rrr-coordinator", ["keygen", keys], label: "keygen").status == 0)
        let both = try await commands.run(
            "rrr-coordinator", ["serve", "--listen", "tcp://0.0.0.0:*", "--insecure", "--keys", keys], label: "both")
        #expect(both.status == 64)
        // Keys that others may read.
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: keys + "/server.key")
        let wide = try await commands.run(
            "rrr-coordinator", ["serve", "--listen", "tcp://0.0.0.0:*", "--keys", keys], label: "wide")
        #expect(wide.status == 77, "\(wide.errors)")
        // Keys in the environment are for a coordinator that is named, not for local workers.
        let local = try commands.start(
            "rrr-coordinator",
            ["submit", try commands.job(chains: 64), "--workers", "1", "--output", commands.path("out")],
            label: "local", environment: ["RRR_KEYS": keys])
        #expect(try await commands.ending(of: local, label: "local").status == 0)
    }
}
