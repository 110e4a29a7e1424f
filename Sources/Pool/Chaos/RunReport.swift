/// What became of a disturbed run.
package struct RunReport: Sendable {
    /// What it came to.
    package enum Outcome: String, Sendable, CaseIterable {
        /// All bytes are those of the undisturbed run.
        case identical
        /// The job finished, and some bytes are others.
        case different
        /// The job did not finish in time.
        case hung
        /// A submitter told that the job can't be done.
        case failed
    }

    /// The seed that gives the same choices again.
    package var seed: UInt64
    /// How the run ended.
    package var outcome: Outcome
    /// From the first process to the job's end.
    package var time: Duration
    /// How often each kind of disturbance hit.
    package var disturbances: [Disturbance: Int]
    /// Workers that answered SIGTERM too late or with another status than 0.
    package var lateStops: [String]
    /// Processes that ended although nobody had asked them to.
    package var unexpectedEnds: [String]
    /// Submitters that ended with 69 or 75, which ask for another try.
    package var resubmissions: Int
    /// What the last coordinator counted; nil if there is no output.
    package var blocksRunAgain: Int?
    /// The files that differ, or why the job failed.
    package var details: [String]
    /// Where logs, output and state are, if they were kept.
    package var folder: String?

    /// A report of one run.
    package init(
        seed: UInt64, outcome: Outcome, time: Duration, disturbances: [Disturbance: Int], lateStops: [String],
        unexpectedEnds: [String], resubmissions: Int, blocksRunAgain: Int?, details: [String], folder: String?
    ) {
        self.seed = seed
        self.outcome = outcome
        self.time = time
        self.disturbances = disturbances
        self.lateStops = lateStops
        self.unexpectedEnds = unexpectedEnds
        self.resubmissions = resubmissions
        self.blocksRunAgain = blocksRunAgain
        self.details = details
        self.folder = folder
    }

    /// Whether there is nothing to look into.
    package var isFlawless: Bool { outcome == .identical && lateStops.isEmpty && unexpectedEnds.isEmpty }

    /// The run in one line.
    package var line: String {
        let hits = Disturbance.allCases.compactMap { kind in
            disturbances[kind].map { "\($0) \(kind.rawValue.replacing("_", with: " "))" }
        }
        var parts = [
            "\(outcome.rawValue) after \(time.roundedSeconds) s",
            hits.isEmpty ? "undisturbed" : hits.joined(separator: ", "),
        ]
        if let blocksRunAgain { parts.append("\(blocksRunAgain) blocks ran again") }
        if !details.isEmpty { parts.append(details.joined(separator: ", ")) }
        if !lateStops.isEmpty { parts.append("late stops: " + lateStops.joined(separator: ", ")) }
        if !unexpectedEnds.isEmpty { parts.append("unexpected ends: " + unexpectedEnds.joined(separator: ", ")) }
        if let folder { parts.append("kept in \(folder)") }
        return parts.joined(separator: "; ")
    }
}
