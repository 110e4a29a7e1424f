import CZeroMQ

/// Lets in whom an allow-list names: answers what ZeroMQ asks about the keys of those who connect (ZAP, RFC 27).
///
/// Made before the router that it guards, in the same context; without it CURVE would encrypt and let anybody in. Its
/// owner calls ``RouterSocket/attendToStrangers()`` often: who connects waits for that.
package final class Gate {
    /// The domain that the router's questions name.
    static let domain = "rrr"
    private static let address = "inproc://zeromq.zap.01"
    /// Questions that are answered at a time.
    private static let atATime = 256

    /// The coordinator's own pair.
    let pair: CurvePair
    let context: MessagingContext
    private let socket: Socket
    private var allowed: [CurveKey: Credential]
    /// Keys that were ever let in, by the number that ZeroMQ tells with each of their messages.
    private var keys: [CurveKey] = []
    private var numbers: [CurveKey: Int] = [:]
    private var credentials: [Credential?] = []

    /// Begins to answer.
    ///
    /// - Throws: ``MessagingError``: ZeroMQ can't do CURVE, or the context has a gate already.
    package init(
        _ context: MessagingContext, pair: CurvePair, allowed: [CurveKey: Credential]
    ) throws(MessagingError) {
        guard CurvePair.isPossible else {
            throw .malformed("this ZeroMQ was built without CURVE; install one that has it (zmq_has(\"curve\"))")
        }
        (self.context, self.pair, self.allowed) = (context, pair, allowed)
        socket = try Socket(context, kind: ZMQ_REP)
        _ = try socket.bind(Self.address)
    }

    /// How many keys are let in.
    package var count: Int { allowed.count }

    /// Lets in whom another list names.
    ///
    /// - Returns: those of the old list whose key is let in no more, or as somebody else.
    package func replace(_ allowed: [CurveKey: Credential]) -> Set<Credential> {
        let gone = self.allowed.filter { allowed[$0.key] != $0.value }
        self.allowed = allowed
        for (number, key) in keys.enumerated() { credentials[number] = allowed[key] }
        return Set(gone.values)
    }

    /// Whose message it is that came with this user's name; nil for one that is let in no more.
    func credential(ofUser user: String?) -> Credential? {
        user.flatMap { Int($0) }.flatMap { credentials.indices.contains($0) ? credentials[$0] : nil }
    }

    /// Answers the questions that wait. - Returns: who was turned away.
    func answer() throws(MessagingError) -> [Stranger] {
        var strangers: [Stranger] = []
        for _ in 0..<Self.atATime {
            guard let frames = try socket.receive(atMost: 8)?.map(\.bytes) else { break }
            let text = frames.map { String(decoding: $0, as: UTF8.self) }
            guard frames.count == 7, text[0] == "1.0" else {
                try reply(frames.count > 1 ? frames[1] : [], "500", "a question that is none")
                continue
            }
            let key = text[2] == Self.domain && text[5] == "CURVE" ? CurveKey(bytes: frames[6]) : nil
            if let key, allowed[key] != nil {
                try reply(frames[1], "200", "", user: String(number(of: key)))
            } else {
                try reply(frames[1], "400", "this key is not let in")
                let whose = key.map { "the key \($0) is not in the allow-list" } ?? "no key was shown"
                strangers.append(Stranger(address: HostName.plain(text[3]), problem: whose, reason: .key))
            }
        }
        return strangers
    }

    private func number(of key: CurveKey) -> Int {
        if let number = numbers[key] { return number }
        keys.append(key)
        credentials.append(allowed[key])
        numbers[key] = keys.count - 1
        return keys.count - 1
    }

    private func reply(_ request: [UInt8], _ status: String, _ text: String, user: String = "") throws(MessagingError) {
        let frames = [Array("1.0".utf8), request, Array(status.utf8), Array(text.utf8), Array(user.utf8), []]
        for (index, frame) in frames.enumerated() {
            _ = try socket.send(frame, more: index < frames.count - 1)
        }
    }

    /// What a poll looks at.
    var pollItem: zmq_pollitem_t { socket.pollItem }
}

/// Somebody who connected and was not let in.
package struct Stranger: Sendable, Equatable {
    /// Why not.
    package enum Reason: String, Sendable {
        /// It has a key that the allow-list does not name.
        case key = "keys"
        /// It did not get as far as showing one.
        case handshake = "handshakes"
    }

    /// Where it is; empty if that can't be told.
    package let address: String
    /// What was wrong, in words.
    package let problem: String
    package let reason: Reason

    /// Every field as given.
    package init(address: String, problem: String, reason: Reason) {
        (self.address, self.problem, self.reason) = (address, problem, reason)
    }
}
