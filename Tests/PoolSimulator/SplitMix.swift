/// Random numbers of a seed (Steele, Lea and Flood's SplitMix64).
public struct SplitMix: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A number below `bound`, near enough uniform.
    public mutating func below(_ bound: Int) -> Int { Int(((next() >> 32) &* UInt64(max(1, bound))) >> 32) }

    /// A number of the range.
    public mutating func within(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + below(range.upperBound - range.lowerBound + 1)
    }

    /// True in so many cases of a thousand.
    public mutating func happens(_ perMille: Int) -> Bool { perMille > 0 && below(1000) < perMille }
}
