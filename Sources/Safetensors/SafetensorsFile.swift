/// A file of tensors: weights of a network, or what a training needs to go on.
///
/// The layout is that of the safetensors package: 8 bytes, little-endian, with the length of the
/// header; the header, JSON; the data. A file is checked whole before anything is taken from it, and
/// no memory is set aside for a number that has not been checked against the file's size.
public struct SafetensorsFile {
    /// The longest header that is read, in bytes: room for some hundred thousand tensors.
    public static let longestHeader = 16 << 20

    /// As the user named it.
    public let path: String
    /// In the order of their data.
    public let tensors: [TensorEntry]
    /// What the header says beside the tensors.
    public let metadata: [String: String]
    /// Bytes in all.
    public var byteCount: Int { file.count }

    private let file: MappedFile
    private let dataStart: Int

    /// Opens and checks a file. - Throws: ``SafetensorsError``.
    public init(path: String) throws(SafetensorsError) {
        func refused(_ message: String) -> SafetensorsError { SafetensorsError(.badData, file: path, message) }
        let file = try MappedFile(path: path)
        guard file.count >= 8 else {
            throw refused("has \(file.count) bytes, fewer than the 8 that tell the header's length")
        }
        let length = file.elements(UInt64.self, at: 0, count: 1) { $0 }[0]
        guard length <= UInt64(Self.longestHeader) else {
            throw refused(
                "the header would take \(length) bytes, more than \(Self.longestHeader); not a safetensors file?")
        }
        guard Int(length) <= file.count - 8 else {
            throw refused(
                "the header would take \(length) bytes, but only \(file.count - 8) follow; the file is cut short")
        }
        dataStart = 8 + Int(length)
        let header: SafetensorsHeader
        do throws(HeaderProblem) {
            header = try SafetensorsHeader(file.copy(8..<dataStart), dataCount: file.count - dataStart)
        } catch {
            throw refused(error.message)
        }
        self.path = path
        tensors = header.tensors
        metadata = header.metadata
        self.file = file
    }

    /// The numbers of a floating-point tensor in single precision: half precision and bfloat16 exactly,
    /// double precision rounded to the nearest.
    /// - Throws: ``SafetensorsError`` for any other element type.
    public func floats(_ entry: TensorEntry) throws(SafetensorsError) -> [Float] {
        let start = dataStart + entry.bytes.lowerBound
        switch entry.type {
        case .float32: return file.elements(UInt32.self, at: start, count: entry.count, Float.init(bitPattern:))
        case .float64:
            return file.elements(UInt64.self, at: start, count: entry.count) { Float(Double(bitPattern: $0)) }
        case .float16:
            return file.elements(UInt16.self, at: start, count: entry.count) { Float(Float16(bitPattern: $0)) }
        case .bfloat16:
            return file.elements(UInt16.self, at: start, count: entry.count) { Float(bitPattern: UInt32($0) << 16) }
        default:
            throw SafetensorsError(
                .badData, file: path,
                "tensor \"\(entry.name)\": is \(entry.type.rawValue); store it as F32, F64, F16 or BF16")
        }
    }

    /// The numbers of a double-precision tensor. - Throws: ``SafetensorsError`` for another element type.
    public func doubles(_ entry: TensorEntry) throws(SafetensorsError) -> [Double] {
        try require(.float64, entry)
        return file.elements(
            UInt64.self, at: dataStart + entry.bytes.lowerBound, count: entry.count, Double.init(bitPattern:))
    }

    /// The numbers of a tensor of unsigned 64-bit integers. - Throws: ``SafetensorsError`` for another element type.
    public func integers(_ entry: TensorEntry) throws(SafetensorsError) -> [UInt64] {
        try require(.unsigned64, entry)
        return file.elements(UInt64.self, at: dataStart + entry.bytes.lowerBound, count: entry.count) { $0 }
    }

    /// The tensor of a name. - Throws: ``SafetensorsError`` if there is none.
    public func tensor(_ name: String) throws(SafetensorsError) -> TensorEntry {
        guard let entry = tensors.first(where: { $0.name == name }) else {
            throw SafetensorsError(.badData, file: path, "tensor \"\(name)\" is missing")
        }
        return entry
    }

    private func require(_ type: ElementType, _ entry: TensorEntry) throws(SafetensorsError) {
        guard entry.type == type else {
            throw SafetensorsError(
                .badData, file: path, "tensor \"\(entry.name)\": is \(entry.type.rawValue), not \(type.rawValue)")
        }
    }
}
