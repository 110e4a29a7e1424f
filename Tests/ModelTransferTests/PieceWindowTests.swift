import Testing

@testable import ModelTransfer

@Suite("Asking for a file piece by piece")
struct PieceWindowTests {
    private let second = Duration.seconds(1)

    /// A window whose first piece has arrived: pieces of 10 bytes.
    private func begun(total: Int) -> PieceWindow {
        var window = PieceWindow(length: 10, at: .zero)
        #expect(window.requests(at: .zero) == [0])
        #expect(window.requests(at: .zero).isEmpty)
        #expect(window.take(offset: 0, count: min(10, total), total: total, at: .zero) == .taken)
        return window
    }

    @Test("the first piece alone is asked for before the size is known, then four at a time")
    func order() {
        var window = begun(total: 95)
        #expect(window.requests(at: .zero) == [10, 20, 30, 40])
        #expect(window.requests(at: .zero).isEmpty)
        var place = 10
        while place < 95 {
            let count = min(10, 95 - place)
            #expect(window.take(offset: place, count: count, total: 95, at: .zero) == .taken)
            place += count
            #expect(window.isComplete == (place == 95))
            let next = window.requests(at: .zero)
            #expect(next == (place + 30 < 95 ? [place + 30] : []))
        }
        #expect(window.requests(at: .seconds(100)).isEmpty)
    }

    @Test("a lost piece is asked for again after two seconds, then four and so on, with those behind it")
    func loss() {
        var window = begun(total: 200)
        _ = window.requests(at: .zero)
        #expect(window.take(offset: 20, count: 10, total: 200, at: second) == .passedOver)
        #expect(window.requests(at: .milliseconds(1_999)).isEmpty)
        #expect(window.requests(at: .seconds(2)) == [10, 20, 30, 40])
        #expect(window.requests(at: .milliseconds(5_900)).isEmpty)
        #expect(window.requests(at: .seconds(6)) == [10, 20, 30, 40])
        #expect(window.take(offset: 10, count: 10, total: 200, at: .seconds(6)) == .taken)
        #expect(window.take(offset: 10, count: 10, total: 200, at: .seconds(6)) == .passedOver)
        #expect(window.received == 20)
    }

    @Test("a slow sender is asked for a few pieces twice, not for more and more")
    func slowSender() {
        var window = begun(total: 1_000)
        var waiting = window.requests(at: .zero)
        var asked = waiting.count
        var now = Duration.zero
        while !window.isComplete, now < .seconds(3_000) {
            // A piece every eight seconds, in the order of asking.
            now += .seconds(8)
            if !waiting.isEmpty { _ = window.take(offset: waiting.removeFirst(), count: 10, total: 1_000, at: now) }
            for later in 0..<80 {
                let more = window.requests(at: now + .milliseconds(100 * later))
                waiting += more
                asked += more.count
            }
        }
        #expect(window.isComplete)
        #expect(asked < 99 + 30)
    }

    @Test("after the sender has started anew everything missing is asked for at once")
    func anew() {
        var window = begun(total: 200)
        _ = window.requests(at: .zero)
        window.startAnew()
        #expect(window.requests(at: .zero) == [10, 20, 30, 40])
        #expect(window.requests(at: .seconds(1)).isEmpty)
    }

    @Test("a sender that gives shorter pieces is followed")
    func shortPieces() {
        var window = begun(total: 30)
        _ = window.requests(at: .zero)
        var rounds = 0
        while !window.isComplete, rounds < 100 {
            rounds += 1
            _ = window.take(offset: window.received, count: 1, total: 30, at: .zero)
            #expect(window.isComplete || window.requests(at: .zero).first == window.received)
        }
        #expect(rounds == 20)
    }

    @Test("a file that changes its size, and a piece beyond its end, contradict")
    func contradictions() {
        var window = begun(total: 30)
        #expect(window.take(offset: 10, count: 10, total: 31, at: .zero) == .contradiction)
        #expect(window.take(offset: 25, count: 10, total: 30, at: .zero) == .contradiction)
        #expect(window.take(offset: 10, count: 10, total: 30, at: .zero) == .taken)
    }

    @Test("a file of no bytes, and one of a single piece, are complete at once")
    func smallest() {
        #expect(begun(total: 7).isComplete)
        var empty = PieceWindow(length: 10, at: .zero)
        #expect(empty.take(offset: 0, count: 0, total: 0, at: .zero) == .taken)
        #expect(empty.isComplete)
    }
}
