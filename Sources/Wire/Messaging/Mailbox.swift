import Glibc
import Synchronization

/// Ends the wait of a socket's owner from another thread: a pipe that the owner watches.
package struct Wakeup: ~Copyable, Sendable {
    /// -1 if the process has no file left to open; waits are short then.
    let readable: Int32
    private let writable: Int32

    /// A pipe of its own, which never blocks and which no process started later inherits.
    package init() {
        var ends: [Int32] = [-1, -1]
        if pipe(&ends) != 0 { ends = [-1, -1] }
        for end in ends where end >= 0 {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        (readable, writable) = (ends[0], ends[1])
    }

    deinit {
        guard readable >= 0 else { return }
        close(readable)
        close(writable)
    }

    /// Wakes the owner, now or when it next waits. A full pipe is as good as one byte.
    package func call() {
        var byte: UInt8 = 1
        _ = write(writable, &byte, 1)
    }

    func clear() {
        var bytes = [UInt8](repeating: 0, count: 256)
        while read(readable, &bytes, bytes.count) > 0 {}
    }
}

/// Values on their way from any thread to the one that owns a socket.
package final class Mailbox<Element: Sendable>: Sendable {
    private let waiting = Mutex<[Element]>([])

    /// What the owner waits for beside its socket.
    package let wakeup = Wakeup()

    /// Empty.
    package init() {}

    /// Leaves a value and wakes the owner.
    package func post(_ element: Element) {
        waiting.withLock { $0.append(element) }
        wakeup.call()
    }

    /// Takes everything that has been left, in its order.
    package func drain() -> [Element] {
        waiting.withLock { elements in
            defer { elements = [] }
            return elements
        }
    }
}
