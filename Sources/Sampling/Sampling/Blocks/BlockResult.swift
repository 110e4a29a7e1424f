package import RunFolder

/// What a finished block sends home.
package struct BlockResult: Sendable, Equatable {
    /// [chains, draws, dimension].
    package let samples: [Float]
    /// The block's rows of ``SamplerSettings/statistics(levels:lanes:draws:thin:hasEnergy:)``.
    package let statistics: StatisticRows
    /// Evaluations of energy and score, summed over the chains.
    package internal(set) var gradientEvaluations: Int

    /// ``samples`` as little-endian bytes.
    package var sampleBytes: [UInt8] { samples.littleEndianBytes }
}
