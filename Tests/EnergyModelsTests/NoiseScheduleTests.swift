import EnergyModels
import Foundation
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
        let levels = NoiseSchedule(ScheduleDescription(kind: .linear, levels: count)).levels
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

    @Test("A schedule may have a single level", arguments: ScheduleDescription.Kind.allCases)
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

    @Test("Levels grow noisier, and their parts add up", arguments: ScheduleDescription.Kind.allCases)
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
}
