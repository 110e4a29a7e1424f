import Foundation
import Messaging
import PoolKeys
import Testing

/// A coordinator with keys at a TCP port, and one honest worker.
struct GuardedPool {
    let commands: Commands
    let serve: Commands.Started
    let worker: Commands.Started
    let address: String
    let keys: String

    /// - Parameters:
    ///   - more: arguments of `serve`.
    ///   - makesKeys: false if the folder of keys is there.
    init(_ commands: Commands, _ more: [String] = [], makesKeys: Bool = true) async throws {
        self.commands = commands
        keys = commands.path("keys")
        if makesKeys {
            let made = try await commands.run("rrr-coordinator", ["keygen", keys], label: "keygen")
            #expect(made.status == 0, "\(made.errors)")
        }
        serve = try commands.start(
            "rrr-coordinator",
            ["serve", "--listen", "tcp://0.0.0.0:*", "--state", commands.path("state"), "--keys", keys] + more,
            label: "serve", environment: ["RRR_LOG_LEVEL": "info"])
        let line = try await commands.wait(for: "listening at ", in: "serve.err")
        let port = line.split(separator: ":").last.map(String.init) ?? ""
        address = "tcp://127.0.0.1:\(port)"
        worker = try commands.start(
            "rrr-worker", ["--coordinator", address, "--slots", "1", "--keys", keys], label: "worker")
    }

    func end() {
        for process in [worker, serve] { process.signal(SIGKILL) }
        commands.remove()
    }

    /// Runs a command for this pool with a file of keys; nil for none.
    func run(_ arguments: [String], keys file: String?, label: String) async throws -> Commands.Ending {
        let keys = file.map { ["--keys", $0.isEmpty ? self.keys : "\(self.keys)/\($0)"] } ?? []
        return try await commands.run(
            "rrr-coordinator", arguments + ["--coordinator", address] + keys, label: label)
    }

    /// How often what was not taken.
    func refused() async throws -> [String: Int] {
        let status = try await run(["status", "--pool", "--json"], keys: "status.key", label: "pool")
        let pool = try JSONSerialization.jsonObject(with: Data(status.output.utf8)) as? [String: Any]
        #expect(pool?["protection"] as? String == "keys")
        return pool?["refused"] as? [String: Int] ?? [:]
    }

    /// A connection with the keys of a role.
    func dealer(_ role: PeerRole) throws -> DealerSocket {
        try dealer(try KeyFolder.clientKeys("\(keys)/\(role.rawValue).key", for: [role]))
    }

    func dealer(_ keys: ClientKeys?) throws -> DealerSocket {
        try DealerSocket(MessagingContext(), connectingTo: address, keys: keys)
    }

    /// Says something as soon as that can be, and waits for answers, for a second at most.
    func answers(to message: [UInt8], by dealer: DealerSocket, atMost limit: Duration = .seconds(1)) throws -> [Message]
    {
        let wakeup = Wakeup()
        let end = ContinuousClock.now + limit
        var (answers, isSent): ([Message], Bool) = ([], false)
        while ContinuousClock.now < end, answers.isEmpty {
            if !isSent { isSent = try dealer.send(message) }
            try dealer.wait(for: wakeup, atMost: .milliseconds(5))
            while let bytes = try dealer.receive() { answers.append(try Message.decode(bytes)) }
        }
        return answers
    }

    var memory: Int {
        let status = (try? String(contentsOfFile: "/proc/\(serve.identifier)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (Int(line?.filter(\.isNumber) ?? "") ?? 0) << 10
    }
}
