import Foundation
import Testing

@testable import Training

@Suite("Gradients of batches")
struct BatchCrewTests {
    @Test("Loss and gradient have the same bits on any number of threads")
    func threads() throws {
        let spec = try ExampleSpecs.decode(ExampleSpecs.quick)
        let data = try TrainingData(spec)
        let parameters = InitialWeights.draw(spec.network, seed: 1).map { $0 + 0.01 }
        func evaluate(threads: Int, rounds: Int) throws -> (UInt64, [UInt32]) {
            let crew = try BatchCrew(spec, data: data, parameters: parameters.count, threads: threads)
            // What is in the buffer before does not count.
            var gradient = [Float](repeating: 7, count: parameters.count)
            var loss = 0.0
            for _ in 0..<rounds { loss = crew.evaluate(iteration: 3, parameters: parameters, gradient: &gradient) }
            return (loss.bitPattern, gradient.map(\.bitPattern))
        }
        let alone = try evaluate(threads: 1, rounds: 1)
        #expect(alone.1.contains { $0 != 0 })
        for threads in [2, 3, 4, 9] { #expect(try evaluate(threads: threads, rounds: 5) == alone) }
    }
}
