import PoolCore

/// What goes wrong, and what users and administrators do.
extension History {
    mutating func strike(_ fault: Plan.Fault) {
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
        }
    }
}

extension Plan.Fault {
    var isPartition: Bool {
        if case .partition = self { true } else { false }
    }

    /// Whether checkpoints that a worker has sent before it dies are stored and handed out in time.
    var leavesTheStoreAlone: Bool {
        switch self {
        case .coordinatorCrash, .coordinatorStop, .coordinatorFreeze, .fullDisk, .partition, .freeze: false
        default: true
        }
    }
}
