import Foundation
import Testing

@testable import Coordinator

/// What many threads have for one.
struct BatchQueueTests {
    @Test func `All that has come wakes the taker once, in its order`() {
        let queue = BatchQueue<Int>()
        for batch in 0..<20 {
            for number in 0..<1_000 { queue.add(batch * 1_000 + number) }
            #expect(queue.take(within: .seconds(5)) == Array(batch * 1_000..<(batch + 1) * 1_000))
        }
        // Had each of them left a wake-up behind, this would return at once.
        let clock = ContinuousClock()
        let time = clock.measure { #expect(queue.take(within: .milliseconds(200)).isEmpty) }
        #expect(time > .milliseconds(150))
    }

    @Test func `Nothing is lost or woken for in vain where many add at once`() {
        let queue = BatchQueue<Int>()
        let (threads, each) = (8, 5_000)
        for thread in 0..<threads {
            Thread { for number in 0..<each { queue.add(thread * each + number) } }.start()
        }
        var taken: [Int] = []
        while taken.count < threads * each {
            let batch = queue.take(within: .seconds(10))
            guard !batch.isEmpty || taken.isEmpty == false else { break }
            taken += batch
        }
        #expect(Set(taken).count == threads * each)
        for thread in 0..<threads {
            let own = taken.filter { $0 / each == thread }
            #expect(own == own.sorted())
        }
    }
}
