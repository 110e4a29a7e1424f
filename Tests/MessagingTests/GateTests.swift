import Foundation
import Messaging
import Synchronization
import Testing

/// A router with a gate, in this process.
struct GuardedMeeting {
    let server: CurvePair
    let gate: Gate
    let router: RouterSocket
    let address: String

    init(_ allowed: [CurveKey: Credential]) throws {
        server = try CurvePair.generated()
        gate = try Gate(MessagingContext(), pair: server, allowed: allowed)
        router = try RouterSocket(guardedBy: gate)
        address = try router.bind(to: "tcp://127.0.0.1:*")
    }

    func dealer(_ pair: CurvePair, server: CurveKey? = nil) throws -> DealerSocket {
        try DealerSocket(
            MessagingContext(), connectingTo: address,
            keys: ClientKeys(pair: pair, server: server ?? self.server.publicKey))
    }

    /// Lets the dealer speak and the router listen, until something comes of it, for two seconds at most.
    func meet(
        _ dealer: DealerSocket, saying bytes: [UInt8]? = nil, until isEnough: (Outcome) -> Bool = { _ in false }
    ) throws -> Outcome {
        let wakeup = Wakeup()
        let end = ContinuousClock.now + .seconds(2)
        var outcome = Outcome()
        let message = bytes ?? Message.statusRequest(job: nil).encoded()
        var isSent = false
        while ContinuousClock.now < end, !isEnough(outcome) {
            if !isSent { isSent = try dealer.send(message) }
            try router.wait(for: wakeup, atMost: .milliseconds(10))
            outcome.strangers += try router.attendToStrangers()
            while let received = try router.receiveLetter() { outcome.received.append(received) }
            if let rejection = try dealer.rejection() { outcome.rejection = rejection }
        }
        return outcome
    }

    struct Outcome {
        var received: [Letter] = []
        var strangers: [Stranger] = []
        var rejection: Rejection?
    }
}

@Suite(.serialized)
struct GateTests {
    private let (worker, submitter, other): (CurvePair, CurvePair, CurvePair)
    private let allowed: [CurveKey: Credential]

    init() throws {
        (worker, submitter, other) = (try .generated(), try .generated(), try .generated())
        allowed = [
            worker.publicKey: Credential(name: "node", role: .worker),
            submitter.publicKey: Credential(name: "ada", role: .submitter),
        ]
    }

    @Test func `Every message comes with the credential of its sender's key, and the address of its host`() throws {
        let meeting = try GuardedMeeting(allowed)
        for pair in [worker, submitter] {
            let dealer = try meeting.dealer(pair)
            let outcome = try meeting.meet(dealer) { !$0.received.isEmpty }
            let received = try #require(outcome.received.first)
            #expect(received.credential == allowed[pair.publicKey])
            #expect(!received.isRevoked)
            #expect(received.address == "127.0.0.1")
            #expect(outcome.strangers.isEmpty)
        }
    }

    @Test func `An unknown key is turned away and told so, with its address`() throws {
        let meeting = try GuardedMeeting(allowed)
        let dealer = try meeting.dealer(other)
        let outcome = try meeting.meet(dealer) { $0.rejection != nil && !$0.strangers.isEmpty }
        #expect(outcome.received.isEmpty)
        #expect(outcome.rejection == .keyRefused)
        #expect(outcome.strangers.first?.reason == .key)
        #expect(outcome.strangers.first?.address == "127.0.0.1")
        #expect(outcome.strangers.first?.problem.contains(other.publicKey.description) == true)
    }

    @Test func `Who takes the coordinator for another one, or shows no key, does not get in`() throws {
        let meeting = try GuardedMeeting(allowed)
        let wrong = try meeting.meet(try meeting.dealer(worker, server: other.publicKey)) {
            $0.rejection != nil && !$0.strangers.isEmpty
        }
        #expect(wrong.received.isEmpty)
        #expect(wrong.rejection == .hungUp)
        #expect(wrong.strangers.first?.reason == .handshake)
        let plain = try DealerSocket(MessagingContext(), connectingTo: meeting.address)
        // It may find each time that the other side hangs up before it has read why.
        let none = try meeting.meet(plain) { $0.rejection != nil && !$0.strangers.isEmpty }
        #expect(none.received.isEmpty)
        #expect(none.rejection == .otherSecurity || none.rejection == .hungUp)
    }

    @Test func `Who has keys does not talk to a coordinator that has none`() throws {
        let meeting = try Meeting(at: .tcp)
        let dealer = try DealerSocket(
            MessagingContext(), connectingTo: meeting.address,
            keys: ClientKeys(pair: worker, server: other.publicKey))
        var rejection: Rejection?
        for _ in 0..<200 where rejection == nil {
            #expect(try !dealer.send([1]))
            try dealer.wait(for: Wakeup(), atMost: .milliseconds(10))
            rejection = try dealer.rejection() ?? rejection
        }
        // The other side may hang up before this one has read why.
        #expect(rejection == .otherSecurity || rejection == .hungUp)
        #expect(try meeting.router.receive() == nil)
    }

    @Test func `What a revoked key sends over a connection that stands is marked, and a new connection is refused`()
        throws
    {
        let meeting = try GuardedMeeting(allowed)
        let dealer = try meeting.dealer(worker)
        _ = try meeting.meet(dealer) { !$0.received.isEmpty }
        let gone = meeting.gate.replace([submitter.publicKey: Credential(name: "ada", role: .submitter)])
        #expect(gone == [Credential(name: "node", role: .worker)])
        let after = try meeting.meet(dealer) { !$0.received.isEmpty }
        #expect(after.received.first?.isRevoked == true)
        #expect(after.received.first?.credential == nil)
        let again = try meeting.meet(try meeting.dealer(worker)) { $0.rejection != nil }
        #expect(again.rejection == .keyRefused)
        // Let in again, as somebody else.
        #expect(meeting.gate.replace([worker.publicKey: Credential(name: "node", role: .status)]).count == 1)
        let back = try meeting.meet(dealer) { !$0.received.isEmpty }
        #expect(back.received.first?.credential?.role == .status)
    }

    @Test func `A local socket is its owner's alone`() throws {
        let meeting = try Meeting(at: .ipc)
        let path = String(meeting.address.dropFirst("ipc://".count))
        #expect(try permissions(of: path) & 0o077 == 0)
    }

    @Test func `Files that other threads make while a local socket comes about are made by the process's own mask`()
        throws
    {
        let folder = FileManager.default.temporaryDirectory.path + "/masks-\(UUID().uuidString.prefix(8))"
        func make(_ name: String) throws -> Int {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
            return try permissions(of: "\(folder)/\(name)")
        }
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let usual = try make("usual")
        let isOver = Atomic(false)
        let ended = DispatchSemaphore(value: 0)
        Thread {
            for _ in 0..<200 { _ = try? Meeting(at: .ipc) }
            isOver.store(true, ordering: .relaxed)
            ended.signal()
        }.start()
        var others: Set<Int> = []
        for index in 0..<20_000 where !isOver.load(ordering: .relaxed) { others.insert(try make("\(index)")) }
        ended.wait()
        #expect(others == [usual])
    }
}
