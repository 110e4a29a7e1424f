import Messaging
import Testing

@Suite(.serialized)
struct ConnectionWatchTests {
    /// What a watch with room for 64 KiB does to a peer that has said very many short things, all of them taken in.
    private func look(
        at router: RouterSocket, _ address: String, _ dealer: DealerSocket, isEncrypted: Bool
    ) throws -> String? {
        var limits = ConnectionWatch.Limits()
        limits.connectionBytes = 64 << 10
        let watch = try #require(ConnectionWatch(of: address, isEncrypted: isEncrypted, limits: limits))
        let message = Message.heartbeat().encoded()
        let wakeup = Wakeup()
        func exchange(_ count: Int) throws {
            let end = ContinuousClock.now + .seconds(20)
            var (sent, taken) = (0, 0)
            while taken < count, ContinuousClock.now < end {
                while sent < count, try dealer.send(message) { sent += 1 }
                _ = try router.attendToStrangers()
                while let letter = try router.receiveLetter() {
                    watch.note(letter.size, from: try #require(letter.connection))
                    taken += 1
                }
                if taken < count { try router.wait(for: wakeup, atMost: .milliseconds(1)) }
            }
            try #require(taken == count)
        }
        try exchange(1)
        #expect(watch.look(at: .seconds(2)) { _ in false } == nil)
        try exchange(5_000)
        return watch.look(at: .seconds(4)) { _ in false }
    }

    @Test func `What was taken in is not held against a connection, encrypted or not`() throws {
        let plain = try Meeting(at: .tcp)
        let dealer = try DealerSocket(MessagingContext(), connectingTo: plain.address)
        #expect(try look(at: plain.router, plain.address, dealer, isEncrypted: false) == nil)
        let worker = try CurvePair.generated()
        let guarded = try GuardedMeeting([worker.publicKey: Credential(name: "node", role: .worker)])
        #expect(try look(at: guarded.router, guarded.address, guarded.dealer(worker), isEncrypted: true) == nil)
    }

    @Test func `The watch can fail: without the seal that CURVE adds, a worker that says much would be cut off`() throws
    {
        let worker = try CurvePair.generated()
        let guarded = try GuardedMeeting([worker.publicKey: Credential(name: "node", role: .worker)])
        let told = try look(at: guarded.router, guarded.address, guarded.dealer(worker), isEncrypted: false)
        #expect(told?.contains("1 connections were ended") == true)
    }
}
