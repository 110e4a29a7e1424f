import CZeroMQ
import Foundation
import Messaging
import Testing

/// Coordinator and workers as sockets, on one machine.
@Suite(.serialized)
struct SocketTests {

    @Test(arguments: Transport.allCases)
    func `A request reaches the router, and the answer comes back`(place: Transport) throws {
        let meeting = try Meeting(at: place)
        let dealer = try DealerSocket(meeting.context, connectingTo: meeting.address)
        for number: UInt8 in 0..<20 {
            #expect(try dealer.sendWhenConnected([number, 1]))
            let request = try #require(try meeting.router.next())
            #expect(request.bytes == [number, 1])
            #expect(try meeting.router.send([number, 2], to: request.peer))
            #expect(try dealer.next() == [number, 2])
        }
        #expect(try dealer.receive() == nil)
        #expect(try meeting.router.receive() == nil)
    }

    @Test func `An address with a free port comes back with a real one`() throws {
        let meeting = try Meeting(at: .tcp)
        let port = try #require(Int(meeting.address.dropFirst("tcp://127.0.0.1:".count)))
        #expect(meeting.address.hasPrefix("tcp://127.0.0.1:"))
        #expect((1...65_535).contains(port))
    }

    @Test(arguments: Transport.allCases)
    func `Each of several peers gets its own answer`(place: Transport) throws {
        let meeting = try Meeting(at: place)
        let dealers = try (0..<5).map { _ in try DealerSocket(meeting.context, connectingTo: meeting.address) }
        for (number, dealer) in dealers.enumerated() { #expect(try dealer.sendWhenConnected([UInt8(number)])) }
        var peers: Set<PeerID> = []
        for _ in dealers {
            let request = try #require(try meeting.router.next())
            peers.insert(request.peer)
            #expect(try meeting.router.send(request.bytes + [9], to: request.peer))
        }
        #expect(peers.count == 5)
        for (number, dealer) in dealers.enumerated() { #expect(try dealer.next() == [UInt8(number), 9]) }
    }

    @Test func `Sending to a peer that nobody knows is false`() throws {
        let meeting = try Meeting(at: .tcp)
        #expect(try !meeting.router.send([1], to: [1, 2, 3]))
        // And the router goes on.
        let dealer = try DealerSocket(meeting.context, connectingTo: meeting.address)
        #expect(try dealer.sendWhenConnected([5]))
        let request = try #require(try meeting.router.next())
        #expect(request.bytes == [5])
        #expect(try meeting.router.send([6], to: request.peer))
        #expect(try dealer.next() == [6])
    }

    @Test func `Sending to a peer that is gone becomes false`() throws {
        let meeting = try Meeting(at: .ipc)
        let peer = try {
            let dealer = try DealerSocket(meeting.context, connectingTo: meeting.address)
            #expect(try dealer.sendWhenConnected([1]))
            return try #require(try meeting.router.next()).peer
        }()
        let wakeup = Wakeup()
        var gone = false
        for _ in 0..<100 where !gone {
            try meeting.router.wait(for: wakeup, atMost: .milliseconds(20))
            gone = try !meeting.router.send([2], to: peer)
        }
        #expect(gone)
    }

    @Test func `Sending without a coordinator is false, and nothing is kept for one`() throws {
        let folder = try TemporaryFolder()
        let context = MessagingContext()
        let address = "ipc://\(folder.path)/later"
        let dealer = try DealerSocket(context, connectingTo: address)
        #expect(try !dealer.send([1]))
        #expect(try dealer.receive() == nil)
        let router = try RouterSocket(context)
        _ = try router.bind(to: address)
        #expect(try dealer.sendWhenConnected([2]))
        #expect(try router.next()?.bytes == [2])
    }

    @Test func `Two routers cannot listen at one port`() throws {
        let meeting = try Meeting(at: .tcp)
        let second = try RouterSocket(meeting.context)
        let error = failure { () throws(MessagingError) in _ = try second.bind(to: meeting.address) }
        #expect(error?.code == .socket(EADDRINUSE))
        #expect(error?.message.contains(meeting.address) == true)
    }

    @Test(arguments: Transport.allCases)
    func `Frames that are no message disturb nobody`(place: Transport) throws {
        let meeting = try Meeting(at: place)
        // A stranger that writes whatever it likes: one frame of garbage, then two and none.
        let context = zmq_ctx_new()
        let stranger = zmq_socket(context, ZMQ_DEALER)
        var linger: Int32 = 0
        zmq_setsockopt(stranger, ZMQ_LINGER, &linger, MemoryLayout<Int32>.size)
        #expect(zmq_connect(stranger, meeting.address) == 0)
        defer {
            zmq_close(stranger)
            zmq_ctx_term(context)
        }
        zmq_send(stranger, [0xFF, 0xFF, 0xFF] as [UInt8], 3, 0)
        zmq_send(stranger, [1] as [UInt8], 1, ZMQ_SNDMORE)
        zmq_send(stranger, [2] as [UInt8], 1, 0)
        zmq_send(stranger, [3] as [UInt8], 1, 0)

        let garbage = try #require(try meeting.router.next())
        let error = failure { () throws(MessagingError) in _ = try Message.decode(garbage.bytes) }
        #expect(error?.code == .malformed)
        // With the sender's identity the second message has three frames, and is passed over.
        #expect(try meeting.router.next()?.bytes == [3])

        let dealer = try DealerSocket(meeting.context, connectingTo: meeting.address)
        #expect(try dealer.sendWhenConnected(Message.heartbeat().encoded()))
        #expect(try meeting.router.next()?.bytes == Message.heartbeat().encoded())
    }

    @Test func `A large message arrives whole`() throws {
        let meeting = try Meeting(at: .tcp)
        let dealer = try DealerSocket(meeting.context, connectingTo: meeting.address)
        let bytes = (0..<8_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        #expect(try dealer.sendWhenConnected(bytes))
        #expect(try meeting.router.next()?.bytes == bytes)
    }

    @Test(arguments: Transport.allCases)
    func `Closing with messages that nobody takes ends soon`(place: Transport) throws {
        // A router that accepts connections, but reads nothing.
        let meeting = try Meeting(at: place)
        let end = try {
            let dealer = try DealerSocket(MessagingContext(), connectingTo: meeting.address)
            let bytes = [UInt8](repeating: 1, count: 10_000)
            #expect(try dealer.sendWhenConnected(bytes))
            let wakeup = Wakeup()
            // Until both sides' queues are full and stay so.
            var (rounds, calm) = (0, 0)
            while rounds < 500, calm < 3 {
                var sent = 0
                while sent < 20_000, try dealer.send(bytes) { sent += 1 }
                calm = sent == 0 ? calm + 1 : 0
                rounds += 1
                try dealer.wait(for: wakeup, atMost: .milliseconds(40))
            }
            #expect(calm == 3)
            return ContinuousClock.now
        }()
        #expect(ContinuousClock.now - end < .seconds(3))
        // The connection stood until then.
        #expect(try meeting.router.receive()?.bytes.count == 10_000)
    }
}
