import CoordinatorCore
import Logging
import Messaging
import PoolKeys

/// Where peers with keys come in: the gate, and who has come in by which connection.
final class Entrance {
    let gate: Gate
    private let folder: KeyFolder
    private let logger: Logger
    /// Who was last heard over a connection.
    private var guests: [Connection: Credential] = [:]

    /// Reads keys and allow-list. - Throws: `KeyError`; ``MessagingError``.
    init(_ folder: KeyFolder, logger: Logger) throws {
        (self.folder, self.logger) = (folder, logger)
        gate = try Gate(MessagingContext(), pair: try folder.serverPair(), allowed: try folder.allowList())
        logger.notice("\(gate.count) keys are let in")
    }

    /// Takes in whose message has come.
    func note(_ credential: Credential?, of connection: Connection) { guests[connection] = credential }

    /// Reads the allow-list again. Whoever is let in no more is not heard from now on, and their connections end.
    ///
    /// - Returns: how many keys are let in, or why the list can't be read; then the old one holds on.
    func read(_ watch: ConnectionWatch?, _ host: inout CoordinatorHost) -> Result<Int, CoordinatorCore.KeysUnread> {
        do throws(KeyError) {
            let gone = gate.replace(try folder.allowList())
            logger.notice("the allow-list was read: \(gate.count) keys are let in, \(gone.count) no more")
            if !gone.isEmpty {
                let revoked = guests.filter { gone.contains($0.value) }.map(\.key)
                for connection in revoked { guests[connection] = nil }
                // Of those that have said nothing nobody knows whose they are: who is let in comes again.
                watch?.endAll { guests[$0] == nil }
                for connection in revoked { connection.end() }
                host.handle(.revoked(gone))
            }
            return .success(gate.count)
        } catch {
            logger.error("the allow-list was not read, the old one holds on: \(error)")
            return .failure(.init(exitStatus: error.exitStatus, reason: "\(error)"))
        }
    }
}
