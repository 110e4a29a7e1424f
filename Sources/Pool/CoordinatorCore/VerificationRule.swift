package import ContentHash

/// Which results are computed twice, by workers of different parties, and compared.
///
/// Chance decides for each block by itself, with a secret of the coordinator's, so that no worker knows which of its
/// results will be looked at, and the same block is chosen each time.
package struct VerificationRule: Sendable {
    /// The part of all blocks, above 0 and at most 1.
    package let fraction: Double
    private let secret: [UInt8]

    /// - Parameters:
    ///   - fraction: of all blocks, above 0 and at most 1.
    ///   - secret: 16 bytes or more that nobody else knows; made anew if nil.
    package init(fraction: Double, secret: [UInt8]? = nil) {
        self.fraction = fraction
        self.secret = secret ?? (0..<32).map { _ in UInt8.random(in: .min ... .max) }
    }

    /// Whether the result of a block of a job is computed twice.
    package func chooses(_ block: Int, of job: Digest) -> Bool {
        let number = UInt64(block)
        let digest = SHA256.hash(of: secret + job.bytes + (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) })
        let chance = digest.bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        // 53 bits, as many as a Double holds: below 1, so that 1 chooses all.
        return Double(chance >> 11) * 0x1p-53 < fraction
    }
}
