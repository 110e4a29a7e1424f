import Foundation
import StrictJSON

/// A pool of real processes that runs a job while a ``DisturbancePlan`` disturbs it.
struct DisturbedRun {
    let commands: PoolCommands
    /// For state, output and logs; not there yet.
    let folder: String
    /// How long the job may take after the last disturbance.
    let patience: Duration
    /// The signal that asks to stop, if one has come.
    let interruption: () -> Int32?

    private var address: String?
    private var children: [Member: ChildProcess] = [:]
    private let clock = ContinuousClock()
    private let begin = ContinuousClock().now

    init(commands: PoolCommands, folder: String, patience: Duration, interruption: @escaping () -> Int32?) {
        self.commands = commands
        self.folder = folder
        self.patience = patience
        self.interruption = interruption
    }

    var output: String { folder + "/output" }

    private func log(_ member: Member) -> String { "\(folder)/\(member).log" }

    /// Runs to the job's end and ends all processes.
    ///
    /// - Returns: the report, as yet without a comparison: `identical` means that there is something to compare.
    mutating func run(_ settings: DisturbanceSettings, seed: UInt64) throws(ChaosError) -> RunReport {
        try makeFolder(folder)
        defer { ChildProcess.end(Array(children.values)) }
        var plan = DisturbancePlan(settings, random: SplitMix64(seed: seed))
        var verdict: (RunReport.Outcome, [String])?
        while verdict == nil {
            if let signal = interruption() { throw ChaosError(exitStatus: 128 + signal, "interrupted") }
            for (member, child) in children {
                guard let ending = child.ending else { continue }
                children[member] = nil
                try note("\(member): \(ending)")
                if member == .submitter { verdict = self.verdict(on: ending) }
                if verdict == nil { try perform(plan.handle(.ended(member, ending), at: clock.now - begin)) }
            }
            if verdict != nil { break }
            let now = clock.now - begin
            try perform(plan.handle(.tick, at: now))
            if now > settings.lasting + patience {
                try takeEvidence()
                verdict = (.hung, ["\(patience.roundedSeconds) s after the last disturbance the job had not ended"])
            }
            usleep(5_000)
        }
        return RunReport(
            seed: seed, outcome: verdict?.0 ?? .hung, time: clock.now - begin, disturbances: plan.counts,
            lateStops: plan.lateStops, unexpectedEnds: plan.unexpectedEnds, resubmissions: plan.resubmissions,
            blocksRunAgain: blocksRunAgain, details: verdict?.1 ?? [], folder: folder)
    }

    /// What a submitter's end says about the job; nil if another one should try.
    private func verdict(on ending: Ending) -> (RunReport.Outcome, [String])? {
        if ending.bySignal || ending.asksForAnotherTry { return nil }
        if ending.isClean { return (.identical, []) }
        let said = (try? String(contentsOfFile: log(.submitter), encoding: .utf8))?.split(separator: "\n").last
        return (.failed, ["submit ended with \(ending)" + (said.map { ": " + $0 } ?? "")])
    }

    private mutating func perform(_ actions: [DisturbancePlan<SplitMix64>.Action]) throws(ChaosError) {
        for action in actions {
            switch action {
            case .start(let member):
                try start(member)
                try note("\(member): start")
            case .send(let signal, let member):
                children[member]?.send(signal)
                try note("\(member): \(signal.rawValue)")
            }
        }
    }

    private mutating func start(_ member: Member) throws(ChaosError) {
        let state = folder + "/state"
        guard let address else {
            // The coordinator comes first, and the others need to know where it is.
            let child = try ChildProcess(commands.serve(listen: commands.listen, state: state), log: log(.coordinator))
            children[.coordinator] = child
            address = try listeningAddress(of: child)
            return
        }
        let command =
            switch member {
            case .coordinator: commands.serve(listen: address, state: state)
            case .submitter: commands.submit(to: address, output: output)
            case .worker: commands.worker(for: address, folder: folder)
            }
        children[member] = try ChildProcess(command, log: log(member))
    }

    /// Waits for the address as it became, at most 10 s.
    private func listeningAddress(of coordinator: ChildProcess) throws(ChaosError) -> String {
        let mark = "listening at "
        for _ in 0..<1_000 {
            let ended = coordinator.ending
            let text = (try? String(contentsOfFile: log(.coordinator), encoding: .utf8)) ?? ""
            for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
                if let place = line.range(of: mark) { return String(line[place.upperBound...]) }
            }
            if let ended {
                let status = ended.bySignal ? 70 : ended.status
                throw ChaosError(exitStatus: status, "serve ended with \(ended): " + text)
            }
            if let signal = interruption() { throw ChaosError(exitStatus: 128 + signal, "interrupted") }
            usleep(10_000)
        }
        throw ChaosError(exitStatus: 70, "serve did not tell within 10 s where it listens; see \(log(.coordinator))")
    }

    /// Appends to the run's history.
    private func note(_ what: String) throws(ChaosError) {
        let path = folder + "/history.log"
        do {
            let file = try FileHandle.appending(to: path)
            try file.write(contentsOf: Data("\((clock.now - begin).milliseconds) ms  \(what)\n".utf8))
            try file.close()
        } catch {
            throw ChaosError(exitStatus: 74, "\(path) can't be written: \(error.localizedDescription)")
        }
    }

    /// What the coordinator says about a job that does not end.
    private func takeEvidence() throws(ChaosError) {
        guard let address else { return }
        let questions = try ["status", "workers"].map { (question) throws(ChaosError) in
            try ChildProcess(commands.ask(question, at: address), log: "\(folder)/\(question).json")
        }
        for _ in 0..<800 where questions.contains(where: { $0.ending == nil }) { usleep(10_000) }
        ChildProcess.end(questions)
    }

    private var blocksRunAgain: Int? {
        guard let data = FileManager.default.contents(atPath: output + "/provenance.json"),
            let node = try? JSONParser.parse(Array(data)), case .object(let members) = node.value,
            case .number(let text)? = members.first(where: { $0.name == "blocks_run_again" })?.node.value
        else { return nil }
        return Int(text)
    }
}

func makeFolder(_ path: String) throws(ChaosError) {
    do {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
        throw ChaosError(exitStatus: 73, "\(path) can't be made: \(error.localizedDescription)")
    }
}
