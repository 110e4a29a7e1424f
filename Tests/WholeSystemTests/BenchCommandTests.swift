import Foundation
import Testing

/// `rrr-coordinator bench`: that it measures everything, not what comes out.
@Suite(.oneAtATime) struct BenchCommandTests {
    private static let keys = [
        "bytes_per_queued_block", "zeromq_round_trips_per_second", "blocks_per_second_simulated_2",
        "block_latency_median_microseconds", "block_latency_p99_microseconds", "blocks_per_second_simulated_3",
        "fraction_simulated_3", "blocks_per_second_workers_2", "submit_to_accepted_milliseconds",
        "longest_status_milliseconds", "large_blocks_per_second", "large_megabytes_per_second",
        "zeromq_and_write_megabytes_per_second", "large_fraction",
    ]

    @Test func `The quick benchmark measures every figure and leaves nothing behind`() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let state = commands.path("state")
        let ending = try await commands.run(
            "rrr-coordinator", ["bench", "--quick", "--json", "--simulated", "3", "--state", state], label: "bench")
        #expect(ending.status == 0, "\(ending.errors)")
        let report = try #require(
            try JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [String: Any])
        for key in Self.keys {
            let figure = try #require(report[key] as? [String: Any], "\(key)")
            for part in ["median", "least", "most"] {
                let value = try #require(figure[part] as? Double, "\(key) \(part)")
                #expect(value > 0 && value.isFinite, "\(key) \(part) is \(value)")
            }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: state) == [])
    }

    @Test func `More simulated workers than there may be connections are refused with what to do`() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let ending = try await commands.run(
            "rrr-coordinator", ["simulate-workers", "--coordinator", "tcp://127.0.0.1:9", "--count", "1000000000"],
            label: "crowd")
        #expect(ending.status == 75)
        #expect(ending.errors.contains("ulimit -Hn"), "\(ending.errors)")
    }
}
