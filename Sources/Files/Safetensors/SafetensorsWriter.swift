import RunFolder
import StrictJSON

/// A tensor to be written.
package struct StoredTensor: Sendable {
    /// Numbers, and how they are stored.
    package enum Content: Sendable {
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
    let type: ElementType
    private let load: @Sendable () throws(SafetensorsError) -> Content

    var byteCount: Int { shape.reduce(1, *) * type.bits / 8 }

    /// - Precondition: as many numbers as the shape holds.
    package init(_ name: String, shape: [Int], _ content: Content) {
        self.init(name, shape: shape, content.type) { content }
    }

    /// A tensor whose numbers are there only while they are written.
    ///
    /// - Parameter load: gives them, as many as the shape holds, of the type.
    package init(
        _ name: String, shape: [Int], _ type: ElementType,
        _ load: @escaping @Sendable () throws(SafetensorsError) -> Content
    ) {
        self.name = name
        self.shape = shape
        self.type = type
        self.load = load
    }

    func content() throws(SafetensorsError) -> Content {
        let content = try load()
        precondition(
            content.count == shape.reduce(1, *) && content.type == type,
            "\(name): \(content.count) numbers of \(content.type) for \(shape) of \(type)")
        return content
    }
}

extension SafetensorsFile {
    /// Writes tensors, in their order, to a file: beside its name first, so that a reader sees a whole file
    /// or none. The same tensors give the same bytes. One tensor is in memory at a time.
    ///
    /// - Throws: ``SafetensorsError``; the old file, if any, stands then.
    package static func write(
        _ tensors: [StoredTensor], metadata: [String: String] = [:], to path: String
    ) throws(SafetensorsError) {
        var size = 0
        var header: [(String, JSONText)] = []
        if !metadata.isEmpty {
            header.append(("__metadata__", .object(metadata.map { ($0.key, .string($0.value)) })))
        }
        for tensor in tensors {
            let start = size
            size += tensor.byteCount
            header.append(
                (
                    tensor.name,
                    .object([
                        ("dtype", .string(tensor.type.rawValue)),
                        ("shape", .array(tensor.shape.map { .integer($0) })),
                        ("data_offsets", .array([.integer(start), .integer(size)])),
                    ])
                ))
        }
        var text = Array(JSONText.object(header).canonical.utf8)
        // Spaces bring the data to a multiple of 8 bytes.
        text += [UInt8](repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
        do {
            var file = try AtomicFile(path: path)
            try file.append(withUnsafeBytes(of: UInt64(text.count).littleEndian, Array.init) + text)
            for tensor in tensors { try file.append(try bytes(of: tensor, path: path)) }
            try file.finish()
        } catch let error as RunFolderError {
            throw SafetensorsError(error.code == .cannotCreate ? .cannotCreate : .inputOutput, file: path, "\(error)")
        } catch let error as SafetensorsError {
            throw error
        } catch {
            throw SafetensorsError(.inputOutput, file: path, "\(error)")
        }
    }

    private static func bytes(of tensor: StoredTensor, path: String) throws(SafetensorsError) -> [UInt8] {
        var data: [UInt8] = []
        data.reserveCapacity(tensor.byteCount)
        func append(_ bits: some Sequence<some FixedWidthInteger>) {
            for element in bits { withUnsafeBytes(of: element.littleEndian) { data.append(contentsOf: $0) } }
        }
        switch try tensor.content() {
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
        return data
    }
}
