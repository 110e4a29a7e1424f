import CSodium
import Foundation

/// SHA-256 (FIPS 180-4) of bytes that arrive in pieces.
///
/// ```swift
/// var hash = SHA256()
/// hash.update(header)
/// hash.update(body)
/// let digest = hash.finalize()
/// ```
/// The digest depends on the bytes alone, not on how they were cut into pieces. A copy of the value
/// goes its own way, so the hash of a prefix can be taken and the rest still be added.
package struct SHA256: Sendable {
    private var state = crypto_hash_sha256_state()

    /// The hash of no bytes yet.
    package init() {
        // Nothing to check: these functions of libsodium return 0 always.
        _ = crypto_hash_sha256_init(&state)
    }

    /// Adds bytes behind those added before.
    package mutating func update(_ bytes: some Sequence<UInt8>) {
        let added: Void? = bytes.withContiguousStorageIfAvailable { add($0) }
        if added == nil {
            Array(bytes).withUnsafeBufferPointer { add($0) }
        }
    }

    /// The digest of all bytes added so far. The value itself is left as it is.
    package func finalize() -> Digest {
        var last = state
        var bytes = [UInt8](repeating: 0, count: Digest.byteCount)
        _ = crypto_hash_sha256_final(&last, &bytes)
        return Digest(sha256: bytes)
    }

    /// The digest of bytes that are all at hand.
    package static func hash(of bytes: [UInt8]) -> Digest {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finalize()
    }

    /// The digest of a file's content, read in chunks of one MiB so that its size does not matter.
    ///
    /// - Throws: ``UnreadableFile`` if the file cannot be opened, or not be read to its end.
    package static func hash(ofFile path: String) throws(UnreadableFile) -> Digest {
        var hash = SHA256()
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? file.close() }
            while let chunk = try file.read(upToCount: 1 << 20), !chunk.isEmpty {
                hash.update(chunk)
            }
        } catch {
            throw UnreadableFile(path: path, underlying: error)
        }
        return hash.finalize()
    }

    private mutating func add(_ bytes: UnsafeBufferPointer<UInt8>) {
        // An empty buffer may have no address, which C must not be given.
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
        _ = crypto_hash_sha256_update(&state, start, UInt64(bytes.count))
    }
}
