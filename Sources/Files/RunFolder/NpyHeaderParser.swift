/// Reads the Python dictionary at the head of a `.npy` file: the three keys that belong there and nothing else.
struct NpyHeaderParser {
    private var rest: Substring.UTF8View
    private let path: String

    /// Parses the text of a header; `path` is the file named in errors, which are all `.malformed`.
    static func parse(_ text: [UInt8], path: String) throws(RunFolderError) -> NpyHeader {
        guard text.allSatisfy({ $0 < 0x80 }) else {
            throw RunFolderError(.malformed, path: path, reason: "npy header: not plain text")
        }
        let string = String(decoding: text, as: UTF8.self)
        var parser = NpyHeaderParser(rest: Substring(string).utf8, path: path)
        return try parser.dictionary()
    }

    private mutating func dictionary() throws(RunFolderError) -> NpyHeader {
        var type: (element: NpyElementType, isBigEndian: Bool)?
        var shape: [Int]?
        var order: Bool?
        try expect("{")
        while !take("}") {
            let key = try quoted()
            try expect(":")
            switch key {
            case "descr" where type == nil: type = try elementType()
            case "fortran_order" where order == nil: order = try truth()
            case "shape" where shape == nil: shape = try tuple()
            case "descr", "fortran_order", "shape": throw malformed("the key '\(key)' stands there twice")
            default: throw malformed("unknown key '\(key)'; expected descr, fortran_order and shape")
            }
            if !take(",") {
                try expect("}")
                break
            }
        }
        skipSpaces()
        guard rest.isEmpty else { throw malformed("something follows the dictionary") }
        guard let type else { throw malformed("the key 'descr' is missing") }
        guard let order else { throw malformed("the key 'fortran_order' is missing") }
        guard let shape else { throw malformed("the key 'shape' is missing") }
        guard NpyHeader.count(of: shape, elementSize: type.element.size) != nil else {
            throw malformed("the shape \(shape) is too large")
        }
        return try NpyHeader(
            elementType: type.element, shape: shape, isFortranOrder: order, isBigEndian: type.isBigEndian, path: path)
    }

    /// numpy's name of a type: which byte comes first, the kind, and bytes of a number.
    private mutating func elementType() throws(RunFolderError) -> (NpyElementType, isBigEndian: Bool) {
        skipSpaces()
        guard rest.first == UInt8(ascii: "'") || rest.first == UInt8(ascii: "\"") else {
            throw malformed(
                "the array holds records, which are not read; save one field, a['x'], or numpy.stack of several")
        }
        let name = try quoted()
        let order = name.first.flatMap { "<>|=".contains($0) ? $0 : nil }
        let kind = name.dropFirst(order == nil ? 0 : 1)
        // The machine's own order, `=`, is that of the machines that this runs on.
        let found = NpyElementType.allCases.first { $0.rawValue.dropFirst() == (kind == "?" ? "b1" : kind) }
        guard let found else { throw malformed("the element type '\(name)' is not read; \(advice(kind.first))") }
        return (found, order == ">")
    }

    /// What to do about a type that is not read, by the letter of its kind.
    private func advice(_ kind: Character?) -> String {
        switch kind {
        case "O": "these are Python objects; convert them with a.astype('float32'), or 'int64' for labels"
        case "c": "these are complex numbers; save a.real and a.imag side by side"
        case "S", "U", "a", "M", "m": "save numbers, such as those of numpy.unique(a, return_inverse=True)[1]"
        case "V": "bfloat16 is saved so, among others; convert it with a.astype('float32')"
        default: "convert it with a.astype('float32'), or 'int64' for labels"
        }
    }

    private mutating func truth() throws(RunFolderError) -> Bool {
        if take("True") { return true }
        if take("False") { return false }
        throw malformed("'fortran_order' is neither True nor False")
    }

    /// Lengths in parentheses; a comma is what makes a tuple of one of them.
    private mutating func tuple() throws(RunFolderError) -> [Int] {
        try expect("(")
        var lengths: [Int] = []
        while !take(")") {
            lengths.append(try length())
            if take(",") { continue }
            guard lengths.count > 1 else { throw malformed("'shape' is not a tuple") }
            try expect(")")
            break
        }
        return lengths
    }

    private mutating func length() throws(RunFolderError) -> Int {
        skipSpaces()
        let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard !digits.isEmpty else { throw malformed("'shape' holds something that is not a length") }
        guard let value = Int(String(Substring(digits))) else { throw malformed("a length in 'shape' is too large") }
        rest = rest.dropFirst(digits.count)
        // Python 2 wrote its long integers so.
        _ = take("L")
        return value
    }

    /// A Python string without escapes, which no name here needs.
    private mutating func quoted() throws(RunFolderError) -> String {
        skipSpaces()
        guard let quote = rest.first, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
            throw malformed("expected a string in quotes")
        }
        let body = rest.dropFirst().prefix { $0 != quote }
        guard body.endIndex < rest.endIndex, !body.contains(UInt8(ascii: "\\")) else {
            throw malformed("a string in quotes does not end")
        }
        rest = rest[rest.index(after: body.endIndex)...]
        return String(Substring(body))
    }

    private mutating func expect(_ word: StaticString) throws(RunFolderError) {
        guard take(word) else { throw malformed("expected '\(word)'") }
    }

    private mutating func take(_ word: StaticString) -> Bool {
        skipSpaces()
        let bytes = "\(word)".utf8
        guard rest.starts(with: bytes) else { return false }
        rest = rest.dropFirst(bytes.count)
        return true
    }

    private mutating func skipSpaces() {
        rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
    }

    private func malformed(_ reason: String) -> RunFolderError {
        RunFolderError(.malformed, path: path, reason: "npy header: \(reason)")
    }
}
