import Testing
import VectorMath

@testable import Diagnostics

@Suite("Diagnostics of draws")
struct StatisticsTests {
    @Test(
        "Draws that are too few or not finite have no diagnostics",
        arguments: [
            [1, 2, 3, 1, 2, 3], [1, 2, 3, 4, 5, 6, .nan, 8], [1, 2, 3, 4, 5, 6, .infinity, 8],
        ] as [[Double]])
    func undefined(values: [Double]) {
        let draws = ChainDraws(chains: 2, values: values)
        #expect(draws.rHat == nil)
        #expect(draws.bulkEffectiveSize == nil)
        #expect(draws.tailEffectiveSize == nil)
        #expect(draws.meanStandardError == nil)
        #expect(draws.deviationStandardError == nil)
        #expect(draws.quantile(0.5) == nil)
        #expect(draws.energyFractions.isEmpty)
    }

    @Test("Draws whose squares are beyond all numbers have ranks, and no standard error")
    func overflow() {
        let draws = ChainDraws(chains: 2, values: [1e200, -1e200, 3e200, 2e200, 0, 5e200, -4e200, 7e200])
        #expect(draws.rHat != nil)
        #expect(draws.bulkEffectiveSize != nil)
        #expect(draws.meanStandardError == nil)
        #expect(draws.deviationStandardError == nil)
    }

    @Test("The autocovariance is that of its definition, for odd and even numbers of chains", arguments: [1, 2, 3, 4])
    func autocovariance(chains: Int) {
        let values = (0..<chains * 13).map { Double($0 * $0 % 17) - 0.1 * Double($0) }
        let draws = ChainDraws(chains: chains, values: values)
        for (lag, found) in draws.meanAutocovariance.enumerated() {
            var sum = 0.0
            for index in 0..<chains {
                let chain = Array(draws.chain(index))
                let mean = chain.mean
                for i in 0..<13 - lag { sum += (chain[i] - mean) * (chain[i + lag] - mean) }
            }
            #expect((found - sum / Double(13 * chains)).magnitude < 1e-12)
        }
    }

    @Test("The transform is that of its definition", arguments: [1, 2, 3, 8, 11])
    func transform(count: Int) {
        let transform = FourierTransform(atLeast: count)
        let length = transform.length
        #expect(length >= count && length < 2 * count)
        let (x, y) = ((0..<length).map { Double($0 % 5) }, (0..<length).map { 2 - Double($0 * $0 % 3) })
        var (real, imaginary) = (x, y)
        transform.transform(&real, &imaginary)
        for frequency in 0..<length {
            var sum = (0.0, 0.0)
            for place in 0..<length {
                let turns = Double(frequency * place % length) / Double(length)
                let (cosine, sine) = (
                    Elementary.cosine(ofTurns: turns), -Elementary.cosine(ofTurns: (turns - 0.25).magnitude)
                )
                sum.0 += x[place] * cosine - y[place] * sine
                sum.1 += x[place] * sine + y[place] * cosine
            }
            #expect((real[frequency] - sum.0).magnitude < 1e-12)
            #expect((imaginary[frequency] - sum.1).magnitude < 1e-12)
        }
    }

    @Test("Equal draws have the mean of their ranks")
    func ranks() {
        let scores = ChainDraws(chains: 1, values: [5, 1, 5, 2]).normalScores.values
        func score(_ rank: Double) -> Double { NormalQuantile.quantile((rank - 0.375) / 4.25) }
        #expect(scores == [score(3.5), score(1), score(3.5), score(2)])
    }
}
