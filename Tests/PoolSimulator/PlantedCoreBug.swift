import ContentHash
import CoordinatorCore
import Journal
import Messaging
import PoolCore
import RunFolder

/// A mistake that the core could have around its scheduler.
public enum PlantedCoreBug: Sendable, CaseIterable {
    /// A result that is given to the archive is confirmed already.
    case confirmsBeforeStoring
    /// A job is accepted when the archive is asked to note it.
    case acceptsBeforeNoting
    /// Nothing ties a job to the arithmetic of those that have worked on it.
    case forgetsArithmetic
    /// What a block has come to is not sent along with it.
    case leavesStatesOut
    /// The last piece of a state is not asked for.
    case stopsBeforeTheLastPiece
    /// A piece of a state is not stored.
    case losesPieces
    /// A number of leases is left out.
    case leavesAGapInLeases
    /// A job's end is not noted.
    case forgetsEnds
    /// What somebody has brought who brings wrong results counts on.
    case keepsWhatLiarsBrought
    /// Results are taken for the same that are not.
    case comparesNothing
}

extension History {
    /// What becomes of a core's action if it has the planted mistake.
    func spoiled(_ action: CoordinatorCore.Action) -> [CoordinatorCore.Action] {
        switch (bug, action) {
        case (.confirmsBeforeStoring, .ask(.result(let attempt, let worker, _, _))):
            guard let job = places[attempt.job], let process = peerOf[worker] else { return [action] }
            let taken = Messaging.Message.taken(job: identities[job], blocks: [attempt.block])
            return [action, .send(taken, to: Address.worker(process).peer)]
        case (.acceptsBeforeNoting, .ask(.open(let number, _, _, _, _))):
            guard let job = places[number], plan.jobs.indices.contains(job) else { return [action] }
            let accepted = Messaging.Message.accepted(job: identities[job], alreadyFinished: false)
            return [action, .send(accepted, to: Address.user(job).peer)]
        case (.forgetsArithmetic, .ask(.note(.worker, _))): return []
        case (.leavesStatesOut, .send(.lease(var lease), let peer)):
            (lease.checkpoints, lease.stateBytes) = ([:], [:])
            return [.send(.lease(lease), to: peer)]
        case (.leavesAGapInLeases, .send(.lease(var lease), let peer)):
            if lease.number > 2 { lease.number += 1 }
            return [.send(.lease(lease), to: peer)]
        case (.stopsBeforeTheLastPiece, .send(.checkpoint(let state), _)): return state.isLast ? [] : [action]
        case (.losesPieces, .ask(.piece)): return []
        case (.forgetsEnds, .ask(.end)): return []
        case (.keepsWhatLiarsBrought, .ask(.disown)): return []
        case (.comparesNothing, .ask(.compare(let attempt, _, _, _))):
            return [.ask(.note(.verified(job: attempt.job, block: attempt.block)))]
        default: return [action]
        }
    }
}
