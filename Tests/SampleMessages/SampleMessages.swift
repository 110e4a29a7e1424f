package import ContentHash
package import Messaging
import RunFolder

/// A message of every kind, with a value in every field.
package enum Samples {
    package static let job = digest(7)
    package static let attempt = AttemptID(job: job, block: 1 << 40, attempt: 3)

    package static func digest(_ first: UInt8) -> Digest {
        guard let digest = Digest(bytes: (0..<32).map { first &+ UInt8($0) }) else {
            fatalError("32 bytes are a digest")
        }
        return digest
    }

    package static let registration = Registration(
        session: Array(0..<16), host: "knoten-ü.example", process: 4_000_000, slots: 96, version: "1.2.3",
        fingerprint: "0123abcd")

    package static let progress = BlockProgress(attempt: attempt, stepsDone: 3, stepsTotal: 9, acceptance: 0.25)

    package static let report = BlockReport(
        attempt: attempt, samples: Array(0..<16), statistics: ["one": [0, 255, 7], "none": [], "ä": [1]],
        gradientEvaluations: 1 << 50, seconds: 12.5)

    package static let lease = Lease(
        job: job, jobText: Array("{\"a\": 1}".utf8), textDigest: Digest(bytes: Array(1...32)) ?? job,
        blocks: [AttemptID(job: job, block: 0, attempt: 1), AttemptID(job: job, block: 9, attempt: 2)],
        checkpoints: [9: [1, 0, 255]], stateBytes: [0: 1 << 33], number: 1 << 40,
        checkpointInterval: .milliseconds(2_500))

    package static let state = BlockState(attempt: attempt, stepsDone: 17, state: [0, 255, 0])

    package static let statePiece = BlockState(
        attempt: attempt, stepsDone: 17, state: [0, 255, 0], offset: 1 << 33, isLast: false)

    package static let holder: Registration = {
        var holder = registration
        (holder.number, holder.holding) = (7, [attempt, AttemptID(job: job, block: 0, attempt: 1)])
        holder.servers = [
            OfferedServer(name: "sd", fingerprint: "09ab"), OfferedServer(name: "clip-2", fingerprint: "1"),
        ]
        return holder
    }()

    package static let terms: SubmissionTerms = {
        var terms = SubmissionTerms()
        (terms.priority, terms.share) = (-3, 2.5)
        (terms.timeLimit, terms.checkpointInterval) = (.seconds(3_600), .milliseconds(500))
        return terms
    }()

    package static func status(_ state: JobStatus.State) -> JobStatus {
        JobStatus(
            job: job, name: "ring", state: state, chainsTotal: 1_000_000, chainsDone: 17, fraction: 0.125,
            acceptance: .nan, secondsElapsed: 3.5, workers: 4, failure: state == .failed ? "a block was lost" : "",
            notice: state == .paused ? "no room" : "", priority: -2, blocksAgain: 5,
            submittedAt: 1.75e9, isPreliminary: state == .paused)
    }

    package static let poolStatus = PoolStatus(
        jobs: JobStatus.State.allCases.map { status($0) }, workers: 3, slots: 12, version: "1.0", uptimeSeconds: 1e6,
        protection: .keys, refused: [RefusalCount(name: "keys", count: 7)])

    package static let worker = WorkerStatus(
        worker: .max, host: "a", process: 1, slots: 2, version: "v", fingerprint: "f", blocksDone: 3,
        blocksRunning: 4, secondsSinceHeard: 0.5, servers: [OfferedServer(name: "sd", fingerprint: "09ab")])

    package static let explanation = Explanation(
        status: status(.running),
        workers: [
            JobWorker(name: "3", host: "a", process: 7, blocksDone: 2, blocksHeld: 1, seconds: 0.5),
            JobWorker(name: "12", host: "", process: 0, blocksDone: 0, blocksHeld: 9, seconds: 0),
        ],
        block: BlockStanding(
            block: 1 << 20, stage: .setAside, attempts: 2,
            told: [
                BlockAttempt(worker: "", number: 0, fraction: 0, failure: "it was lost"),
                BlockAttempt(worker: "3", number: 2, fraction: 0.5, failure: ""),
            ]))

    package static let chunk = FileChunk(
        job: job, file: "samples.npy", offset: 1 << 33, total: 1 << 34, data: [0, 255, 0])

    package static let modelChunk = ModelChunk(model: digest(9), offset: 1 << 33, total: 1 << 34, data: [1, 0, 255])

    package static let all: [Message] = [
        .modelRequest(ModelRequest(model: digest(9), offset: 1 << 33, length: 1 << 20)), .modelChunk(modelChunk),
        .modelUnavailable(digest(9), reason: "it was moved"),
        .registration(registration), .heartbeat(lease: 3, holding: 5), .progress(progress), .result(report),
        .failure(attempt, text: "energy is NaN"), .failure(attempt, text: "no room", isInability: true),
        .goodbye(reason: "asked to"),
        .welcome(worker: .max, registration: 9, heartbeat: .milliseconds(1_500), silence: .seconds(6)), .lease(lease),
        .registration(holder), .checkpoint(state), .returned(state), .checkpoint(statePiece),
        .taken(job: job, blocks: [1, 1 << 40]), .settled(attempt, bytes: 1 << 33),
        .revoke(job: job, blocks: [3], handBack: true), .drain(reason: "it fails", exitStatus: 70),
        .submit(jobText: [123, 125], force: false, watch: true, terms: terms),
        .control(job: job, .pause), .control(job: job, .resume), .control(job: job, .priority(-4)),
        .revoke(job: job, blocks: [0, 5, 1 << 40]), .drain(reason: "enough"), .registerAgain(reason: "who are you"),
        .submit(jobText: [123, 125], force: true, watch: true), .statusRequest(job: job), .statusRequest(job: nil),
        .workersRequest, .cancel(job: job), .fetch(job: job, file: "run.json", offset: 1 << 40, length: 65_536),
        .accepted(job: job, alreadyFinished: true), .poolStatus(poolStatus), .event(status(.failed)),
        .workers([worker, worker]), .fileChunk(chunk), .refusal(exitStatus: 65, text: "no such job"),
        .delete(job: job), .explain(job: job, chain: nil), .explain(job: job, chain: 0), .explanation(explanation),
        .reloadKeys, .keysReloaded(allowed: 3),
    ]
}
