/// An array that a run leaves beside its samples, and that each block brings its rows of.
public struct StatisticArray: Sendable, Equatable {
    /// The kind of its numbers.
    public enum Element: Sendable {
        case float32, float64, int32

        /// Bytes of a number.
        public var size: Int { self == .float64 ? 8 : 4 }
    }

    /// What a row of it is of.
    public enum Rows: Sendable {
        case chains, blocks
    }

    /// What it is called in `statistics.npz`.
    public let name: String
    /// What a row is of.
    public let rows: Rows
    /// The kind of its numbers; whole numbers are counts, 0 or more.
    public let element: Element
    /// Numbers in a row; nil where a row is a single number.
    public let columns: Int?
}

extension SamplerSettings {
    /// What blocks, with tuning pilot blocks, leave beside their samples, in the order of ``BlockResult/statistics``.
    ///
    /// - Parameter levels: of the schedule.
    public func statistics(levels: Int) -> [StatisticArray] {
        var arrays = [
            StatisticArray(name: "acceptance", rows: .chains, element: .float32, columns: levels),
            StatisticArray(name: "log_density", rows: .chains, element: .float64, columns: nil),
            StatisticArray(name: "divergences", rows: .chains, element: .int32, columns: nil),
        ]
        if population != nil {
            arrays += [
                StatisticArray(name: "log_weight", rows: .chains, element: .float64, columns: nil),
                StatisticArray(name: "effective_size", rows: .blocks, element: .float32, columns: levels),
                StatisticArray(name: "ancestors", rows: .blocks, element: .int32, columns: levels),
                StatisticArray(name: "parents", rows: .blocks, element: .int32, columns: levels),
                StatisticArray(name: "level_log_normalizer", rows: .blocks, element: .float64, columns: levels),
                StatisticArray(name: "log_normalizer", rows: .blocks, element: .float64, columns: nil),
            ]
        }
        if tuning != nil {
            arrays.append(StatisticArray(name: "step_size", rows: .blocks, element: .float64, columns: levels))
        }
        if let exchange {
            arrays += [
                StatisticArray(name: "round_trips", rows: .chains, element: .int32, columns: nil),
                StatisticArray(name: "swap_acceptance", rows: .chains, element: .float32, columns: exchange.pairs),
            ]
        }
        if let below = refinement?.levels {
            arrays.append(
                StatisticArray(name: "refinement_acceptance", rows: .chains, element: .float32, columns: below))
            if population != nil {
                arrays.append(
                    StatisticArray(name: "refinement_effective_size", rows: .blocks, element: .float32, columns: below))
            }
        }
        return arrays
    }
}

extension BlockResult {
    /// ``samples`` as little-endian bytes.
    public var sampleBytes: [UInt8] { Self.bytes(samples) }

    /// The block's rows of the arrays that ``SamplerSettings/statistics(levels:)`` lists, each as little-endian bytes.
    public var statistics: [[UInt8]] {
        var rows = [Self.bytes(acceptance), Self.bytes(logDensity), Self.bytes(divergences)]
        if !logWeights.isEmpty {
            rows += [
                Self.bytes(logWeights), Self.bytes(effectiveSizes), Self.bytes(ancestors), Self.bytes(parents),
                Self.bytes(logNormalizers), Self.bytes([logNormalizer]),
            ]
        }
        if !stepSizes.isEmpty { rows.append(Self.bytes(stepSizes)) }
        if !roundTrips.isEmpty { rows += [Self.bytes(roundTrips), Self.bytes(swapAcceptance)] }
        for below in [refinementAcceptance, refinementEffectiveSizes] where !below.isEmpty {
            rows.append(Self.bytes(below))
        }
        return rows
    }

    /// As they lie in memory: every machine that this runs on is little-endian.
    private static func bytes(_ numbers: [some BitwiseCopyable]) -> [UInt8] {
        numbers.withUnsafeBytes { Array($0) }
    }
}
