import Messaging
import OpenFiles
import Testing

@Suite struct DealerCrowdTests {
    @Test func `Every message of a crowd arrives and so does every answer`() throws {
        let router = try RouterSocket(MessagingContext())
        let endpoint = try router.bind(to: "tcp://127.0.0.1:*")
        let (members, rounds) = (100, 20)
        let crowd = try DealerCrowd(capacity: members, connectingTo: endpoint)
        for member in 0..<members {
            #expect(try crowd.join() == member)
            // Before there is a connection.
            try crowd.send([UInt8(member), 0], from: member)
        }
        var answers = [[UInt8]](repeating: [], count: members)
        let deadline = ContinuousClock().now + .seconds(30)
        while answers.contains(where: { $0.count < rounds }), ContinuousClock().now < deadline {
            while let (peer, bytes) = try router.receive() { #expect(try router.send(bytes, to: peer)) }
            try crowd.receive(atMost: .milliseconds(1)) { (member, bytes) throws(MessagingError) in
                guard bytes.count == 2, Int(bytes[0]) == member else { return }
                answers[member].append(bytes[1])
                if Int(bytes[1]) + 1 < rounds { try crowd.send([bytes[0], bytes[1] + 1], from: member) }
            }
        }
        #expect(answers == [[UInt8]](repeating: (0..<UInt8(rounds)).map { $0 }, count: members))
    }

    @Test func `A message sent while another is on its way in loses neither`() throws {
        let router = try RouterSocket(MessagingContext())
        let endpoint = try router.bind(to: "tcp://127.0.0.1:*")
        let crowd = try DealerCrowd(capacity: 1, connectingTo: endpoint)
        try crowd.join()
        try crowd.send([0], from: 0)
        let wakeup = Wakeup()
        var heard = 0
        // What the router says unasked, and what the member says without having looked, cross each other.
        for round in 1...500 {
            var peer: PeerID?
            while peer == nil {
                try crowd.receive(atMost: .zero) { (_, _) throws(MessagingError) in heard += 1 }
                try router.wait(for: wakeup, atMost: .milliseconds(10))
                while let (sender, _) = try router.receive() { peer = sender }
            }
            if let peer { #expect(try router.send([UInt8(round % 256)], to: peer)) }
            try crowd.send([UInt8(round % 256)], from: 0)
        }
        let deadline = ContinuousClock().now + .seconds(10)
        while heard < 500, ContinuousClock().now < deadline {
            try crowd.receive(atMost: .milliseconds(100)) { (_, _) throws(MessagingError) in heard += 1 }
        }
        #expect(heard == 500)
    }

    @Test func `A crowd larger than the limit of open files is refused`() throws {
        let error = #expect(throws: MessagingError.self) {
            try DealerCrowd(capacity: OpenFileLimit.highest, connectingTo: "tcp://127.0.0.1:9")
        }
        #expect(error?.message.contains("\(OpenFileLimit.highest)") == true)
    }
}
