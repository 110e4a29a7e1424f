import JobFile
import Testing

@Suite("Damaged jobs")
struct JobFuzzTests {
    /// Knuth's MMIX generator: the same damage on every machine.
    private struct Damage {
        var state: UInt64

        mutating func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            // The low bits of such a generator have short periods.
            return Int(state >> 33) % bound
        }
    }

    /// Pieces that move a text further than a flipped byte does.
    private static let pieces = [
        "[", "]", "{", "}", "\"", ",", ":", "-", "0", "9", "e9", "1e999", "null", "true", "[]", "{}", "\\u", "\\ud800",
        "\"bar\"", "99999999999999999999",
    ].map { Array($0.utf8) }

    private static func damaged(_ text: [UInt8], by damage: inout Damage) -> [UInt8] {
        var bytes = text
        for _ in 0...damage.below(3) where !bytes.isEmpty {
            let place = damage.below(bytes.count)
            switch damage.below(6) {
            case 0: bytes[place] ^= UInt8(1 << damage.below(8))
            case 1: bytes[place] = UInt8(damage.below(256))
            case 2: bytes.remove(at: place)
            case 3: bytes.removeSubrange(place..<min(bytes.count, place + damage.below(30)))
            case 4: bytes.insert(contentsOf: pieces[damage.below(pieces.count)], at: place)
            default: if damage.below(8) == 0 { bytes.removeSubrange(place...) }
            }
        }
        return bytes
    }

    @Test("no damage crashes the reader, and what is still a job has a canonical text that says the same")
    func damage() throws {
        var damage = Damage(state: 7)
        var accepted = 0
        for round in 0..<6000 {
            let text = ExampleJobs.valid[round % ExampleJobs.valid.count]
            let bytes = Self.damaged(Array(text.utf8), by: &damage)
            let job: Job
            do {
                job = try Job.decode(bytes, file: "job.json")
            } catch {
                #expect(error.code == .badData && !error.problems.isEmpty)
                continue
            }
            accepted += 1
            let again = try ExampleJobs.decode(job.canonicalText)
            #expect(again == job)
            #expect(again.canonicalText == job.canonicalText)
        }
        // Both outcomes occur often enough for the test to mean something.
        #expect((100..<5900).contains(accepted))
    }

    @Test("every beginning of a job is refused without a crash")
    func truncation() {
        let bytes = Array(ExampleJobs.everything.utf8)
        for length in bytes.indices {
            #expect(throws: JobError.self) { try Job.decode(Array(bytes[..<length]), file: "job.json") }
        }
    }
}
