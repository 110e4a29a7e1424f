import Dispatch
import Glibc

/// SIGHUP as a call: by custom it lets a server read again what it was told at its start.
package final class HangUpSignal {
    private let source: any DispatchSourceSignal

    /// From when this returns the signal does not end the process any more.
    ///
    /// - Parameter action: called for each signal, from another thread.
    package init(_ action: @escaping @Sendable () -> Void) {
        source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: DispatchQueue(label: "SIGHUP"))
        source.setEventHandler { action() }
        let isRegistered = DispatchSemaphore(value: 0)
        source.setRegistrationHandler { isRegistered.signal() }
        source.resume()
        isRegistered.wait()
        // nohup, or a parent, may have it ignored or blocked: who asks for it wants it.
        var hangUp = sigset_t()
        sigemptyset(&hangUp)
        sigaddset(&hangUp, SIGHUP)
        pthread_sigmask(SIG_UNBLOCK, &hangUp, nil)
    }
}
