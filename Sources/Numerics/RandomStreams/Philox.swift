import CVectorMath

/// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw (SC 2011): a block
/// of four random words is a function of a counter and a key, so any number can be had alone.
package enum Philox {
    /// The words at one counter under one key.
    package static func words(
        counter: (UInt32, UInt32, UInt32, UInt32), key: (UInt32, UInt32)
    ) -> (UInt32, UInt32, UInt32, UInt32) {
        let counter = [counter.0, counter.1, counter.2, counter.3]
        var out = [UInt32](repeating: 0, count: 4)
        rrr_philox(counter, [key.0, key.1], &out)
        return (out[0], out[1], out[2], out[3])
    }
}
