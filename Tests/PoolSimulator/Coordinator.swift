import ContentHash
import CoordinatorCore
import JobFile
import Journal
import Messaging
import PoolCore
import RunFolder

/// The coordinator's side: its core, and what stands for its host.
extension History {
    var coordinatorClock: Duration { .microseconds(time + ahead) }

    /// Whether it hears and speaks now.
    private var isThere: Bool { isUp && time >= coordinatorFrozenUntil }

    // MARK: The core

    private var moment: CoordinatorCore.Moment {
        CoordinatorCore.Moment(now: coordinatorClock, date: Double(time) / 1e6)
    }

    /// Tells the core what has happened, checks what its scheduler makes of it, and does what it wants.
    mutating func feed(_ event: CoordinatorCore.Event) { feed([event]) }

    private mutating func feed(_ events: [CoordinatorCore.Event]) {
        var events = events
        while !events.isEmpty, isUp {
            outcome.events += 1
            let actions = core.handle(events.removeFirst(), at: moment)
            for (event, wishes) in record.take() { audit(event, wishes) }
            for action in actions {
                // It is to be known at once which job a number stands for.
                if case .ask(.open(let number, _, let description, _, _)) = action {
                    places[number] = identities.firstIndex { $0.hex == description.jobHash }
                }
                for action in spoiled(action) { perform(action, &events) }
            }
        }
        wake()
        book.compare(with: core.scheduler, places, at: coordinatorClock)
    }

    private mutating func perform(_ action: CoordinatorCore.Action, _ events: inout [CoordinatorCore.Event]) {
        switch action {
        case .send(let message, let peer):
            switch Address(peer) {
            case .worker(let process): sendToWorker(message, process, peer, &events)
            case .user(let job): tellUser(message, of: job)
            case nil: break
            }
        case .ask(let request): archive.waiting.append(request)
        case .inspect(let job): queue.add(.inspected(life: life, job), at: time + plan.flushTime)
        case .lookUp(let job, let lookup):
            events.append(.lookedUp(job, hasRun: archive.folders[job] != nil, lookup))
        case .removeSummary(let job): archive.removeRun(of: job)
        case .receive(.read(let number, let text)):
            queue.add(.read(life: life, number, text), at: time + plan.flushTime)
        case .log(let level, let text):
            log("coordinator, \(level): \(text)")
        case .discardStaging, .receive, .sendFile, .sendModel, .end, .hangUp, .readKeys, .removeModel, .trimModels:
            break
        }
    }

    mutating func read(_ life: Int, _ number: Int, _ text: [UInt8]) {
        guard isUp, life == self.life, let job = SimulatedJobs.all.job(of: text) else { return }
        feed(.read(number, .job(job)))
    }

    mutating func inspected(_ life: Int, _ id: Digest) {
        guard isUp, life == self.life else { return }
        guard let group = archive.folders[id], let place = identities.firstIndex(of: id) else {
            return feed(.inspected(id, .nothing()))
        }
        feed(.inspected(id, .sound(SimulatedJobs.all.run(of: realJobs[place], group: group))))
    }

    // MARK: Users

    /// A user hands a job in, and again until it is accepted.
    mutating func submit(_ job: Int) {
        guard !isAccepted[job] else { return }
        queue.add(.submit(job), at: time + 700_000)
        guard isThere else { return }
        var terms = SubmissionTerms()
        (terms.priority, terms.share) = (jobs[job].priority, jobs[job].share)
        terms.timeLimit = jobs[job].timeLimit.map { .microseconds($0) }
        let text = Array(realJobs[job].canonicalText.utf8)
        hear(.submit(jobText: text, force: false, watch: false, terms: terms), from: .user(job))
    }

    /// A user tells what they want of a job, and again until it is done.
    mutating func command(_ job: Int) {
        guard isThere, isAccepted[job] else { return queue.add(.command(job), at: time + 500_000) }
        guard archive.job(identities[job])?.outcome == nil else { return }
        let id = identities[job]
        wasRefused = false
        if wantsCancelled[job] {
            hear(.cancel(job: id), from: .user(job))
        } else {
            if wantsPaused[job] != isPausedThere[job] {
                let holders = book.holders(of: job)
                hear(.control(job: id, wantsPaused[job] ? .pause : .resume), from: .user(job))
                if !wasRefused {
                    isPausedThere[job] = wantsPaused[job]
                    pauses[job] += 1
                    if wantsPaused[job], plan.isGentle, plan.isReliable {
                        let way = 2 * (plan.network.latency + plan.network.jitter) + plan.stopTime + 50_000
                        queue.add(.checkPause(job, life: life, pause: pauses[job], holders), at: time + way)
                    }
                }
            }
            if !wasRefused { hear(.control(job: id, .priority(wantsPriority[job])), from: .user(job)) }
        }
        if wasRefused { queue.add(.command(job), at: time + 500_000) }
    }

    private mutating func tellUser(_ message: Messaging.Message, of job: Int) {
        switch message {
        case .accepted(let id, let isFinished):
            book.claim(
                isFinished ? archive.folders[id] != nil : archive.job(id) != nil, "a job is accepted that is not noted")
            isAccepted[job] = true
        case .refusal: wasRefused = true
        default: break
        }
    }

    /// As long after a pause as a recall, a hand-back and its report take, whoever ran the job has handed it back.
    mutating func checkPause(_ job: Int, _ life: Int, _ pause: Int, _ holders: Set<WorkerID>) {
        guard life == self.life, pause == pauses[job], book.jobs[job].isOpen else { return }
        guard isThere else {
            let later = coordinatorFrozenUntil + 1_000_000
            return queue.add(.checkPause(job, life: life, pause: pause, holders), at: later)
        }
        // One that was granted and never arrived is missed later, and runs nowhere.
        let runs = holders.compactMap { peerOf[$0] }.flatMap { processes[$0].runs }
        book.claim(!runs.contains { $0.attempt.job == job }, "a paused job still runs")
    }

    // MARK: Life and death

    mutating func coordinatorTick(_ life: Int) {
        guard isUp, life == self.life else { return }
        for line in core.debtors where hasTakenAll(line) { feed(.drained(line)) }
        feed(.ticked)
        queue.add(.coordinatorTick(life: life), at: time + (core.debtors.isEmpty ? 250_000 : 50_000))
    }

    mutating func stopCoordinator(down: Int, isPlanned: Bool) {
        guard isThere else { return }
        if isPlanned, !diskIsFull {
            if !isFlushing { _ = archive.begin() }
            store()
            if archive.begin() { store() }
        }
        for (request, reply) in archive.crash(reachesDisk: random.below(2) == 0) { note(request, reply) }
        isUp = false
        life += 1
        book.forgetLife()
        (workerOf, peerOf, places) = ([:], [:], [:])
        (isFlushing, knowsDiskIsFull) = (false, false)
        queue.add(.startCoordinator, at: end(of: down))
    }

    mutating func startCoordinator() {
        isUp = true
        core = makeCore()
        let complete = identities.filter { archive.folders[$0] != nil }
        let past = archive.past
        for before in past {
            let record = before.job.record
            places[record.number] = identities.firstIndex(of: record.hash)
            if let place = places[record.number] { isPausedThere[place] = before.job.isPaused }
        }
        feed(.began(past, lastJob: archive.lastNumber, complete: Set(complete)))
        for job in plan.jobs.indices where isAccepted[job] { queue.add(.command(job), at: time + 500_000) }
        for (peer, message) in mailbox { queue.add(.toCoordinator(peer: peer, message), at: time) }
        mailbox = []
        queue.add(.coordinatorTick(life: life), at: time)
    }

    // MARK: The archive

    /// There is something to write.
    private mutating func wake() {
        guard !isFlushing, !archive.waiting.isEmpty else { return }
        isFlushing = true
        queue.add(.flush(life: life), at: time + plan.flushEvery)
    }

    mutating func flush(_ life: Int) {
        guard life == self.life else { return }
        if diskIsFull {
            isFlushing = false
            if !knowsDiskIsFull {
                knowsDiskIsFull = true
                feed(.archived(.full(reason: "no room")))
            }
            return
        }
        if archive.begin() { queue.add(.flushed(life: life), at: time + plan.flushTime) } else { isFlushing = false }
    }

    mutating func flushed(_ life: Int) {
        guard life == self.life else { return }
        isFlushing = false
        store()
        wake()
    }

    mutating func emptyDisk() {
        diskIsFull = false
        guard isUp, knowsDiskIsFull else { return }
        knowsDiskIsFull = false
        feed(.archived(.hasRoom))
        wake()
    }

    /// The write is done: whoever waits for it is told.
    private mutating func store() {
        for (request, reply) in archive.complete() {
            note(request, reply)
            if let reply { feed(.archived(reply)) }
        }
    }

    /// Takes in that something is on the disk.
    private mutating func note(_ request: ArchiveRequest, _ reply: ArchiveReply?) {
        switch request {
        case .result(let attempt, _, _, _):
            if reply != nil, let attempt = inPlace(attempt) { book.reached(disk: attempt) }
        case .disown:
            if case .lost(let number, let blocks) = reply, let job = places[number] { book.disowned(blocks, of: job) }
        case .open(let number, _, _, let resumes, _):
            guard let job = places[number] else { return }
            if !resumes {
                book.thrownAway(job)
                lostAt[job] = [:]
            }
            // What was wanted of it meanwhile had nobody to hear it.
            isPausedThere[job] = archive.job(identities[job])?.isPaused == true
            if plan.jobs.indices.contains(job) { queue.add(.command(job), at: time) }
        case .end(let number, _, let entry, _):
            guard let job = places[number], case .ended(_, let end, _, _) = entry, end == .failed,
                jobs[job].isHandedInAgain, !wasHandedInAgain[job]
            else { return }
            wasHandedInAgain[job] = true
            isAccepted[job] = false
            queue.add(.submit(job), at: time + 1)
        default: break
        }
    }

    // MARK: Messages

    /// Lets the core hear a message.
    mutating func hear(_ message: Messaging.Message, from address: Address) {
        var line: Line?
        if case .worker(let process) = address { line = Line(descriptor: Int32(process), node: 1) }
        hear(message, from: address.peer, over: line)
    }

    /// Lets the core look at a message, and read it if it wants to.
    mutating func hear(_ message: Messaging.Message, from peer: PeerID, over line: Line?) {
        guard isUp else { return }
        let (isAdmitted, actions) = core.screen(
            EnvelopeOutline(kind: message.kind, bytes: 0), from: peer, Origin(), at: moment)
        var events: [CoordinatorCore.Event] = []
        for action in actions { perform(action, &events) }
        if isAdmitted { events.append(.message(.success(message), from: peer, over: line)) }
        feed(events)
    }

    private func hasTakenAll(_ line: Line) -> Bool {
        processes.indices.first { Line(descriptor: Int32($0), node: 1) == line }
            .map { processes[$0].unread == 0 || !processes[$0].isAlive } ?? true
    }

    mutating func coordinatorReceives(_ message: Message, from peer: Int) {
        guard isUp else {
            // What the sockets hold waits for the next life, unless the connection is lost as well.
            if plan.isGentle || random.below(2) == 0 { mailbox.append((peer, message)) }
            return
        }
        speaking = peer
        defer { speaking = nil }
        if let message = onTheWire(message, from: peer) { hear(message, from: .worker(peer)) }
    }

    /// The process of a peer is known to be dead.
    mutating func died(_ peer: Int) {
        guard isThere else { return }
        feed(.processDied(Int32(peer), reason: "killed"))
    }
}
