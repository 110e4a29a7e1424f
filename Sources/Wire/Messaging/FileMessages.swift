import CWireMessages
package import ContentHash

/// Asks for a piece of a model file.
package struct ModelRequest: Sendable, Equatable {
    /// The SHA-256 of the whole file.
    package var model: Digest
    /// Where the piece begins.
    package var offset: Int
    /// The most bytes that it may have.
    package var length: Int

    /// Every field as given.
    package init(model: Digest, offset: Int, length: Int) {
        self.model = model
        self.offset = offset
        self.length = length
    }
}

extension ModelRequest {
    /// Goes through its fields.
    mutating func pass(_ m: inout Rrr__Wire__ModelRequest, _ wire: inout WirePass) {
        wire.digest(&model, &m.sha256)
        wire.number(&offset, &m.offset)
        wire.check(
            1...UInt32(ModelChunk.longest) ~= m.length,
            "a request for \(m.length) bytes of a model, not 1 to \(ModelChunk.longest)")
        wire.number(&length, &m.length)
    }
}

/// A piece of a model file.
package struct ModelChunk: Sendable, Equatable {
    /// The most bytes of a piece: what is longer is refused.
    package static let longest = 1 << 20

    /// The SHA-256 of the whole file.
    package var model: Digest
    /// Where the piece begins.
    package var offset: Int
    /// Bytes of the whole file.
    package var total: Int
    /// The piece; empty at the end of the file alone.
    package var data: [UInt8]

    /// Every field as given.
    package init(model: Digest, offset: Int, total: Int, data: [UInt8]) {
        self.model = model
        self.offset = offset
        self.total = total
        self.data = data
    }
}

extension ModelChunk {
    /// The fields of a piece that there is.
    mutating func passPlaceAndData(_ m: inout Rrr__Wire__ModelChunk, _ wire: inout WirePass) {
        wire.number(&offset, &m.offset)
        wire.number(&total, &m.total)
        wire.check(
            m.data.len <= Self.longest && offset <= total && m.data.len <= total - offset
                && (m.data.len > 0 || offset == total),
            "\(m.data.len) bytes at \(offset) of a model of \(total)")
        wire.bytes(&data, &m.data)
    }
}

/// A piece of a file of a finished job.
package struct FileChunk: Sendable, Equatable {
    /// The hash of the canonical job.
    package var job: Digest
    /// The file's name in the output folder.
    package var file: String
    /// Where the piece begins.
    package var offset: Int
    /// Bytes of the whole file.
    package var total: Int
    /// The piece.
    package var data: [UInt8]

    /// Every field as given.
    package init(job: Digest, file: String, offset: Int, total: Int, data: [UInt8]) {
        self.job = job
        self.file = file
        self.offset = offset
        self.total = total
        self.data = data
    }
}

extension FileChunk {
    /// Goes through its fields.
    mutating func pass(_ m: inout Rrr__Wire__FileChunk, _ wire: inout WirePass) {
        wire.digest(&job, &m.job)
        wire.text(&file, &m.file)
        wire.number(&offset, &m.offset)
        wire.number(&total, &m.total)
        wire.check(
            offset <= total && m.data.len <= total - offset,
            "\(m.data.len) bytes at \(offset) of a file of \(total)")
        wire.bytes(&data, &m.data)
    }
}
