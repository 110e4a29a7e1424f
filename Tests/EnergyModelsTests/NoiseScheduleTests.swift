import EnergyModels
import Foundation
import StrictJSON
import Testing

@Suite("Noise schedules")
struct NoiseScheduleTests {
    @Test("The cosine schedule of 100 levels has the known values")
    func cosine() {
        let levels = NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 100)).levels
        #expect(levels.count == 100)
        #expect(levels.map(\.index) == Array(0..<100))
        #expect((levels[0].beta - 6.313e-4).magnitude < 0.0005e-4)
        #expect((levels[98].beta - 0.74994).magnitude < 0.000005)
        #expect(levels[99].beta == 0.999)
        #expect((levels[0].noise - 0.025125).magnitude < 0.0000005)
    }

    @Test("Unclipped cosine levels follow cos^2, normalised to start at one")
    func cosineFormula() {
        func square(_ u: Double) -> Double {
            let c = cos((u / 100 + 0.008) / 1.008 * .pi / 2)
            return c * c
        }
        for level in cosineLevels.dropLast() {
            let expected = square(Double(level.index + 1)) / square(0)
            #expect((level.signalVariance / expected - 1).magnitude < 1e-11)
        }
    }

    @Test("The linear schedule runs between its ends in equal steps", arguments: [10, 100, 250, 1000])
    func linear(count: Int) {
        let levels = NoiseSchedule(ScheduleDescription(kind: .linear(), levels: count)).levels
        let scale = 1000 / Double(count)
        #expect((levels[0].beta - scale * 1e-4).magnitude < 1e-15)
        let last = min(scale * 0.02, 0.999)
        #expect((levels[count - 1].beta - last).magnitude < 1e-14)
        if count > 10 {
            let middle = scale * (1e-4 + (0.02 - 1e-4) * 3 / Double(count - 1))
            #expect((levels[3].beta - middle).magnitude < 1e-15)
        } else {
            // s 0.02 = 2 would not be a variance.
            #expect(levels.last?.beta == 0.999)
        }
    }

    private static let formulas: [ScheduleDescription.Kind] = [.cosine, .linear(), .scaledLinear()]

    @Test("A schedule may have a single level", arguments: formulas)
    func single(kind: ScheduleDescription.Kind) {
        let levels = NoiseSchedule(ScheduleDescription(kind: kind, levels: 1)).levels
        #expect(levels.count == 1)
        // The cosine schedule ends at cos^2 = 0, so beta is clipped; the linear one begins at 1000 1e-4.
        #expect((levels[0].beta - (kind == .cosine ? 0.999 : 0.1)).magnitude < 1e-12)
        #expect((levels[0].signalVariance - (1 - levels[0].beta)).magnitude < 1e-15)
    }

    @Test("Below level 0 the noise is halved from level to level, and gone at the last", arguments: [1, 2, 5, 16])
    func refinement(count: Int) {
        let schedule = NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 100))
        let levels = schedule.refinement(levels: count)
        #expect(levels.map(\.index) == (1...count).map { -$0 })
        #expect(levels[count - 1].noise == 0 && levels[count - 1].signal == 1 && levels[count - 1].beta == 0)
        for (step, level) in levels.dropLast().enumerated() {
            let ratio = level.noise / schedule.levels[0].noise
            // What is left of a variance beside 1 has few digits.
            #expect((ratio * Double(1 << (step + 1)) - 1).magnitude < 1e-3)
            #expect((level.signalVariance - levels[step + 1].signalVariance * (1 - level.beta)).magnitude < 1e-15)
        }
    }

    @Test("Levels grow noisier, and their parts add up", arguments: formulas)
    func consistency(kind: ScheduleDescription.Kind) {
        for count in [2, 7, 100, 1000] {
            let levels = NoiseSchedule(ScheduleDescription(kind: kind, levels: count)).levels
            var product = 1.0
            for level in levels {
                product *= 1 - level.beta
                #expect(level.beta > 0 && level.beta <= 0.999)
                #expect((level.signalVariance / product - 1).magnitude < 1e-12)
                #expect((level.signal * level.signal - level.signalVariance).magnitude < 1e-15)
                #expect((level.noise * level.noise - level.noiseVariance).magnitude < 1e-15)
                #expect((level.signalVariance + level.noiseVariance - 1).magnitude < 1e-15)
            }
            for (less, more) in zip(levels, levels.dropFirst()) {
                #expect(more.signalVariance < less.signalVariance)
            }
        }
    }

    @Test("The ends of a line are the given ones, of betas or of their roots")
    func ends() {
        let line = NoiseSchedule(ScheduleDescription(kind: .linear(first: 0.01, last: 0.03), levels: 3)).levels
        #expect(zip(line, [0.01, 0.02, 0.03]).allSatisfy { ($0.beta - $1).magnitude < 1e-15 })
        let scaled = NoiseSchedule(ScheduleDescription(kind: .scaledLinear(first: 0.01, last: 0.09), levels: 3)).levels
        #expect(zip(scaled, [0.01, 0.04, 0.09]).allSatisfy { ($0.beta - $1).magnitude < 1e-15 })
        #expect(scaled.map(\.original) == [0, 1, 2])
    }

    @Test("A table gives abar, and beta follows")
    func table() {
        let levels = NoiseSchedule(ScheduleDescription(kind: .table([0.9, 0.45, 0.09]), levels: 3)).levels
        #expect(levels.map(\.signalVariance) == [0.9, 0.45, 0.09])
        #expect(zip(levels, [0.1, 0.5, 0.8]).allSatisfy { ($0.beta - $1).magnitude < 1e-15 })
    }

    @Test("Fewer levels than were trained on keep their abar and know what they were", arguments: [2, 3, 4, 10, 99])
    func spaced(count: Int) {
        let all = NoiseSchedule(ScheduleDescription(kind: .linear(), levels: 100)).levels
        let description = ScheduleDescription(kind: .linear(), levels: 100, spaced: count)
        let levels = NoiseSchedule(description).levels
        #expect(description.levels == count && levels.count == count)
        #expect(levels.map(\.index) == Array(0..<count))
        #expect(levels.first?.original == 0 && levels.last?.original == 99)
        var product = 1.0
        for level in levels {
            let exact = Double(level.index) * 99 / Double(count - 1)
            #expect((Double(level.original) - exact).magnitude <= 0.5)
            #expect(level.signalVariance == all[level.original].signalVariance)
            product *= 1 - level.beta
            #expect((level.signalVariance / product - 1).magnitude < 1e-10)
        }
    }

    @Test("What is written of a schedule is read again")
    func json() throws {
        let all: [(ScheduleDescription, String)] = [
            (.init(kind: .cosine, levels: 100), #"{"kind":"cosine","levels":100}"#),
            (.init(kind: .linear(), levels: 1000, spaced: 50), #"{"kind":"linear","levels":1000,"spaced":50}"#),
            (
                .init(kind: .scaledLinear(first: 0.00085, last: 0.012), levels: 1000),
                #"{"first":0.00085,"kind":"scaled_linear","last":0.012,"levels":1000}"#
            ),
            (.init(kind: .table([0.5, 0.25]), levels: 2), #"{"abar":[0.5,0.25],"kind":"table"}"#),
        ]
        for (schedule, text) in all {
            #expect(schedule.json.canonical == text)
            let field = JSONField(node: try JSONParser.parse(Array(text.utf8)), pointer: "")
            #expect(try ScheduleDescription.decode(field, spacing: true) == schedule)
        }
    }

    @Test(
        "A schedule that is none is refused",
        arguments: [
            (#"{"kind": "cosin", "levels": 9}"#, #"/kind: no schedule "cosin"; did you mean "cosine"?"#),
            (#"{"kind": "cosine", "levels": 9, "first": 0.1}"#, "/first: no such key here"),
            (#"{"kind": "linear"}"#, #""levels" is missing"#),
            (#"{"kind": "linear", "levels": 9, "first": 0}"#, "/first: must be a variance above zero, at most 0.999"),
            (#"{"kind": "linear", "levels": 9, "last": 1}"#, "/last: must be a variance above zero, at most 0.999"),
            (
                #"{"kind": "scaled_linear", "levels": 9, "first": 0.2, "last": 0.1}"#,
                "/last: is 0.1, below the first, 0.2; level 0 is the least noisy"
            ),
            (#"{"kind": "linear", "levels": 65535, "first": 0.9, "last": 0.9}"#, "leaves nothing of the data"),
            (#"{"kind": "table"}"#, #""abar" is missing"#),
            (#"{"kind": "table", "abar": [0.5], "levels": 1}"#, "/levels: no such key here"),
            (#"{"kind": "table", "abar": []}"#, "/abar: must not be empty"),
            (#"{"kind": "table", "abar": [1, 0.5]}"#, "/abar/0: must be a number between 0 and 1, is 1"),
            (#"{"kind": "table", "abar": [0.5, 0.5]}"#, "/abar: entry 1 is 0.5, not below the one before, 0.5"),
            (#"{"kind": "cosine", "levels": 9, "spaced": 10}"#, "/spaced: must be a whole number from 2 to 9, is 10"),
            (#"{"kind": "cosine", "levels": 9, "spaced": 1}"#, "/spaced: must be a whole number from 2 to 9, is 1"),
            (#"{"kind": "cosine", "levels": 1, "spaced": 1}"#, "/spaced: there is one level; leave it out"),
        ])
    func refused(text: String, message: String) throws {
        let field = JSONField(node: try JSONParser.parse(Array(text.utf8)), pointer: "")
        let problem = try #require(throws: JSONProblem.self) { try ScheduleDescription.decode(field, spacing: true) }
        #expect("\(problem)".contains(message))
    }
}
