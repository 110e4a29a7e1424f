import Glibc
import OpenFiles

/// Keeps what peers send, and how many they are, from taking a router's process down: ends the connections that hold
/// too much memory with what is no message yet, and some of those that say nothing before the last open file is taken.
///
/// For TCP. Who may connect to a local socket is decided by its file.
package final class ConnectionWatch {
    /// How much is let in.
    package struct Limits: Sendable {
        /// Bytes on their way in one connection: more than the longest message, whose parts may be many.
        package var connectionBytes = 80 << 20
        /// Bytes on their way from all peers together that are not trusted.
        package var strangersBytes = 64 << 20
        /// The same from those that are: a worker's result may have 64 MB.
        package var trustedBytes = 1 << 30
        /// Open files that are kept free; at most an eighth of all.
        package var freeFiles = 64
        /// How long a connection may say nothing after it began.
        package var silence = Duration.seconds(30)

        /// The defaults.
        package init() {}
    }

    private struct Account {
        /// Nil until it is looked at.
        var identity: Connection.Identity?
        /// Bytes of its messages.
        var taken = 0
        var isHeard = false
        var isHeardAnew = false
        /// The sweep that saw it first, and when that was.
        let since: Int
        let begin: Duration
    }

    /// Memory may grow by so much before connections are looked at.
    private static let step = 16 << 20
    private static let pause = Duration.milliseconds(10)
    private static let longestPause = Duration.seconds(1)
    /// Open files that stay scarce are looked at no more often than this: those who hold them may all be trusted.
    private static let pauseOfScarcity = Duration.milliseconds(200)

    /// What CURVE adds to each message: a name, a number that is used once, and a seal (RFC 26).
    private static let seal = 33

    private let port: UInt16
    private let isEncrypted: Bool
    private let limits: Limits
    private let process = ProcessFiles()
    private var accounts: [Connection: Account] = [:]
    private var sweeps = 0
    private var lastLook = Duration.zero
    private var lastSweep = Duration.zero
    private var lastMemory = 0
    private var lastFree = Int.max

    /// - Parameters:
    ///   - endpoint: where the router listens; nil comes of one that is not a TCP port.
    ///   - isEncrypted: whether it lets nobody in without a key.
    package init?(of endpoint: String, isEncrypted: Bool, limits: Limits = Limits()) {
        guard endpoint.hasPrefix("tcp://"), let port = endpoint.split(separator: ":").last.flatMap({ UInt16($0) })
        else { return nil }
        self.port = port
        (self.isEncrypted, self.limits) = (isEncrypted, limits)
    }

    /// Takes in that a message has come.
    package func note(_ bytes: Int, from connection: Connection) {
        if accounts[connection] == nil { accounts[connection] = Account(since: sweeps, begin: lastSweep) }
        let sent = bytes + (isEncrypted ? Self.seal : 0)
        accounts[connection]?.taken += sent + (sent < 256 ? 2 : 9)
        accounts[connection]?.isHeardAnew = true
    }

    /// Looks at memory and open files, and at the connections if these have become many; to be called often.
    ///
    /// - Parameter isTrusted: whether a peer's connection is that of somebody who is known.
    /// - Returns: what was done, in words; nil if nothing.
    package func look(at now: Duration, isTrusted: (Connection.Identity) -> Bool) -> String? {
        guard now - lastLook >= Self.pause else { return nil }
        lastLook = now
        let memory = process.residentBytes
        let (free, files) = Self.freeFiles
        let least = min(limits.freeFiles, files / 8)
        let isScarce = free < least && (free < lastFree || now - lastSweep > Self.pauseOfScarcity)
        guard memory > lastMemory + Self.step || now - lastSweep > Self.longestPause || isScarce else {
            lastMemory = min(lastMemory, memory)
            return nil
        }
        (lastMemory, lastSweep, lastFree) = (memory, now, free)
        let connections = sweep()
        let heavy = endHeaviest(connections, isTrusted)
        let mute = endMute(connections, isTrusted)
        let silent = free < least ? endSilent(connections, 2 * least - free, isTrusted) : 0
        if heavy > 0 { return "\(heavy) connections were ended that held too much memory with unfinished messages" }
        if mute > 0 { return "\(mute) connections were ended that had said nothing for \(limits.silence)" }
        if silent > 0 { return "\(silent) connections were ended that said nothing: open files run short" }
        return nil
    }

    private typealias Found = (connection: Connection, identity: Connection.Identity, bytes: Int)

    /// All connections with the bytes that are on their way in them.
    private func sweep() -> [Found] {
        sweeps += 1
        var all: [Found] = []
        var open: [Connection: Account] = [:]
        for descriptor in process.descriptors {
            let connection = Connection(descriptor: descriptor)
            guard connection.isAccepted(at: port), let received = connection.bytesReceived else { continue }
            let identity = connection.identity
            var account = accounts[connection] ?? Account(since: sweeps, begin: lastSweep)
            if account.identity != identity {
                // A new one: what came before it was first looked at is not counted.
                let isHeard = account.isHeardAnew
                account = Account(
                    identity: identity, taken: received, isHeard: isHeard, since: sweeps, begin: lastSweep)
            }
            account.isHeard = account.isHeard || account.isHeardAnew
            account.isHeardAnew = false
            account.taken = min(account.taken, received)
            open[connection] = account
            all.append((connection, identity, received - account.taken))
        }
        accounts = open
        return all
    }

    private func endHeaviest(_ connections: [Found], _ isTrusted: (Connection.Identity) -> Bool) -> Int {
        var ended = 0
        for (trusted, most) in [(true, limits.trustedBytes), (false, limits.strangersBytes)] {
            let group = connections.filter { $0.bytes > 0 && isTrusted($0.identity) == trusted }
            var total = group.reduce(0) { $0 + $1.bytes }
            for (connection, _, bytes) in group.sorted(by: { $0.bytes > $1.bytes })
            where total > most || bytes > limits.connectionBytes {
                connection.end()
                total -= bytes
                ended += 1
            }
        }
        return ended
    }

    /// More than greetings and keys take, in bytes: who has sent as much of a message may be on a slow line.
    private static let greeting = 4 << 10

    /// Ends those that have said nothing for too long.
    private func endMute(_ connections: [Found], _ isTrusted: (Connection.Identity) -> Bool) -> Int {
        let mute = connections.filter {
            guard let account = accounts[$0.connection], !account.isHeard, $0.bytes < Self.greeting else {
                return false
            }
            return lastSweep - account.begin > limits.silence && !isTrusted($0.identity)
        }
        for (connection, _, _) in mute { connection.end() }
        return mute.count
    }

    /// Ends all connections that meet a condition.
    package func endAll(where condition: (Connection) -> Bool) {
        for (connection, _, _) in sweep() where condition(connection) { connection.end() }
    }

    /// Ends those that had not said anything at the last sweep either: an honest peer speaks as soon as it is connected,
    /// and comes again. If these are fewer than `count`, others go with them, the oldest first and those that were heard
    /// last.
    private func endSilent(
        _ connections: [Found], _ count: Int, _ isTrusted: (Connection.Identity) -> Bool
    ) -> Int {
        let strangers = connections.filter { !isTrusted($0.identity) }.map(\.connection)
        let silent = strangers.filter { accounts[$0]?.isHeard == false }
        let others = strangers.filter { accounts[$0]?.isHeard == true }
        func oldest(_ a: Connection, _ b: Connection) -> Bool {
            (accounts[a]?.since ?? 0, a.descriptor) < (accounts[b]?.since ?? 0, b.descriptor)
        }
        let mute = silent.count { (accounts[$0]?.since ?? sweeps) < sweeps }
        let chosen = (silent.sorted(by: oldest) + others.sorted(by: oldest)).prefix(max(count, mute))
        for connection in chosen { connection.end() }
        return chosen.count
    }

    /// How many more files may be opened, roughly, and how many may be open in all.
    private static var freeFiles: (free: Int, all: Int) {
        let all = OpenFileLimit.current
        // The system gives the lowest number that is free.
        let next = dup(STDERR_FILENO)
        guard next >= 0 else { return (0, all) }
        close(next)
        return (all - Int(next), all)
    }
}

/// What the system tells of this process. The files are opened once: when it matters there may be none left to open.
private final class ProcessFiles {
    private let memory = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    private let folder = opendir("/proc/self/fd")

    deinit {
        if memory >= 0 { close(memory) }
        if let folder { closedir(folder) }
    }

    /// What the process has in memory.
    var residentBytes: Int {
        var line = [UInt8](repeating: 0, count: 128)
        let count = pread(memory, &line, line.count, 0)
        let words = String(decoding: line.prefix(max(0, count)), as: UTF8.self).split(separator: " ")
        return words.count > 1 ? (Int(words[1]) ?? 0) * Int(getpagesize()) : 0
    }

    /// The descriptors that are open now.
    var descriptors: [Int32] {
        guard let folder else { return [] }
        rewinddir(folder)
        var files: [Int32] = []
        while let entry = readdir(folder) {
            // In its place: an entry may be shorter than it is declared, and end with the memory that holds it.
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let file = Int32(name) { files.append(file) }
        }
        return files
    }
}
