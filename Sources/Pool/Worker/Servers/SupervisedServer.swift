import Dispatch
import EnergyModels
import Foundation
import Logging
import Messaging
import Synchronization

/// How long model servers may take.
package struct ServerLimits: Sendable, Equatable {
    /// From its start until a server answers.
    package var start: Duration = .seconds(600)
    /// For an evaluation, those that it waits behind included.
    package var evaluation: Duration = .seconds(300)
    /// Before one that has ended is started again; twice as long each time.
    package var firstPause: Duration = .milliseconds(500)
    /// The most that becomes of it.
    package var longestPause: Duration = .seconds(60)

    /// The defaults.
    package init() {}
}

/// A model server beside this worker: started, watched and started again.
final class SupervisedServer: ModelServer {
    /// What can be asked now.
    struct Life: Sendable {
        /// Counts the times that it was started or found.
        let number: Int
        let endpoint: String
        let description: ServerDescription
    }

    private struct State {
        var life: Life?
        /// Why there is none.
        var reason = "it has not answered yet"
        /// As it was first: another one is not taken for it.
        var known: ServerDescription?
        /// A life that is to end, and why.
        var condemned: (number: Int, reason: String)?
        var isEnding = false
    }

    let name: String
    let limits: ServerLimits
    let context: MessagingContext
    private let source: ServerOffer.Source
    private let folder: ServerFolder
    private let logger: Logger
    private let changed: @Sendable () -> Void
    private let state = Mutex(State())
    /// Signalled when there may be something to do.
    private let attention = DispatchSemaphore(value: 0)
    private let over = DispatchSemaphore(value: 0)

    /// Begins to look after it, on a thread of its own.
    ///
    /// - Parameter changed: called, from that thread, when it has become ready or is so no more.
    init(
        _ offer: ServerOffer, limits: ServerLimits, context: MessagingContext, folder: ServerFolder, logger: Logger,
        changed: @escaping @Sendable () -> Void
    ) {
        (name, source) = (offer.name, offer.source)
        (self.limits, self.context, self.folder, self.logger) = (limits, context, folder, logger)
        self.changed = changed
        Thread { [self] in
            supervise()
            over.signal()
        }.start()
    }

    /// What it is, once that is known.
    var description: ServerDescription? { state.withLock { $0.known } }

    var rows: Int { description?.rows ?? 1 }

    /// What can be asked now, or why nothing can.
    var standing: (life: Life?, reason: String) { state.withLock { ($0.life, $0.reason) } }

    func line() -> any ModelServerLine { ServerLine(to: self) }

    /// Tells people where in the server something went wrong.
    func log(traceback: String) {
        for line in traceback.split(separator: "\n") { logger.warning("server \(name): \(line)") }
    }

    /// Ends a life that has gone wrong.
    func condemn(_ life: Life, _ reason: String) {
        state.withLock { $0.condemned = (life.number, reason) }
        attention.signal()
    }

    /// Asks it to end.
    func beginToEnd() {
        state.withLock { $0.isEnding = true }
        attention.signal()
    }

    /// Waits until it has; it is not asked for long.
    func waitForEnd() { _ = over.wait(timeout: .now() + .seconds(3)) }

    private var isEnding: Bool { state.withLock { $0.isEnding } }

    // MARK: On its own thread

    private func supervise() {
        var pause = limits.firstPause
        var number = 0
        while !isEnding {
            number += 1
            let begin = ContinuousClock.now
            let reason = live(number)
            state.withLock { ($0.life, $0.reason) = (nil, reason) }
            guard !isEnding else { return }
            changed()
            if ContinuousClock.now - begin > limits.longestPause { pause = limits.firstPause }
            logger.warning("server \(name): \(reason); it is tried again in \(pause)")
            wait(pause)
            pause = min(pause * 2, limits.longestPause)
        }
    }

    /// Waits, but not when all is to end.
    private func wait(_ time: Duration) {
        let deadline = ContinuousClock.now + time
        while !isEnding, ContinuousClock.now < deadline {
            let left = (deadline - ContinuousClock.now) / .milliseconds(1)
            _ = attention.wait(timeout: .now() + .milliseconds(Int(max(1, left))))
        }
    }

    /// One life, from its start to its end. - Returns: why it is over.
    private func live(_ number: Int) -> String {
        var (endpoint, process) = ("", ServerProcess?.none)
        switch source {
        case .endpoint(let address):
            endpoint = address
        case .command(let command):
            let path = "\(folder.path)/\(name)-\(number)"
            endpoint = "ipc://\(path)"
            let (logger, name, attention) = (logger, name, attention)
            do {
                process = try ServerProcess(command: command, environment: ["RRR_SERVER_ENDPOINT": endpoint]) {
                    logger.notice("server \(name): \($0)")
                } ended: {
                    attention.signal()
                }
            } catch {
                return "it can't be started: \(error)"
            }
        }
        defer { process?.end(asking: isEnding) }
        let description: ServerDescription
        do {
            description = try describe(endpoint, process)
        } catch {
            return error.reason
        }
        let known = state.withLock { state in
            state.known = state.known ?? description
            return state.known
        }
        guard known?.fingerprint == description.fingerprint else {
            return "it is another one now, with the fingerprint \(description.fingerprint) in place of "
                + "\(known?.fingerprint ?? ""); start the worker again to offer it"
        }
        state.withLock { $0.life = Life(number: number, endpoint: endpoint, description: description) }
        logger.notice(
            """
            server \(name) is ready: \(description.machinery), \(description.rows) rows, fingerprint \
            \(description.fingerprint)
            """)
        changed()
        while !isEnding {
            if let condemned = state.withLock({ $0.condemned }), condemned.number == number { return condemned.reason }
            if let ending = process?.ending { return "it ended with \(ending)" }
            attention.wait()
        }
        return "the worker ends"
    }

    private struct Failed: Error {
        let reason: String
        init(_ reason: String) { self.reason = reason }
    }

    /// Waits until it tells what it is.
    private func describe(_ endpoint: String, _ process: ServerProcess?) throws(Failed) -> ServerDescription {
        let deadline = ContinuousClock.now + limits.start
        do {
            let connection = try ServerConnection(context, connectingTo: endpoint)
            var isSent = false
            while !isEnding {
                if let ending = process?.ending { throw Failed("it ended with \(ending)") }
                guard ContinuousClock.now < deadline else {
                    throw Failed("it did not answer within \(limits.start)")
                }
                if !isSent { isSent = try connection.send(ServerRequest(call: 0, .describe)) }
                try connection.wait(atMost: .milliseconds(50))
                guard let answer = try connection.receive() else { continue }
                switch answer.reply.body {
                case .description(let description): return try checked(description)
                case .problem(let text, _): throw Failed("it refused to say what it is: \(text)")
                case .evaluated: continue
                }
            }
            throw Failed("the worker ends")
        } catch let failed as Failed {
            throw failed
        } catch {
            throw Failed("\(error)")
        }
    }

    private func checked(_ description: ServerDescription) throws(Failed) -> ServerDescription {
        guard let shape = PointShape(description.shape) else {
            throw Failed("its points have the shape \(description.shape), which is none")
        }
        guard (1...65_536).contains(description.rows) else {
            throw Failed("it evaluates \(description.rows) rows at a time, not from 1 to 65536")
        }
        let bytes = description.rows * shape.dimension * MemoryLayout<Float>.size
        guard bytes < DecodingLimits().messageBytes else {
            throw Failed(
                "\(description.rows) rows of its points are \(bytes) bytes, more than a message has; let it have fewer")
        }
        return description
    }
}
