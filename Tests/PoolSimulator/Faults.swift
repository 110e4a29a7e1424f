import CoordinatorCore
import Messaging
import PoolCore
import RunFolder

/// What goes wrong, and what users and administrators do.
extension History {
    mutating func strike(_ fault: HistoryPlan.Fault) {
        switch fault {
        case .crash(let worker, let down, let isSeen):
            guard let peer = current[worker] else { return }
            kill(peer, down: down)
            if isSeen { died(peer) }
        case .stop(let worker, _):
            guard let peer = current[worker], time >= processes[peer].frozenUntil else { return }
            processes[peer].isLeaving = true
            tell(peer, .stopped)
        case .freeze(let worker, let duration):
            guard let peer = current[worker], time >= processes[peer].frozenUntil else { return }
            processes[peer].frozenUntil = end(of: duration)
        case .partition(let worker, let duration):
            guard let peer = current[worker] else { return }
            processes[peer].cutUntil = end(of: duration)
        case .jump(let worker, let step):
            guard let worker else {
                ahead += step
                return
            }
            if let peer = current[worker] { processes[peer].ahead += step }
        case .coordinatorCrash(let down): stopCoordinator(down: down, isPlanned: false)
        case .coordinatorStop(let down): stopCoordinator(down: down, isPlanned: true)
        case .coordinatorFreeze(let duration):
            if isUp, time >= coordinatorFrozenUntil { coordinatorFrozenUntil = end(of: duration) }
        case .fullDisk(let duration):
            guard !diskIsFull else { return }
            diskIsFull = true
            queue.add(.emptyDisk, at: end(of: duration))
        case .cancel(let job):
            wantsCancelled[job] = true
            queue.add(.command(job), at: time)
        case .pause(let job, let duration):
            guard !wantsPaused[job] else { return }
            wantsPaused[job] = true
            queue.add(.command(job), at: time)
            queue.add(.resume(job), at: end(of: duration))
        case .prioritize(let job, let priority):
            wantsPriority[job] = priority
            queue.add(.command(job), at: time)
        case .stranger(let nonsense): say(nonsense)
        }
    }

    /// Somebody says what nobody can make use of.
    private mutating func say(_ nonsense: HistoryPlan.Nonsense) {
        guard isUp, time >= coordinatorFrozenUntil else { return }
        let stranger: PeerID = [3, 0, 0]
        let attempt = AttemptID(job: identities[0], block: 0, attempt: 1)
        let worker = workerOf.keys.min()
        let from = worker.map { Address.worker($0).peer } ?? stranger
        func tell(_ message: Messaging.Message, from peer: PeerID) {
            speaking = peer == stranger ? nil : worker
            hear(message, from: peer, over: nil)
            speaking = nil
        }
        switch nonsense {
        case .otherVersion:
            let error = MessagingError(code: .version(9), message: "another version")
            feed(.message(.failure(error), from: stranger, over: nil))
        case .tooLong:
            feed(.message(.failure(MessagingError(code: .tooLong, message: "too long")), from: stranger, over: nil))
        case .unregistered:
            tell(.checkpoint(BlockState(attempt: attempt, stepsDone: 1, state: [1])), from: stranger)
            tell(.goodbye(reason: ""), from: stranger)
        case .hugeState:
            let state = [UInt8](repeating: 1, count: 1 << 16)
            tell(.checkpoint(BlockState(attempt: attempt, stepsDone: 1, state: state)), from: from)
        case .strangeBlock:
            let other = AttemptID(job: identities[0], block: 1 << 40, attempt: 1)
            tell(.checkpoint(BlockState(attempt: other, stepsDone: 1, state: [1])), from: from)
            tell(.result(SimulatedJobs.all.report(of: realJobs[0], other)), from: from)
        case .misshapenResult:
            // Of a block that nobody has, so that it counts against nobody.
            let other = AttemptID(job: identities[0], block: 0, attempt: 1 << 30)
            tell(
                .result(
                    BlockReport(
                        attempt: other, samples: [1], statistics: StatisticRows(), gradientEvaluations: 0, seconds: 0)),
                from: from)
        case .strayPiece:
            tell(
                .checkpoint(BlockState(attempt: attempt, stepsDone: 1, state: [1], offset: 4, isLast: false)),
                from: from)
        }
    }
}

extension HistoryPlan.Fault {
    var isPartition: Bool {
        if case .partition = self { true } else { false }
    }

    /// Whether everything that was sent arrives, and in time.
    var leavesConnectionsAlone: Bool {
        switch self {
        case .cancel, .pause, .prioritize, .fullDisk: true
        default: false
        }
    }

    /// Whether checkpoints that a worker has sent before it dies are stored and handed out in time.
    var leavesTheStoreAlone: Bool {
        switch self {
        case .coordinatorCrash, .coordinatorStop, .coordinatorFreeze, .fullDisk, .partition, .freeze: false
        default: true
        }
    }
}
