import ArgumentParser
import CommandFrame
import Coordinator
import Messaging
import PoolKeys

/// A process of its own: keys are not made beside sockets that use some.
struct Keygen: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make the keys of a pool, or one more pair for it.",
        discussion: """
            Makes server.key, worker.key, submitter.key and status.key in a folder that nobody else may look into, and \
            the list of those who are let in. serve takes the folder, everybody else one file: --keys, or RRR_KEYS.
            """)

    @Argument(help: "The folder; with --add one that was made before.")
    var folder: String

    @Option(help: "Make one more pair, for a worker, a submitter or status; it is let in after keys reload.")
    var add: PeerRole?

    @Option(help: "What the new pair is called: lower-case letters, digits and hyphens.")
    var name: String?

    func validate() throws {
        guard (add == nil) == (name == nil) else {
            throw ValidationError("--add needs --name, and --name --add: keygen DIR --add worker --name node7.")
        }
    }

    func run() throws {
        try reportingFailure {
            let keys = KeyFolder(folder)
            let files = if let add, let name { try keys.add(add, named: name) } else { try keys.generate() }
            for file in files { try printResult(file) }
        }
    }
}

extension PeerRole: ExpressibleByArgument {}

struct Keys: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look after the keys that a coordinator lets in.", subcommands: [Reload.self])

    struct Reload: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a coordinator read again whom it lets in, as SIGHUP does; who is let in no more is cut off.")

        @OptionGroup var connection: CoordinatorOption

        func run() throws {
            try reportingFailure {
                var client = try connection.client()
                let count = try client.ask(.reloadKeys) { answer -> Int? in
                    if case .keysReloaded(let allowed) = answer { allowed } else { nil }
                }
                try printResult("\(count) keys are let in")
            }
        }
    }
}
