package import ContentHash

extension BlockRecord {
    /// A number that other rows give only by an accident of one in 2^64: of all bytes, samples and statistics.
    ///
    /// It finds out what a disk or a hand has changed; it is no protection against forgery.
    package var checksum: UInt64 {
        var checksum = BlockChecksum()
        checksum.update(samples[...])
        for entry in statistics.entries { checksum.update(entry.bytes[...]) }
        return checksum.value
    }

    /// The bytes of its samples, and of one statistic after the other.
    package var rows: [[UInt8]] { [samples] + statistics.entries.map(\.bytes) }

    /// The SHA-256 of its rows: unlike ``checksum`` nobody can make other rows that have the same.
    package var digest: Digest {
        var hash = SHA256()
        for array in rows { hash.update(array) }
        return hash.finalize()
    }
}

/// The checksum of a block's rows: the XXH64 of one array after the other, each seeded with that of those before it.
/// Several gigabytes a second.
struct BlockChecksum {
    /// That of the arrays so far.
    private(set) var value: UInt64 = 0

    private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
    private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
    private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
    private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
    private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

    /// Takes in the next array as a whole.
    mutating func update(_ bytes: ArraySlice<UInt8>) {
        value = bytes.withUnsafeBytes { Self.hash($0, seed: value) }
    }

    private static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
        func word(_ offset: Int) -> UInt64 { bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
        var offset = 0
        var hash = seed &+ prime5
        if bytes.count >= 32 {
            var (a, b) = (seed &+ prime1 &+ prime2, seed &+ prime2)
            var (c, d) = (seed, seed &- prime1)
            // Four lanes that don't wait for one another.
            while offset + 32 <= bytes.count {
                a = round(a, word(offset))
                b = round(b, word(offset + 8))
                c = round(c, word(offset + 16))
                d = round(d, word(offset + 24))
                offset += 32
            }
            hash = rotated(a, 1) &+ rotated(b, 7) &+ rotated(c, 12) &+ rotated(d, 18)
            for lane in [a, b, c, d] { hash = (hash ^ round(0, lane)) &* prime1 &+ prime4 }
        }
        hash &+= UInt64(bytes.count)
        while offset + 8 <= bytes.count {
            hash = rotated(hash ^ round(0, word(offset)), 27) &* prime1 &+ prime4
            offset += 8
        }
        if offset + 4 <= bytes.count {
            let half = UInt64(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            hash = rotated(hash ^ half &* prime1, 23) &* prime2 &+ prime3
            offset += 4
        }
        while offset < bytes.count {
            hash = rotated(hash ^ UInt64(bytes[offset]) &* prime5, 11) &* prime1
            offset += 1
        }
        hash = (hash ^ hash >> 33) &* prime2
        hash = (hash ^ hash >> 29) &* prime3
        return hash ^ hash >> 32
    }

    private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
        rotated(lane &+ word &* prime2, 31) &* prime1
    }

    private static func rotated(_ value: UInt64, _ bits: UInt64) -> UInt64 {
        value << bits | value >> (64 - bits)
    }
}
