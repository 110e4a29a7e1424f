import StrictJSON

/// A tensor as the header describes it.
package struct TensorEntry: Sendable, Equatable {
    /// Unique in its file.
    package let name: String
    /// How its elements are stored.
    package let type: ElementType
    /// Lengths of the axes, outermost first; empty for a single number.
    package let shape: [Int]
    /// Bytes from the end of the header on.
    package let bytes: Range<Int>

    /// Elements in all.
    package var count: Int { shape.reduce(1, *) }
}

/// The header of a file of tensors, read as strictly as the format's own reader does (safetensors 0.4:
/// contiguous data from the first byte to the last, nothing twice, nothing unknown).
struct SafetensorsHeader {
    /// In the order of their data.
    private(set) var tensors: [TensorEntry] = []
    private(set) var metadata: [String: String] = [:]

    /// - Parameters:
    ///   - text: the header, padding included.
    ///   - dataCount: bytes that follow it.
    /// - Throws: what is wrong, without the file's name.
    init(_ text: [UInt8], dataCount: Int) throws(HeaderProblem) {
        guard text.first == UInt8(ascii: "{") else {
            throw HeaderProblem("the header does not begin with \"{\"; this is not a safetensors file")
        }
        guard let end = text.lastIndex(where: { $0 != UInt8(ascii: " ") }), text[end] == UInt8(ascii: "}") else {
            throw HeaderProblem("the header does not end with \"}\" and then nothing but spaces")
        }
        let root: JSONNode
        do {
            root = try JSONParser.parse(Array(text[...end]))
        } catch {
            throw HeaderProblem("the header is not JSON: line \(error.line), column \(error.column): \(error.message)")
        }
        do {
            let members = try JSONField(node: root, pointer: "").members("an object of tensors by name")
            for name in members.names {
                guard let field = members[name] else { continue }
                // Messages begin with the name and must not end with it.
                guard name.utf8.count <= Self.longestName else {
                    throw HeaderProblem(
                        "the name of a tensor has \(name.utf8.count) bytes; at most \(Self.longestName) are read")
                }
                if name == "__metadata__" {
                    metadata = try Self.metadata(field)
                } else {
                    tensors.append(try Self.entry(name, field))
                }
            }
        } catch {
            throw HeaderProblem("header: \(error)")
        }
        tensors.sort { ($0.bytes.lowerBound, $0.bytes.upperBound) < ($1.bytes.lowerBound, $1.bytes.upperBound) }
        var taken = 0
        for tensor in tensors {
            let start = tensor.bytes.lowerBound
            guard start == taken else {
                throw HeaderProblem(
                    "tensor \"\(tensor.name)\": begins at byte \(start) of the data, "
                        + (start < taken
                            ? "within another that ends at \(taken); tensors must not overlap"
                            : "after a hole from \(taken) on; tensors must follow each other"))
            }
            taken = tensor.bytes.upperBound
        }
        guard taken == dataCount else {
            throw HeaderProblem(
                "the tensors take \(taken) bytes, but \(dataCount) follow the header; the file is "
                    + (taken > dataCount ? "cut short" : "longer than it says"))
        }
    }

    private static let longestName = 512
    /// As many as numpy's arrays can have.
    private static let mostAxes = 64

    private static func metadata(_ field: JSONField) throws(JSONProblem) -> [String: String] {
        let members = try field.members("an object of strings")
        var metadata: [String: String] = [:]
        for name in members.names { metadata[name] = try members[name]?.string("a string") }
        return metadata
    }

    private static func entry(_ name: String, _ field: JSONField) throws(JSONProblem) -> TensorEntry {
        let members = try field.members("a tensor", allowed: ["dtype", "shape", "data_offsets"])
        let typeField = try members.required("dtype", "the element type, such as \"F32\"")
        let typeName = try typeField.string("an element type such as \"F32\"")
        guard let type = ElementType(rawValue: typeName) else {
            let known = ElementType.allCases.map(\.rawValue).joined(separator: ", ")
            throw typeField.problem(
                "no element type \"\(JSONProblem.printable(typeName, longest: 64))\"; known: \(known)")
        }
        let shapeField = try members.required("shape", "the lengths of the axes")
        let shape = try wholeNumbers(shapeField)
        guard shape.count <= mostAxes else {
            throw shapeField.problem("has \(shape.count) axes; at most \(mostAxes) are read")
        }
        let offsetsField = try members.required("data_offsets", "where the data begin and end")
        let offsets = try wholeNumbers(offsetsField)
        guard offsets.count == 2, offsets[0] <= offsets[1] else {
            throw offsetsField.problem("must be the first byte and the one after the last")
        }
        var bits = type.bits
        for length in shape {
            let (product, overflow) = bits.multipliedReportingOverflow(by: length)
            guard !overflow else { throw shapeField.problem("holds more elements than can be counted") }
            bits = product
        }
        guard bits % 8 == 0 else {
            throw shapeField.problem("\(shape) of \(type.rawValue) takes \(bits) bits, which are no whole bytes")
        }
        guard bits / 8 == offsets[1] - offsets[0] else {
            throw offsetsField.problem(
                "\(offsets[1] - offsets[0]) bytes, but shape \(shape) of \(type.rawValue) takes \(bits / 8)")
        }
        return TensorEntry(name: name, type: type, shape: shape, bytes: offsets[0]..<offsets[1])
    }

    /// An array, possibly empty, of numbers from 0 on.
    private static func wholeNumbers(_ field: JSONField) throws(JSONProblem) -> [Int] {
        guard case .array(let nodes) = field.node.value else {
            throw field.problem("must be an array of whole numbers")
        }
        var numbers: [Int] = []
        // Not a pointer for each: it repeats the tensor's name, and a long name with many numbers takes for ever.
        for node in nodes {
            let number = JSONField(node: node, pointer: field.pointer)
            numbers.append(try number.integer(0...Int.max, digitsOnly: true))
        }
        return numbers
    }
}

/// What is wrong with a header.
struct HeaderProblem: Error {
    let message: String

    init(_ message: String) { self.message = message }
}
