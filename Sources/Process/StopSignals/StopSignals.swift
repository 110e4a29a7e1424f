import Dispatch
import Glibc
import Synchronization

/// SIGINT and SIGTERM as calls instead of sudden death; the second one kills.
package final class StopSignals {
    private final class First: Sendable {
        let signal = Mutex<Int32?>(nil)

        /// Remembers the first signal; false for a later one.
        func take(_ number: Int32) -> Bool {
            signal.withLock { value in
                defer { value = value ?? number }
                return value == nil
            }
        }
    }

    private let sources: [any DispatchSourceSignal]
    private let first = First()

    /// Until this returns a signal ends the process, as before; none is lost.
    ///
    /// - Parameter action: called once, from another thread, with the signal.
    package init(_ action: @escaping @Sendable (Int32) -> Void) {
        let queue = DispatchQueue(label: "signals")
        let first = first
        sources = [SIGINT, SIGTERM].map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                if first.take(number) { action(number) } else { _exit(128 + number) }
            }
            // The source takes the place of the default action when it is registered, on another thread. To ignore the
            // signal until then would lose it.
            let isRegistered = DispatchSemaphore(value: 0)
            source.setRegistrationHandler { isRegistered.signal() }
            source.resume()
            isRegistered.wait()
            return source
        }
        // A parent may have left them blocked.
        var both = sigset_t()
        sigemptyset(&both)
        sigaddset(&both, SIGINT)
        sigaddset(&both, SIGTERM)
        pthread_sigmask(SIG_UNBLOCK, &both, nil)
    }

    /// The signal that came first, if any has.
    package var received: Int32? { first.signal.withLock { $0 } }
}
