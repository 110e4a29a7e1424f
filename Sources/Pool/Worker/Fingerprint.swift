package import ContentHash

/// What a worker's arithmetic comes out as. Workers of equal fingerprint compute equal bytes.
///
/// It is taken over small runs of every kernel and feature of the sampler, and over every kind of model and operator of
/// a composition: so whatever of them comes out in other bits, by another processor or another version of the program,
/// gives another fingerprint. Coordinators let one job be worked on by workers of one fingerprint.
package enum Fingerprint {
    /// The version of the algorithms, for a change that the small runs can't show.
    static let revision = 1

    /// A run, model or operator and the hash of what it comes to.
    package struct Part: Sendable, Equatable {
        /// What it is of.
        package let name: String
        /// The hash of its numbers, bit for bit.
        package let hash: Digest
    }

    /// The first 16 hexadecimal digits of the SHA-256 of all parts.
    ///
    /// - Throws: never, unless a target of the probe names a model that it has not.
    package static func probe() throws -> String {
        var hash = SHA256()
        hash.update(Array("revision \(revision)".utf8))
        for part in try parts() { hash.update(Array("\n\(part.name) \(part.hash.hex)".utf8)) }
        return String(hash.finalize().hex.prefix(16))
    }

    /// All that the fingerprint is taken over.
    package static func parts() throws -> [Part] {
        try ProbedDensities.parts() + ProbedRuns.parts()
    }
}

extension SHA256 {
    /// Takes in numbers as they lie in memory.
    mutating func update(bits numbers: [some BitwiseCopyable]) {
        numbers.withUnsafeBytes { update($0) }
    }
}
