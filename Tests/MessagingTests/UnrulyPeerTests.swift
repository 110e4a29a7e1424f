import Foundation
import Messaging
import RawPeers
import Testing

/// Peers that break rules, or read nothing, must not be felt by the others.
@Suite(.serialized)
struct UnrulyPeerTests {

    /// One question by a well-behaved peer, and its answer.
    private func talk(_ meeting: Meeting, _ dealer: DealerSocket, _ word: [UInt8]) throws {
        #expect(try dealer.sendWhenConnected(word))
        var request = try meeting.router.next()
        while let other = request, other.bytes != word { request = try meeting.router.next() }
        let peer = try #require(request).peer
        #expect(try meeting.router.offer(word + [33], to: peer) == .sent)
        #expect(try dealer.next() == word + [33])
    }

    @Test func `Who was never there is unreachable`() throws {
        let meeting = try Meeting(at: .tcp)
        #expect(try meeting.router.offer([1], to: [1, 2, 3]) == .unreachable)
    }

    @Test func `A peer that reads nothing is at some point offered nothing more`() throws {
        let meeting = try Meeting(at: .tcp)
        let idle = try DealerSocket(meeting.context, connectingTo: meeting.address)
        #expect(try idle.sendWhenConnected([1]))
        let peer = try #require(try meeting.router.next()).peer
        let bytes = [UInt8](repeating: 7, count: 16 << 10)
        var outcome = SendOutcome.sent
        for _ in 0..<100_000 where outcome == .sent { outcome = try meeting.router.offer(bytes, to: peer) }
        #expect(outcome == .wouldBlock)
        try talk(meeting, try DealerSocket(meeting.context, connectingTo: meeting.address), [1, 2])
    }

    @Test func `A message above the limit ends its sender's connection`() throws {
        let meeting = try Meeting(at: .tcp)
        let sinner = try DealerSocket(meeting.context, connectingTo: meeting.address)
        let other = try DealerSocket(meeting.context, connectingTo: meeting.address)
        try talk(meeting, other, [1])
        #expect(try sinner.sendWhenConnected([UInt8](repeating: 1, count: DecodingLimits().messageBytes + 1)))
        try talk(meeting, other, [2])
        // Its connection comes back by itself. What it says until it has noticed the end may be lost.
        let wakeup = Wakeup()
        var received: [UInt8]?
        for _ in 0..<500 where received != [3] {
            _ = try sinner.send([3])
            try meeting.router.wait(for: wakeup, atMost: .milliseconds(20))
            received = try meeting.router.receive()?.bytes
        }
        #expect(received == [3])
    }

    @Test func `A peer that speaks another protocol is survived`() throws {
        let meeting = try Meeting(at: .tcp)
        var numbers = SeededNumbers(state: 5)
        let peers = try (0..<20).map { _ in try #require(RawPeer(meeting.address)) }
        for (index, peer) in peers.enumerated() {
            // Every second one gets as far as messages.
            if index % 2 == 0 { peer.introduce() }
            let noise = (0..<500).map { _ in UInt8(numbers.below(256)) }
            peer.write(index == 1 ? Array("GET / HTTP/1.1\r\n\r\n".utf8) : noise)
        }
        try talk(meeting, try DealerSocket(meeting.context, connectingTo: meeting.address), Array("hello".utf8))
    }

    @Test func `A message of thousands of frames is passed over`() throws {
        let meeting = try Meeting(at: .tcp)
        let peer = try #require(RawPeer(meeting.address))
        peer.introduce()
        peer.write(frames: [[1], [2]])
        peer.write(frames: [[UInt8]](repeating: [3], count: 5_000))
        peer.write(frames: [[4]])
        #expect(try meeting.router.next()?.bytes == [4])
        // Until here the connection must last.
        withExtendedLifetime(peer) {}
    }

    @Test(arguments: ["tcp://[::1]:*", "inproc://peer"])
    func `Other ways to meet work alike`(endpoint: String) throws {
        let context = MessagingContext()
        let router = try RouterSocket(context)
        let address = try router.bind(to: endpoint)
        let dealer = try DealerSocket(context, connectingTo: address)
        #expect(try dealer.sendWhenConnected([]))
        let request = try #require(try router.next())
        #expect(request.bytes.isEmpty)
        #expect(try router.send([1], to: request.peer))
        #expect(try dealer.next() == [1])
    }

    @Test(arguments: ["tcp://127.0.0.1", "nowhere"])
    func `An address that cannot be is an error that names it`(endpoint: String) throws {
        let context = MessagingContext()
        let router = try RouterSocket(context)
        let listening = failure { () throws(MessagingError) in _ = try router.bind(to: endpoint) }
        #expect(listening?.message.contains(endpoint) == true)
        let connecting = failure { () throws(MessagingError) in _ = try DealerSocket(context, connectingTo: endpoint) }
        #expect(connecting?.message.contains(endpoint) == true)
    }

    @Test func `A wait of no time, of less, and of a time beyond counting are all right`() throws {
        let meeting = try Meeting(at: .ipc)
        let mailbox = Mailbox<Int>()
        try meeting.router.wait(for: mailbox.wakeup, atMost: .zero)
        try meeting.router.wait(for: mailbox.wakeup, atMost: .seconds(-5))
        mailbox.post(1)
        try meeting.router.wait(for: mailbox.wakeup, atMost: .seconds(Int64.max))
        #expect(mailbox.drain() == [1])
    }

    @Test func `Who comes again while the old connection stands is heard, and answered`() throws {
        let meeting = try Meeting(at: .tcp)
        let (first, second) = (try #require(RawPeer(meeting.address)), try #require(RawPeer(meeting.address)))
        first.introduce(as: [1, 7, 7])
        first.write(frames: [[1]])
        #expect(try meeting.router.next()?.bytes == [1])
        second.introduce(as: [1, 7, 7])
        second.write(frames: [[2]])
        let again = try #require(try meeting.router.next())
        #expect(again.bytes == [2] && again.peer == [1, 7, 7])
        #expect(try meeting.router.send([3], to: again.peer))
        #expect(second.reads([0, 1, 3]))
    }

    @Test func `Who calls himself by more than a name can have is hung up on`() throws {
        let meeting = try Meeting(at: .tcp)
        let peer = try #require(RawPeer(meeting.address))
        peer.introduce(as: [UInt8](repeating: 1, count: 256))
        peer.write(frames: [[1]])
        let end = ContinuousClock.now + .seconds(5)
        while ContinuousClock.now < end, !peer.isEnded { #expect(try meeting.router.receive() == nil) }
        #expect(peer.isEnded)
    }
}
