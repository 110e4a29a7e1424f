import Testing

@testable import Worker

/// What a worker tells of its connection.
struct ConnectionReportTests {
    @Test func `That nobody answers is told every half minute, and that somebody does once`() {
        var report = ConnectionReport(at: .zero)
        #expect(report.ticked(at: .seconds(29)) == nil)
        #expect(report.ticked(at: .seconds(30)) == .unanswered(.seconds(30)))
        #expect(report.ticked(at: .seconds(59)) == nil)
        #expect(report.ticked(at: .seconds(60)) == .unanswered(.seconds(60)))
        report.heard(at: .seconds(61))
        #expect(report.welcomed(as: 3) == .registered(3))
        // A message between the two was lost.
        #expect(report.welcomed(as: 3) == nil)
        #expect(report.ticked(at: .seconds(90)) == nil)
        #expect(report.ticked(at: .seconds(91)) == .unanswered(.seconds(30)))
        #expect(report.welcomed(as: 3) == .registered(3))
        // Another coordinator counts anew.
        #expect(report.welcomed(as: 1) == .registered(1))
    }
}
