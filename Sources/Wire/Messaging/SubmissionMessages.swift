import CWireMessages

/// How a job is to be treated; no part of its identity.
package struct SubmissionTerms: Sendable, Equatable {
    /// Jobs of a higher priority go first.
    package var priority = 0
    /// Jobs of one priority get the workers' time in proportion to their shares; above zero.
    package var share = 1.0
    /// The job fails if it is not finished after so long; nil for never.
    package var timeLimit: Duration?
    /// How often a running block's state is brought to the coordinator; nil for the coordinator's own interval.
    package var checkpointInterval: Duration?

    /// The defaults.
    package init() {}
}

extension SubmissionTerms {
    mutating func pass(_ m: inout Rrr__Wire__Submit, _ wire: inout WirePass) {
        wire.number(&priority, &m.priority)
        wire.same(&share, &m.share)
        if wire.isReading {
            if share == 0 { share = 1 }
            wire.check(share > 0 && share.isFinite, "a share of \(share)")
        }
        wire.seconds(&timeLimit, &m.time_limit_seconds)
        wire.seconds(&checkpointInterval, &m.checkpoint_seconds)
    }
}

/// A change to how a job is treated.
package enum JobControl: Sendable, Equatable {
    /// No block of it runs until it is resumed.
    case pause
    case resume
    case priority(Int)
}

extension JobControl {
    mutating func pass(_ m: inout Rrr__Wire__Control, _ wire: inout WirePass) {
        if wire.isReading {
            switch m.change_case {
            case RRR__WIRE__CONTROL__CHANGE_PAUSE: self = m.pause != 0 ? .pause : .resume
            case RRR__WIRE__CONTROL__CHANGE_PRIORITY: self = .priority(Int(m.priority))
            default: wire.refuse("a control that changes nothing")
            }
            return
        }
        switch self {
        case .pause: (m.change_case, m.pause) = (RRR__WIRE__CONTROL__CHANGE_PAUSE, 1)
        case .resume: (m.change_case, m.pause) = (RRR__WIRE__CONTROL__CHANGE_PAUSE, 0)
        case .priority(let priority):
            (m.change_case, m.priority) = (RRR__WIRE__CONTROL__CHANGE_PRIORITY, Int32(clamping: priority))
        }
    }
}
