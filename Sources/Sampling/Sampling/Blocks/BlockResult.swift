public import RunFolder

/// What a finished block sends home.
public struct BlockResult: Sendable, Equatable {
    /// [chains, draws, dimension].
    public let samples: [Float]
    /// The block's rows of ``SamplerSettings/statistics(levels:lanes:draws:thin:hasEnergy:)``.
    public let statistics: StatisticRows
    /// Evaluations of energy and score, summed over the chains.
    public internal(set) var gradientEvaluations: Int

    /// ``samples`` as little-endian bytes.
    public var sampleBytes: [UInt8] { samples.littleEndianBytes }
}
