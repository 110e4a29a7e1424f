package import StrictJSON

extension RunDiagnostics {
    /// The diagnostics as they stand in `summary.json`.
    package var json: JSONText {
        .object([
            ("version", .integer(Self.version)), ("verdict", .string(passes ? "passed" : "failed")),
            ("chains", .integer(chains)), ("draws", .integer(draws)),
            ("checks", .array(checks.map(\.json))), ("variables", .array(variables.map(\.json))),
        ])
    }

    /// The variables and the checks as tables for people, and the verdict as the last line, which ends with a newline.
    package var text: String {
        let head = [Variable.columns.map(\.title)]
        let rows = variables.map { variable in Variable.columns.map { $0.text(variable) } }
        let of = chains == 1 ? "1 chain" : "\(chains) chains"
        let table = Self.aligned(head + rows, leading: 1)
        let outcomes = Self.aligned(
            checks.map { [$0.passes ? "passed" : "FAILED", $0.name, $0.text] }, leading: 3)
        return "\(of) of \(draws) \(draws == 1 ? "draw" : "draws")\n\n\(table)\n\(outcomes)\nverdict  \(verdict)\n"
    }

    /// Lines of columns two spaces apart, the first `leading` of them aligned to the left.
    private static func aligned(_ rows: [[String]], leading: Int) -> String {
        guard let first = rows.first else { return "" }
        let widths = first.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = row.indices.map { column in
                let space = String(repeating: " ", count: widths[column] - row[column].count)
                if column >= leading { return space + row[column] }
                return column == row.count - 1 ? row[column] : row[column] + space
            }
            return cells.joined(separator: "  ") + "\n"
        }.joined()
    }
}

extension RunDiagnostics.Variable {
    /// The columns of the table, which has the names of the JSON text, those that ArviZ gives them.
    fileprivate static let columns: [(title: String, text: @Sendable (Self) -> String)] = [
        ("", { $0.name }),
        ("mean", { RunSummary.short($0.mean) }), ("sd", { RunSummary.short($0.standardDeviation) }),
        ("mcse_mean", { RunSummary.short($0.meanError) }), ("mcse_sd", { RunSummary.short($0.deviationError) }),
        ("ess_bulk", { RunSummary.short($0.bulkSize) }), ("ess_tail", { RunSummary.short($0.tailSize) }),
        ("r_hat", { $0.rHat == .infinity ? "infinite" : RunSummary.short($0.rHat) }),
    ]

    fileprivate var json: JSONText {
        .object([
            ("name", .string(name)), ("mean", .optional(mean)), ("sd", .optional(standardDeviation)),
            ("mcse_mean", .optional(meanError)), ("mcse_sd", .optional(deviationError)),
            ("ess_bulk", .optional(bulkSize)), ("ess_tail", .optional(tailSize)), ("r_hat", .optional(rHat)),
        ])
    }
}

extension RunDiagnostics.Check {
    fileprivate var json: JSONText {
        .object([
            ("name", .string(name)), ("value", .optional(value)), ("limit", .number(limit)),
            ("passes", .bool(passes)), ("text", .string(text)),
        ])
    }
}

extension RunDiagnostics {
    /// Those of a summary; nil where a later program has written them, in a way that this one doesn't know.
    init?(_ node: SummaryNode) throws(RunFolderError) {
        guard try node.member("version").count() <= Self.version else { return nil }
        self.init(
            chains: try node.member("chains").count(), draws: try node.member("draws").count(),
            variables: try node.member("variables").elements { (node) throws(RunFolderError) in
                Variable(
                    name: try node.member("name").string(),
                    mean: try node.member("mean").optionalNumber(),
                    standardDeviation: try node.member("sd").optionalNumber(),
                    meanError: try node.member("mcse_mean").optionalNumber(),
                    deviationError: try node.member("mcse_sd").optionalNumber(),
                    bulkSize: try node.member("ess_bulk").optionalNumber(),
                    tailSize: try node.member("ess_tail").optionalNumber(),
                    rHat: try node.member("r_hat").optionalNumber())
            },
            checks: try node.member("checks").elements { (node) throws(RunFolderError) in
                Check(
                    name: try node.member("name").string(), value: try node.member("value").optionalNumber(),
                    limit: try node.member("limit").optionalNumber() ?? .nan,
                    passes: try node.member("passes").bool(), text: try node.member("text").string())
            })
    }
}
