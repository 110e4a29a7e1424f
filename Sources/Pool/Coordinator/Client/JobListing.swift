import ContentHash
import Foundation
package import Messaging
package import StrictJSON
import TerminalProgress

/// Jobs of a coordinator, for people and for programs.
package struct JobListing {
    private let jobs: [JobStatus]

    /// Of these jobs, in their order.
    package init(_ jobs: [JobStatus]) { self.jobs = jobs }

    /// A line for each job, under a line of headings.
    package var table: String {
        let rows = jobs.map { job in
            [
                String(job.job.hex.prefix(8)), job.name, job.state.rawValue, "\(job.chainsDone)/\(job.chainsTotal)",
                "\(Int(job.fraction * 100)) %", job.acceptance.isFinite ? String(format: "%.3f", job.acceptance) : "-",
                ProgressLine.time(job.secondsElapsed),
            ]
        }
        let lines = [["JOB", "NAME", "STATE", "CHAINS", "DONE", "ACCEPTANCE", "TIME"]] + rows
        let widths = lines[0].indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { line in
            line.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - line[column].count)
                // Words begin, and numbers end, below each other.
                return column < 3 ? line[column] + padding : padding + line[column]
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    /// `{"format": 1, "jobs": […]}`.
    package var json: JSONText { .object([("format", .integer(1)), ("jobs", .array(jobs.map(\.json)))]) }
}

extension JobStatus {
    /// One job, as programs read it.
    package var json: JSONText {
        .object([
            ("job", .string(job.hex)), ("name", .string(name)), ("state", .string(state.rawValue)),
            ("chains", .integer(chainsTotal)), ("chains_done", .integer(chainsDone)), ("fraction", .number(fraction)),
            ("acceptance", .number(acceptance)), ("seconds", .number(secondsElapsed)), ("failure", .string(failure)),
            ("notice", .string(notice)), ("priority", .integer(priority)), ("blocks_run_again", .integer(blocksAgain)),
            ("submitted_at", .string(Date(timeIntervalSince1970: submittedAt).formatted(.iso8601))),
            ("preliminary", .bool(isPreliminary)), ("blocks_verified", .integer(blocksVerified)),
        ])
    }
}
