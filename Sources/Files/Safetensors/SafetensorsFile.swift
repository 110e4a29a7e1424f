import RunFolder

/// A file of tensors: weights of a network, or what a training needs to go on.
///
/// The layout is that of the safetensors package: 8 bytes, little-endian, with the length of the
/// header; the header, JSON; the data. A file is checked whole before anything is taken from it, and
/// no memory is set aside for a number that has not been checked against the file's size.
///
/// The data are read, not mapped: whoever shortens a mapped file ends its readers with SIGBUS, while a
/// reader of this kind gets an error.
package struct SafetensorsFile: ~Copyable, Sendable {
    /// The longest header that is read, in bytes: room for some hundred thousand tensors. The package reads up to
    /// 100 000 000, of which hostile JSON could make gigabytes.
    package static let longestHeader = 16 << 20

    /// As the user named it.
    package let path: String
    /// In the order of their data.
    package let tensors: [TensorEntry]
    /// What the header says beside the tensors.
    package let metadata: [String: String]
    /// Bytes in all.
    package let byteCount: Int

    private let file: File
    private let dataStart: Int
    private let indices: [String: Int]

    /// Opens and checks a file. - Throws: ``SafetensorsError``.
    package init(path: String) throws(SafetensorsError) {
        do {
            self = try Self(reading: path)
        } catch {
            throw SafetensorsError(reading: error)
        }
    }

    private init(reading path: String) throws(RunFolderError) {
        func malformed(_ reason: String) -> RunFolderError { RunFolderError(.malformed, path: path, reason: reason) }
        let file = try File(path, for: .reading)
        let size = try file.size()
        guard size >= 8 else {
            throw malformed("has \(size) bytes, fewer than the 8 that tell the header's length")
        }
        let length = try file.read(count: 1, at: 0, as: UInt64.self)[0]
        let start: [UInt8] = try file.read(count: min(size, ForeignFile.looked), at: 0)
        guard length <= UInt64(Self.longestHeader) else {
            throw malformed(
                ForeignFile.description(of: start)
                    ?? "the header would take \(length) bytes, more than \(Self.longestHeader); not a safetensors file?"
            )
        }
        let dataStart = 8 + Int(length)
        guard dataStart <= size else {
            // Where a header begins, the file was one: its length may look like anything.
            let foreign = start.dropFirst(8).first == UInt8(ascii: "{") ? nil : ForeignFile.description(of: start)
            throw malformed(
                foreign
                    ?? "the header would take \(length) bytes, but only \(size - 8) follow; the file is cut short")
        }
        let text: [UInt8] = try file.read(count: Int(length), at: 8)
        let header: SafetensorsHeader
        do throws(HeaderProblem) {
            header = try SafetensorsHeader(text, dataCount: size - dataStart)
        } catch {
            throw malformed(error.message)
        }
        self.path = path
        self.file = file
        self.dataStart = dataStart
        byteCount = size
        tensors = header.tensors
        metadata = header.metadata
        indices = Dictionary(uniqueKeysWithValues: header.tensors.enumerated().map { ($1.name, $0) })
    }

    /// The tensor of a name. - Throws: ``SafetensorsError`` if there is none.
    package func tensor(_ name: String) throws(SafetensorsError) -> TensorEntry {
        guard let index = indices[name] else {
            throw SafetensorsError(.badData, file: path, "tensor \"\(name)\" is missing")
        }
        return tensors[index]
    }

    /// The numbers of a floating-point tensor in single precision: half precision and bfloat16 exactly,
    /// double precision rounded to the nearest.
    /// - Throws: ``SafetensorsError`` for any other element type, or if the data can't be read.
    package func floats(_ entry: TensorEntry) throws(SafetensorsError) -> [Float] {
        switch entry.type {
        case .float32: try elements(entry)
        case .float64: try elements(entry, of: Double.self).map { Float($0) }
        case .float16: try elements(entry, of: Float16.self).map { Float($0) }
        case .bfloat16: try elements(entry, of: UInt16.self).map { Float(bitPattern: UInt32($0) << 16) }
        default:
            throw SafetensorsError(
                .badData, file: path,
                "tensor \"\(entry.name)\": is \(entry.type.rawValue); store it as F32, F64, F16 or BF16")
        }
    }

    /// The numbers of a double-precision tensor.
    /// - Throws: ``SafetensorsError`` for another element type, or if the data can't be read.
    package func doubles(_ entry: TensorEntry) throws(SafetensorsError) -> [Double] {
        try require(.float64, entry)
        return try elements(entry)
    }

    /// The numbers of a tensor of unsigned 64-bit integers.
    /// - Throws: ``SafetensorsError`` for another element type, or if the data can't be read.
    package func integers(_ entry: TensorEntry) throws(SafetensorsError) -> [UInt64] {
        try require(.unsigned64, entry)
        return try elements(entry)
    }

    private func require(_ type: ElementType, _ entry: TensorEntry) throws(SafetensorsError) {
        guard entry.type == type else {
            throw SafetensorsError(
                .badData, file: path, "tensor \"\(entry.name)\": is \(entry.type.rawValue), not \(type.rawValue)")
        }
    }

    /// The elements as they stand in the file: little-endian, as ``RunFolder`` makes sure that the machine is.
    private func elements<Element: BitwiseCopyable & AdditiveArithmetic>(
        _ entry: TensorEntry, of type: Element.Type = Element.self
    ) throws(SafetensorsError) -> [Element] {
        do {
            return try file.read(count: entry.count, at: dataStart + entry.bytes.lowerBound)
        } catch {
            throw SafetensorsError(reading: error)
        }
    }
}
