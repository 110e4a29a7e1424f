import Dispatch
import Synchronization

/// What many threads have for one, which takes all that is there at once.
///
/// The taker is woken once for a batch, however many elements it has: each waking costs as much as writing down a small
/// one.
final class BatchQueue<Element: Sendable>: Sendable {
    private let waiting = Mutex<[Element]>([])
    private let available = DispatchSemaphore(value: 0)

    /// Adds an element at the end; from any thread.
    func add(_ element: Element) {
        let isFirst = waiting.withLock { waiting in
            waiting.append(element)
            return waiting.count == 1
        }
        // Whoever takes one takes all.
        if isFirst { available.signal() }
    }

    /// All that is there, in its order.
    ///
    /// - Parameter limit: how long to wait for the first one; nil for as long as it takes.
    func take(within limit: Duration?) -> [Element] {
        // What is taken along without waiting need not wake anybody any more.
        if let limit { _ = available.wait(timeout: .now() + limit / .seconds(1)) } else { available.wait() }
        return waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
    }
}
