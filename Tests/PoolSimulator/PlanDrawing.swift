import PoolCore

extension HistoryPlan {
    /// The history of this seed: a third gentle, the others with all kinds of faults in their own mix.
    public init(seed: UInt64) {
        var random = SplitMix(seed: seed &* 0xD134_2543_DE82_EF95 &+ 1)
        self.seed = random.next()
        isGentle = random.happens(350)
        calm = random.within(2...15) * 1_000_000
        drawNetwork(&random)
        drawWorkers(&random)
        drawJobs(&random)
        drawFaults(&random)
        drawConfiguration(&random)
        drawVerification(&random)
    }

    /// Where results are verified there are two workers that are good, and those of one arithmetic; one may not be.
    private mutating func drawVerification(_ random: inout SplitMix) {
        guard random.happens(250) else { return }
        verified = random.happens(500) ? 1 : 0.3
        while workers.count < 2 { workers.append(Worker(slots: random.within(1...3))) }
        for index in workers.indices { workers[index].group = "a" }
        for index in 0..<2 { workers[index].fails = false }
        guard random.happens(700) else { return }
        workers.append(Worker(slots: random.within(1...3)))
        workers[workers.count - 1].lies = [20, 200, 1_000][random.below(3)]
    }

    private mutating func drawNetwork(_ random: inout SplitMix) {
        // Now and then the way there and back takes longer than a heartbeat.
        network.latency = random.happens(40) ? 700_000 : [200, 1_000, 20_000, 150_000][random.below(4)]
        network.jitter = random.below(2) * network.latency
        if !isGentle {
            if random.happens(400) { network.lost = [5, 30, 100][random.below(3)] }
            if random.happens(300) { network.repeated = [10, 100][random.below(2)] }
            if random.happens(300) { network.reordered = [10, 100][random.below(2)] }
        }
        flushEvery = [5_000, 50_000, 300_000][random.below(3)]
        flushTime = [1_000, 20_000, 200_000][random.below(3)]
        stopTime = [1_000, 50_000, 400_000][random.below(3)]
        isTight = random.happens(300)
    }

    private mutating func drawWorkers(_ random: inout SplitMix) {
        let groups = random.happens(300) ? ["a", "b"] : ["a"]
        for index in 0..<random.within(1...4) {
            var worker = Worker(slots: random.within(1...3), group: groups[index % groups.count])
            if random.happens(200) { worker.pace = random.within(50...400) }
            // The first worker of each group is good.
            if !isGentle, index >= groups.count, random.happens(150) { worker.fails = true }
            if random.happens(100) { worker.unableUntil = random.below(calm) }
            workers.append(worker)
        }
    }

    private mutating func drawJobs(_ random: inout SplitMix) {
        let longest = [2_000, 50_000, 400_000][random.below(3)]
        for _ in 0..<random.within(1...3) {
            var job = Job(time: random.below(calm * 2 / 3), blocks: random.within(1...random.within(2...20)))
            job.steps = random.within(1...12)
            job.stepTime = random.within(1_000...longest)
            job.interval = random.within(1...6)
            job.pieces = random.happens(300) ? random.within(2...3) : 1
            if random.happens(250) { job.model = random.below(2) }
            if random.happens(300) { job.priority = random.within(-1...2) }
            if random.happens(300) { job.share = Double(random.within(1...4)) }
            if random.happens(80) { job.timeLimit = random.within(1...20) * 1_000_000 }
            while !isGentle, job.poison.count < 3, random.happens(150) {
                let kind: Poison = [.kills, .fails, .hangs][random.below(3)]
                job.poison[random.below(job.blocks)] = (kind, random.below(job.steps))
                job.isHandedInAgain = random.happens(300)
            }
            jobs.append(job)
        }
    }

    private mutating func drawConfiguration(_ random: inout SplitMix) {
        let slowest = workers.map(\.pace).max() ?? 100
        let milestone = jobs.map { $0.stepTime * min($0.interval, $0.steps) * slowest / 100 }.max() ?? 0
        // A block that is not hung tells of itself in time, and one that was lost on the way is missed before.
        let way = network.latency + network.jitter
        let shortest = isReliable && !faults.contains { $0.fault.isPartition } ? 8_000_000 : 60_000_000
        configuration.stall = .microseconds(max(shortest, 4 * milestone + 4_000_000 + 12 * way))
        configuration.crashLimit = random.within(2...5)
        configuration.deepestQueue = random.happens(300) ? random.within(1...4) : 256
        configuration.straggling = Double(random.within(2...4))
        configuration.longestRest = .seconds(random.within(1...8))
        configuration.orphanhood = .seconds(random.within(1...10))
    }

    private mutating func drawFaults(_ random: inout SplitMix) {
        guard random.happens(900) else { return }
        for _ in 0..<random.below(random.within(2...16)) {
            faults.append((random.below(calm), isGentle ? drawGentle(&random) : drawAny(&random)))
        }
        faults.sort { $0.time < $1.time }
    }

    private func drawGentle(_ random: inout SplitMix) -> Fault {
        let worker = random.below(workers.count)
        let job = random.below(jobs.count)
        let time = random.within(10_000...[200_000, 2_000_000, 9_000_000][random.below(3)])
        switch random.below(16) {
        case 15: return .stranger(Nonsense.allCases[random.below(Nonsense.allCases.count)])
        case 0...2: return .stop(worker: worker, down: time)
        case 3...4: return .coordinatorCrash(down: time)
        case 5...6: return .coordinatorStop(down: time)
        case 7: return .coordinatorFreeze(time: time)
        case 8: return .jump(worker: random.below(2) == 0 ? nil : worker, by: time)
        case 9: return .fullDisk(time: time)
        case 10: return .cancel(job: job)
        case 11...13: return .pause(job: job, time: time * 4)
        default: return .prioritize(job: job, random.within(-2...3))
        }
    }

    private func drawAny(_ random: inout SplitMix) -> Fault {
        let worker = random.below(workers.count)
        let time = random.within(10_000...[200_000, 2_000_000, 12_000_000][random.below(3)])
        switch random.below(12) {
        case 0...2: return .crash(worker: worker, down: time, isSeen: random.below(2) == 0)
        case 3...4: return .freeze(worker: worker, time: time)
        case 5...6: return .partition(worker: worker, time: time)
        default: return drawGentle(&random)
        }
    }
}
