import Logging
package import Messaging
import PoolCore

/// What is not taken from peers, and how it is told and counted.
extension CoordinatorCore {
    /// What was not taken, as `status` counts it.
    enum Refused: String, CaseIterable {
        /// Connections with a key that is not let in, or without one.
        case keys, handshakes
        /// Messages that were not for their sender to say.
        case roles
        /// Messages beyond the limit of requests.
        case requests
        /// Messages that could not be read, and such as are not for a coordinator.
        case unreadable, misdirected
        /// Jobs beyond a limit: of jobs, of chains, of bytes of texts, of texts that wait.
        case jobs, chains, text, waiting = "waiting_text"
        /// Connections that were ended.
        case connections
    }

    mutating func count(_ refused: Refused) { refusals[refused, default: 0] += 1 }

    /// All counts, in their order.
    var refusalCounts: [RefusalCount] {
        Refused.allCases.map { RefusalCount(name: $0.rawValue, count: refusals[$0] ?? 0) }
    }

    private mutating func complain(_ kind: Complaints.Kind, of peer: PeerID? = nil, _ text: String, _ origin: Origin) {
        guard complaints.admits(kind, about: peer) else { return }
        log(.warning, origin.text.isEmpty ? text : "\(text) (from \(origin.text))")
    }

    /// Somebody was not let in.
    mutating func turnedAway(_ stranger: Stranger) {
        count(stranger.reason == .key ? .keys : .handshakes)
        // Of each host a few of a kind: it may try for ever, and with ever other keys.
        let address = stranger.address.isEmpty ? "a host that is gone already" : stranger.address
        complain(
            .stranger, of: Array((address + (stranger.reason == .key ? "" : stranger.problem)).utf8),
            "a connection was not let in: \(stranger.problem)",
            Origin(address: address))
    }

    /// Whether a message is what a worker says that has registered with this key: most are, and need no more than that,
    /// for its role was looked at then.
    package func isOfWorker(_ outline: EnvelopeOutline, _ peer: PeerID, _ credential: Credential?) -> Bool {
        guard outline.kind.isOfWork, let worker = workerByPeer[peer] else { return false }
        return credential == nil || workers[worker]?.credential == credential
    }

    /// Looks at a message before anything of it is read: whether it is for its sender to say, and not one too many. Who
    /// is refused is told.
    ///
    /// - Parameter origin: where it has come from; its address is for the log alone.
    /// - Returns: whether the message is to be read and handled, and what is to be done in any case.
    package mutating func screen(
        _ outline: EnvelopeOutline, from peer: PeerID, _ origin: Origin, at moment: Moment
    ) -> (isAdmitted: Bool, actions: [Action]) {
        if isOfWorker(outline, peer, origin.credential) { return (true, []) }
        begin(moment)
        let isAdmitted = admits(outline, from: peer, origin)
        return (isAdmitted, takeActions())
    }

    private mutating func admits(_ outline: EnvelopeOutline, from peer: PeerID, _ origin: Origin) -> Bool {
        switch admission.judge(outline, from: peer, origin.credential, at: now) {
        case .admitted:
            if !outline.kind.isOfWork { return true }
            send(.registerAgain(reason: "this coordinator does not know you"), to: peer)
            return false
        case .misdirected:
            count(.misdirected)
            complain(.misdirected, of: peer, "a message that is not for a coordinator was passed over", origin)
            noteError(of: peer, origin)
            return false
        case .forbidden(let role):
            count(.roles)
            let whose =
                origin.credential.map { "the key \($0.name) is that of a \(role.rawValue)" }
                ?? "this connection is that of a \(role.rawValue)"
            let text = "\(whose), and this is not for it to say"
            complain(.role, of: peer, "a message was refused: \(text)", origin)
            // A worker that has another's key is not to try on.
            if outline.kind == .registration {
                send(.drain(reason: text, exitStatus: 77), to: peer)
            } else {
                send(.refusal(exitStatus: 77, text: text), to: peer)
            }
            noteError(of: peer, origin)
            return false
        case .tooMany(let isToBeTold):
            count(.requests)
            let text = "no more than \(limits.requestsPerSecond) requests a second are taken from one peer"
            // Who says it once more a little later is told to register then.
            if outline.kind.isOfWork { return false }
            complain(.request, of: peer, "a request was refused: \(text)", origin)
            if isToBeTold { send(.refusal(exitStatus: 75, text: text + "; try again later"), to: peer) }
            return false
        }
    }

    mutating func refuse(_ error: MessagingError, from peer: PeerID, _ origin: Origin) {
        count(.unreadable)
        switch error.code {
        case .version:
            send(.refusal(exitStatus: 75, text: "the coordinator can't be talked to: \(error)"), to: peer)
        case .tooLong:
            send(.refusal(exitStatus: 65, text: "\(error)"), to: peer)
        default: break
        }
        complain(.unreadable, of: peer, "a message was refused: \(error)", origin)
        noteError(of: peer, origin)
    }

    /// Ends the connection of the message at hand when it has brought too much that is of no use.
    private mutating func noteError(of peer: PeerID, _ origin: Origin) {
        guard admission.isOnceTooOften(peer, at: now) else { return }
        count(.connections)
        perform(.hangUp)
        let text = "a connection was ended: more than \(limits.errorsPerMinute) messages in a minute that were refused"
        complain(.connection, text, origin)
    }

    // MARK: Keys

    /// Some are let in no more: what they have goes on elsewhere. Their host passes over whatever they still say, and ends
    /// their connections.
    mutating func revoked(_ credentials: Set<Credential>) {
        for credential in credentials.sorted(by: { $0.name < $1.name }) {
            log(.notice, "the key \(credential.name) is let in no more")
        }
        let gone = workers.filter { $0.value.credential.map(credentials.contains) ?? false }
        for worker in gone.keys.sorted() { act(on: .left(worker)) }
    }

    /// A reading of the allow-list that a peer has asked for is done.
    mutating func keysRead(_ outcome: Result<Int, KeysUnread>, for peer: PeerID) {
        switch outcome {
        case .success(let count): send(.keysReloaded(allowed: count), to: peer)
        case .failure(let error): send(.refusal(exitStatus: error.exitStatus, text: error.reason), to: peer)
        }
    }
}
