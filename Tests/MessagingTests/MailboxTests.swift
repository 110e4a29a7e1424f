import Foundation
import Messaging
import Testing

/// How other threads reach the one that owns a socket.
@Suite(.serialized)
struct MailboxTests {

    @Test func `Values come out once, in the order in which they went in`() {
        let mailbox = Mailbox<Int>()
        #expect(mailbox.drain().isEmpty)
        for value in 0..<100 { mailbox.post(value) }
        #expect(mailbox.drain() == Array(0..<100))
        #expect(mailbox.drain().isEmpty)
    }

    @Test(arguments: Transport.allCases)
    func `A post from another thread ends the owner's wait early`(place: Transport) throws {
        let meeting = try Meeting(at: place)
        let mailbox = Mailbox<Int>()
        let start = ContinuousClock.now
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: 0.1)
            mailbox.post(5)
        }
        try meeting.router.wait(for: mailbox.wakeup, atMost: .seconds(20))
        #expect(ContinuousClock.now - start < .seconds(10))
        #expect(mailbox.drain() == [5])
    }

    @Test func `A post before the wait is not missed, and one call wakes once`() throws {
        let meeting = try Meeting(at: .tcp)
        let dealer = try DealerSocket(meeting.context, connectingTo: meeting.address)
        let mailbox = Mailbox<Int>()
        for value in 0..<3 { mailbox.post(value) }
        var start = ContinuousClock.now
        try dealer.wait(for: mailbox.wakeup, atMost: .seconds(20))
        #expect(ContinuousClock.now - start < .seconds(10))
        #expect(mailbox.drain() == [0, 1, 2])
        start = ContinuousClock.now
        try dealer.wait(for: mailbox.wakeup, atMost: .milliseconds(50))
        #expect(ContinuousClock.now - start >= .milliseconds(45))
    }

    @Test func `More calls than a pipe holds do not block the caller`() throws {
        let meeting = try Meeting(at: .ipc)
        let mailbox = Mailbox<Int>()
        for value in 0..<100_000 { mailbox.post(value) }
        try meeting.router.wait(for: mailbox.wakeup, atMost: .seconds(20))
        #expect(mailbox.drain().count == 100_000)
    }

    @Test func `Nothing is lost between several writers and the owner`() throws {
        let meeting = try Meeting(at: .ipc)
        let mailbox = Mailbox<Int>()
        for writer in 0..<4 {
            Thread.detachNewThread {
                for value in 0..<500 { mailbox.post(writer * 500 + value) }
            }
        }
        var values: [Int] = []
        let end = ContinuousClock.now + .seconds(20)
        while values.count < 2_000, ContinuousClock.now < end {
            try meeting.router.wait(for: mailbox.wakeup, atMost: .seconds(5))
            values += mailbox.drain()
        }
        #expect(values.sorted() == Array(0..<2_000))
    }

    @Test func `A message ends the wait as a call does`() throws {
        let meeting = try Meeting(at: .ipc)
        let dealer = try DealerSocket(meeting.context, connectingTo: meeting.address)
        let wakeup = Wakeup()
        let start = ContinuousClock.now
        #expect(try dealer.sendWhenConnected([1]))
        try meeting.router.wait(for: wakeup, atMost: .seconds(20))
        #expect(ContinuousClock.now - start < .seconds(10))
        #expect(try meeting.router.next()?.bytes == [1])
    }
}
