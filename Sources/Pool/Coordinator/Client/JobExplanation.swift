import ContentHash
package import Foundation
package import Messaging
package import StrictJSON
import TerminalProgress

/// Why a job is where it is, for people and for programs.
package struct JobExplanation {
    private let explanation: Explanation
    private let chain: Int?
    private let now: Date

    /// - Parameters:
    ///   - chain: that was asked for.
    ///   - now: when the explanation came.
    package init(_ explanation: Explanation, chain: Int?, now: Date = Date()) {
        (self.explanation, self.chain, self.now) = (explanation, chain, now)
    }

    private var expectedEnd: String? {
        explanation.status.secondsLeft.map { now.addingTimeInterval($0).formatted(.iso8601) }
    }

    /// A line for each thing that is known.
    package var text: String {
        let status = explanation.status
        var lines = ["\(status.job.hex.prefix(8)) \(status.state.rawValue): \(status.progressText)"]
        if !status.failure.isEmpty { lines.append("it failed: \(status.failure)") }
        if let expectedEnd { lines.append("expected end: \(expectedEnd)") }
        for worker in explanation.workers {
            let place = worker.host.isEmpty ? "" : " on \(worker.host), process \(worker.process)"
            lines.append(
                "worker \(worker.name)\(place): \(worker.blocksDone) blocks done in "
                    + "\(ProgressLine.time(worker.seconds)) of computing, \(worker.blocksHeld) held")
        }
        if let chain { lines += linesOfBlock(ofChain: chain) }
        return lines.joined(separator: "\n")
    }

    private func linesOfBlock(ofChain chain: Int) -> [String] {
        guard let block = explanation.block else {
            return [
                explanation.status.state.isOver
                    ? "chain \(chain): what ran where is not kept once a job is over; provenance.json names its workers"
                    : "chain \(chain): its block was not given to the workers yet"
            ]
        }
        let stage =
            switch block.stage {
            case .waiting: "waits"
            case .held: "is with a worker"
            case .done: "is done"
            case .setAside: "has failed too often and is set aside"
            }
        return ["chain \(chain) is of block \(block.block), which \(stage); attempts: \(block.attempts)"]
            + block.told.map { attempt in
                let number = attempt.number > 0 ? "attempt \(attempt.number)" : "an attempt"
                let place = attempt.worker.isEmpty ? "" : " at worker \(attempt.worker)"
                return "  \(number)\(place): "
                    + (attempt.failure.isEmpty ? "\(Int(attempt.fraction * 100)) % done" : attempt.failure)
            }
    }

    /// `{"format": 1, "job": …, "expected_end": …, "workers": […], "block": …}`.
    package var json: JSONText {
        .object([
            ("format", .integer(1)), ("job", explanation.status.json),
            ("expected_end", expectedEnd.map { JSONText.string($0) } ?? .null),
            ("workers", .array(explanation.workers.map(\.json))), ("block", explanation.block?.json ?? .null),
        ])
    }
}

extension JobWorker {
    fileprivate var json: JSONText {
        .object([
            ("worker", .string(name)), ("host", .string(host)), ("process", .integer(process)),
            ("blocks_done", .integer(blocksDone)), ("blocks_held", .integer(blocksHeld)),
            ("compute_seconds", .number(seconds)),
        ])
    }
}

extension BlockStanding {
    fileprivate var json: JSONText {
        let told = told.map { attempt -> JSONText in
            .object([
                ("worker", .string(attempt.worker)), ("attempt", .integer(attempt.number)),
                ("fraction", .number(attempt.fraction)), ("failure", .string(attempt.failure)),
            ])
        }
        return .object([
            ("block", .integer(block)), ("stage", .string(stage.rawValue)), ("attempts", .integer(attempts)),
            ("told", .array(told)),
        ])
    }
}
