/// What is done to a pool while it works.
package enum Disturbance: String, Sendable, CaseIterable {
    /// SIGKILL; a replacement starts a moment later.
    case workerKilled = "worker_killed"
    /// SIGSTOP, and SIGCONT after a while: at times later than the 6 s after which a worker counts as lost.
    case workerPaused = "worker_paused"
    /// SIGTERM, which a worker answers with exit status 0 within 2 s; a replacement starts a moment later.
    case workerStopped = "worker_stopped"
    /// SIGKILL, and a new start on the same state and address.
    case coordinatorKilled = "coordinator_killed"
    /// SIGSTOP, and SIGCONT after a while.
    case coordinatorPaused = "coordinator_paused"
    /// SIGTERM, and a new start on the same state and address.
    case coordinatorStopped = "coordinator_stopped"
    /// SIGKILL; another submitter joins the job.
    case submitterKilled = "submitter_killed"

    /// How often it is chosen, beside the others.
    var weight: Double {
        switch self {
        case .workerKilled: 4
        case .workerPaused, .workerStopped: 3
        case .coordinatorKilled, .coordinatorPaused, .coordinatorStopped, .submitterKilled: 2
        }
    }

    /// The signal it begins with.
    var signal: ProcessSignal {
        switch self {
        case .workerKilled, .coordinatorKilled, .submitterKilled: .kill
        case .workerPaused, .coordinatorPaused: .stop
        case .workerStopped, .coordinatorStopped: .terminate
        }
    }
}

/// A process of the pool.
package enum Member: Sendable, Hashable, CustomStringConvertible {
    case coordinator
    case submitter
    /// Counted from 1. A replacement keeps the number.
    case worker(Int)

    /// Its name in logs, and that of its log.
    package var description: String {
        switch self {
        case .coordinator: "coordinator"
        case .submitter: "submitter"
        case .worker(let number): "worker-\(number)"
        }
    }
}

/// The signals that disturb.
package enum ProcessSignal: String, Sendable {
    case kill = "SIGKILL"
    case stop = "SIGSTOP"
    case resume = "SIGCONT"
    case terminate = "SIGTERM"
}

/// How a process ended.
package struct Ending: Sendable, Equatable, CustomStringConvertible {
    /// Its exit status, or the number of the signal that ended it.
    package var status: Int32
    /// Whether a signal ended it.
    package var bySignal: Bool

    /// An ending as the system tells it.
    package init(status: Int32, bySignal: Bool = false) {
        self.status = status
        self.bySignal = bySignal
    }

    /// Whether it left of its own will and content: exit status 0.
    package var isClean: Bool { !bySignal && status == 0 }

    /// Whether a submitter asks for another try: no coordinator, or not now. Not an end that tells of the job.
    var asksForAnotherTry: Bool { !bySignal && (status == 69 || status == 75) }

    /// `signal 9` or `exit status 2`.
    package var description: String { (bySignal ? "signal " : "exit status ") + String(status) }
}
