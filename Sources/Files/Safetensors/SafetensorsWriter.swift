import RunFolder
import StrictJSON

/// A tensor to be written.
public struct StoredTensor: Sendable {
    /// Numbers, and how they are stored.
    public enum Content: Sendable {
        case float32([Float])
        /// Rounded to the nearest half-precision number; one beyond their range is refused.
        case float16([Float])
        case float64([Double])
        case unsigned64([UInt64])

        var count: Int {
            switch self {
            case .float32(let values), .float16(let values): values.count
            case .float64(let values): values.count
            case .unsigned64(let values): values.count
            }
        }

        var type: ElementType {
            switch self {
            case .float32: .float32
            case .float16: .float16
            case .float64: .float64
            case .unsigned64: .unsigned64
            }
        }
    }

    let name: String
    let shape: [Int]
    let content: Content

    /// - Precondition: as many numbers as the shape holds.
    public init(_ name: String, shape: [Int], _ content: Content) {
        precondition(content.count == shape.reduce(1, *), "\(name): \(content.count) numbers for \(shape)")
        self.name = name
        self.shape = shape
        self.content = content
    }
}

extension SafetensorsFile {
    /// Writes tensors, in their order, to a file: beside its name first, so that a reader sees a whole file
    /// or none. The same tensors give the same bytes.
    ///
    /// - Throws: ``SafetensorsError``; the old file, if any, stands then.
    public static func write(
        _ tensors: [StoredTensor], metadata: [String: String] = [:], to path: String
    ) throws(SafetensorsError) {
        var data: [UInt8] = []
        var header: [(String, JSONText)] = []
        if !metadata.isEmpty {
            header.append(("__metadata__", .object(metadata.map { ($0.key, .string($0.value)) })))
        }
        for tensor in tensors {
            let start = data.count
            try append(tensor, to: &data, path: path)
            header.append(
                (
                    tensor.name,
                    .object([
                        ("dtype", .string(tensor.content.type.rawValue)),
                        ("shape", .array(tensor.shape.map { .integer($0) })),
                        ("data_offsets", .array([.integer(start), .integer(data.count)])),
                    ])
                ))
        }
        var text = Array(JSONText.object(header).canonical.utf8)
        // Spaces bring the data to a multiple of 8 bytes.
        text += [UInt8](repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
        do {
            try AtomicFile.write(
                withUnsafeBytes(of: UInt64(text.count).littleEndian, Array.init) + text + data, to: path)
        } catch {
            throw SafetensorsError(error.code == .cannotCreate ? .cannotCreate : .inputOutput, file: path, "\(error)")
        }
    }

    private static func append(
        _ tensor: StoredTensor, to data: inout [UInt8], path: String
    ) throws(SafetensorsError) {
        func append(_ bits: some Sequence<some FixedWidthInteger>) {
            for element in bits { withUnsafeBytes(of: element.littleEndian) { data.append(contentsOf: $0) } }
        }
        switch tensor.content {
        case .float32(let values): append(values.lazy.map(\.bitPattern))
        case .float64(let values): append(values.lazy.map(\.bitPattern))
        case .unsigned64(let values): append(values)
        case .float16(let values):
            if let value = values.first(where: { $0.isFinite && !Float16($0).isFinite }) {
                throw SafetensorsError(
                    .badData, file: path,
                    "tensor \"\(tensor.name)\": \(value) is beyond half precision; store the weights as float32")
            }
            append(values.lazy.map { Float16($0).bitPattern })
        }
    }
}
