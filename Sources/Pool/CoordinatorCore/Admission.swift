package import Messaging

/// Where a message has come from, as far as its connection tells.
package struct Origin: Sendable {
    /// The number of the host; empty within a host.
    package var address: String
    /// Whose key it came with; nil where there are no keys.
    package var credential: Credential?

    /// Both as given.
    package init(address: String = "", credential: Credential? = nil) {
        (self.address, self.credential) = (address, credential)
    }

    /// For the log: who, and from where.
    var text: String {
        [credential.map { "the key \($0.name)" }, address.isEmpty ? nil : address].compactMap(\.self)
            .joined(separator: " at ")
    }
}

/// Who may say what, and how much: looked at before a message is read.
///
/// With keys the key tells the role. Without, a connection has the role of its first message and keeps it: then worker
/// and submitter are told apart, and whoever submits may ask as well.
struct Admission {
    /// What is made of a message.
    enum Verdict {
        case admitted
        /// It is for nobody to say to a coordinator.
        case misdirected
        /// It is not for this peer to say.
        case forbidden(PeerRole)
        /// There were too many; whether the peer is to be told.
        case tooMany(isToBeTold: Bool)
    }

    /// All connections of one key are one peer.
    private enum Party: Hashable {
        case key(String)
        case connection(PeerID)
    }

    private struct Account {
        var role: PeerRole?
        /// Requests that may come now.
        var allowance: Double
        var lastRequest: Duration
        var lastTold: Duration?
        var errors = 0
        var errorsSince: Duration
    }

    /// Accounts of this many peers are kept at least; those longest silent go, and begin anew if they come again.
    private static let kept = 1 << 15

    private let limits: PeerLimits
    private var accounts: [Party: Account] = [:]
    private var older: [Party: Account] = [:]

    init(_ limits: PeerLimits) { self.limits = limits }

    /// Looks at a message of anybody but a worker that has registered and goes on with the same key.
    mutating func judge(
        _ outline: EnvelopeOutline, from peer: PeerID, _ credential: Credential?, at now: Duration
    ) -> Verdict {
        guard let duty = outline.kind.duty else { return .misdirected }
        let party = credential.map { Party.key($0.name) } ?? .connection(peer)
        var account = take(party, at: now)
        defer { accounts[party] = account }
        let role = credential?.role ?? account.role ?? duty.roleWithoutKey
        if credential == nil { account.role = role }
        guard duty.roles.contains(role) else { return .forbidden(role) }
        guard duty.isLimited else { return .admitted }
        let most = Double(limits.requestsPerSecond)
        account.allowance = min(most, account.allowance + (now - account.lastRequest) / .seconds(1) * most)
        account.lastRequest = now
        // The largest is taken too, when nothing else was.
        let cost = min(most, 1 + Double(outline.bytes / duty.requestBytes))
        // What those say who have not registered leaves room for their registrations.
        if account.allowance >= (duty == .working ? max(cost, most / 2) : cost) {
            account.allowance -= cost
            return .admitted
        }
        let isToBeTold = account.lastTold.map { now - $0 > .seconds(1) } ?? true
        if isToBeTold { account.lastTold = now }
        return .tooMany(isToBeTold: isToBeTold)
    }

    /// Takes in that a connection has said what is of no use. - Returns: whether that was once too often.
    mutating func isOnceTooOften(_ peer: PeerID, at now: Duration) -> Bool {
        var account = take(.connection(peer), at: now)
        if now - account.errorsSince > .seconds(60) { (account.errors, account.errorsSince) = (0, now) }
        account.errors += 1
        let isTooOften = account.errors > limits.errorsPerMinute
        if isTooOften { account.errors = 0 }
        accounts[.connection(peer)] = account
        return isTooOften
    }

    private mutating func take(_ party: Party, at now: Duration) -> Account {
        if let account = accounts[party] { return account }
        if accounts.count >= Self.kept { (older, accounts) = (accounts, [:]) }
        return older.removeValue(forKey: party)
            ?? Account(allowance: Double(limits.requestsPerSecond), lastRequest: now, errorsSince: now)
    }
}

/// On what errand a message comes to a coordinator.
private enum Duty {
    case joining, working, submitting, supplying, asking

    /// Who may come on it.
    var roles: [PeerRole] {
        switch self {
        case .joining, .working: [.worker]
        case .submitting, .supplying: [.submitter]
        case .asking: [.submitter, .status]
        }
    }

    /// As what somebody without a key is taken who comes on it first.
    var roleWithoutKey: PeerRole { roles[0] }

    /// A request counts once for each so many bytes of it: what takes long to read is taken less often. Of a registration
    /// every few dozen bytes name a block that is looked up; what those say of blocks who have not registered is not read.
    var requestBytes: Int {
        switch self {
        case .joining: 8 << 10
        case .working: .max
        case .submitting, .supplying, .asking: 32 << 10
        }
    }

    /// Whether it counts against the limit of requests: what is asked for piece by piece is bounded by that.
    var isLimited: Bool { self != .supplying }
}

extension MessageKind {
    /// Nil for what is not for a coordinator.
    fileprivate var duty: Duty? {
        switch self {
        case .registration: .joining
        case _ where isOfWork: .working
        case .submit, .cancel, .control, .fetch, .delete, .reloadKeys: .submitting
        // A submitter's answers, which are asked for piece by piece.
        case .modelChunk: .supplying
        case .statusRequest, .workersRequest, .explain: .asking
        default: nil
        }
    }

    /// Whether it is what a worker says that has registered.
    var isOfWork: Bool {
        switch self {
        case .heartbeat, .progress, .checkpoint, .returned, .result, .failure, .modelRequest, .goodbye: true
        default: false
        }
    }
}
