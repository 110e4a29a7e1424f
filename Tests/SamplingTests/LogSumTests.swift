import Foundation
import Sampling
import Testing

@Suite("Sums of numbers known by their logarithms")
struct LogSumTests {
    @Test("A sum is that of the numbers, however large or small they are, in any order")
    func sums() {
        for offset in [0.0, 900, -900] {
            let none = -Double.infinity
            let orders: [[Double]] = [[0, 1, 2, none, -50], [2, 1, -50, 0, none], [none, -50, 0, 1, 2]]
            for logarithms in orders {
                var sum = LogSum()
                for logarithm in logarithms { sum.add(logarithm + offset, weight: 0.25) }
                let plain: Double = 1 + exp(1) + exp(2)
                let expected = log(0.25 * plain) + offset
                #expect(abs(sum.logarithm - expected) < 1e-12)
            }
        }
    }

    @Test("A sum of nothing or of zeros is zero, one with NaN is not known")
    func ends() {
        var sum = LogSum()
        #expect(sum.logarithm == -.infinity)
        sum.add(-.infinity, weight: 1)
        #expect(sum.logarithm == -.infinity)
        sum.add(.nan, weight: 1)
        sum.add(3, weight: 1)
        #expect(sum.logarithm.isNaN)
    }
}
