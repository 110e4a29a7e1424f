package import StrictJSON

/// What all disturbed runs came to.
package struct ChaosReport: Sendable {
    /// How long the undisturbed run took.
    package let undisturbedTime: Duration
    /// The disturbed ones, in order.
    package let runs: [RunReport]

    /// A report of runs that are over.
    package init(undisturbedTime: Duration, runs: [RunReport]) {
        self.undisturbedTime = undisturbedTime
        self.runs = runs
    }

    /// How many came to this.
    package func count(_ outcome: RunReport.Outcome) -> Int { runs.count { $0.outcome == outcome } }

    /// Whether every run gave the bytes of the undisturbed one.
    package var allIdentical: Bool { count(.identical) == runs.count }

    private func hits(_ kind: Disturbance) -> Int { runs.reduce(0) { $0 + ($1.disturbances[kind] ?? 0) } }
    private var blocksRunAgain: Int { runs.reduce(0) { $0 + ($1.blocksRunAgain ?? 0) } }
    private var lateStops: Int { runs.reduce(0) { $0 + $1.lateStops.count } }
    private var resubmissions: Int { runs.reduce(0) { $0 + $1.resubmissions } }
    private var unexpectedEnds: Int { runs.reduce(0) { $0 + $1.unexpectedEnds.count } }

    /// The report for people: one line a quantity.
    package var text: String {
        var lines = [("runs", String(runs.count))]
        lines += RunReport.Outcome.allCases.map { ($0.rawValue, String(count($0))) }
        lines += Disturbance.allCases.map { ($0.rawValue.replacing("_", with: " "), String(hits($0))) }
        lines += [
            ("late stops", String(lateStops)), ("unexpected ends", String(unexpectedEnds)),
            ("resubmissions", String(resubmissions)),
            ("blocks run again", String(blocksRunAgain)),
            ("undisturbed", undisturbedTime.roundedSeconds + " s"),
            ("disturbed", runs.reduce(.zero) { $0 + $1.time }.roundedSeconds + " s"),
        ]
        return lines.map { name, value in
            name + String(repeating: " ", count: 22 - name.count) + value + "\n"
        }.joined()
    }

    /// The report for programs.
    package var json: JSONText {
        let outcomes = RunReport.Outcome.allCases.map { ($0.rawValue, JSONText.integer(count($0))) }
        let kinds = Disturbance.allCases.map { ($0.rawValue, JSONText.integer(hits($0))) }
        return .object(
            [("runs", .integer(runs.count))] + outcomes + [
                ("disturbances", .object(kinds)), ("late_stops", .integer(lateStops)),
                ("unexpected_ends", .integer(unexpectedEnds)), ("resubmissions", .integer(resubmissions)),
                ("blocks_run_again", .integer(blocksRunAgain)),
                ("undisturbed_seconds", .number(undisturbedTime.inSeconds)), ("each", .array(runs.map(\.json))),
            ])
    }
}

extension RunReport {
    fileprivate var json: JSONText {
        func list(_ texts: [String]) -> JSONText { .array(texts.map { .string($0) }) }
        let kinds = Disturbance.allCases.map { ($0.rawValue, JSONText.integer(disturbances[$0] ?? 0)) }
        return .object([
            ("seed", .string(String(seed))), ("outcome", .string(outcome.rawValue)),
            ("seconds", .number(time.inSeconds)), ("disturbances", .object(kinds)),
            ("late_stops", list(lateStops)), ("unexpected_ends", list(unexpectedEnds)),
            ("resubmissions", .integer(resubmissions)),
            ("blocks_run_again", blocksRunAgain.map { .integer($0) } ?? .null),
            ("details", list(details)), ("folder", folder.map { .string($0) } ?? .null),
        ])
    }
}
