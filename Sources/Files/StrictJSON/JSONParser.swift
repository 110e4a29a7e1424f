/// A strict reader of JSON (RFC 8259).
///
/// Written here because Foundation's reader tells neither lines nor repeated names, and turns
/// numbers into doubles before anyone can see that a digit was lost.
package struct JSONParser {
    private static let deepest = 64
    /// What Unicode allows in a row in its stream-safe format (UAX #15). Comparing strings brings combining marks into
    /// order, which takes the square of their number: a megabyte of them takes a quarter of an hour.
    private static let mostMarks = 30

    private let bytes: [UInt8]
    private var position = 0
    private var line = 1
    private var lineStart = 0

    /// Reads a whole text. - Throws: ``JSONSyntaxError``.
    package static func parse(_ bytes: [UInt8]) throws(JSONSyntaxError) -> JSONNode {
        if let error = JSONEncoding.problem(of: bytes) { throw error }
        var parser = JSONParser(bytes: bytes)
        // A mark that editors on Windows put before UTF-8; RFC 8259 lets a reader pass over it.
        if bytes.starts(with: JSONEncoding.mark) { parser.begin(at: JSONEncoding.mark.count) }
        let node = try parser.node(depth: 0)
        parser.skipSpace()
        guard parser.position == bytes.count else {
            throw parser.unexpected("there is more text after the end of the value")
        }
        return node
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private func error(_ message: String) -> JSONSyntaxError {
        JSONSyntaxError(line: line, column: position - lineStart + 1, message: message)
    }

    private mutating func begin(at start: Int) { (position, lineStart) = (start, start) }

    /// Something else stands here than JSON wants; where other notations have a name for it, that is said too.
    private func unexpected(_ message: String) -> JSONSyntaxError {
        let advice = ForeignNotation.advice(for: bytes[position...])
        return error(message + (advice.map { "; " + $0 } ?? ""))
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            position += 1
            if byte == 0x0A { (line, lineStart) = (line + 1, position) }
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    private mutating func node(depth: Int) throws(JSONSyntaxError) -> JSONNode {
        guard depth < Self.deepest else { throw error("values are nested more than \(Self.deepest) deep") }
        skipSpace()
        let line = line
        guard let first = next else {
            throw error(bytes.isEmpty ? "the text is empty" : "the text ends where a value should stand")
        }
        switch first {
        case UInt8(ascii: "{"): return JSONNode(line: line, value: try object(depth: depth))
        case UInt8(ascii: "["): return JSONNode(line: line, value: try array(depth: depth))
        case UInt8(ascii: "\""): return JSONNode(line: line, value: .string(try string()))
        case UInt8(ascii: "t"): return JSONNode(line: line, value: try word("true", .bool(true)))
        case UInt8(ascii: "f"): return JSONNode(line: line, value: try word("false", .bool(false)))
        case UInt8(ascii: "n"): return JSONNode(line: line, value: try word("null", .null))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return JSONNode(line: line, value: .number(try number()))
        default: throw unexpected("this is not the beginning of a value")
        }
    }

    private mutating func word(_ text: String, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
        guard bytes[position...].starts(with: text.utf8) else { throw unexpected("expected \"\(text)\"") }
        position += text.utf8.count
        return value
    }

    private mutating func array(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        position += 1
        var elements: [JSONNode] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array(elements) }
        while true {
            elements.append(try node(depth: depth + 1))
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(elements) }
            guard take(UInt8(ascii: ",")) else { throw unexpected("expected \",\" or \"]\" in an array") }
        }
    }

    private mutating func object(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        position += 1
        var members: [JSONMember] = []
        var names: Set<String> = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object(members) }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw unexpected("expected a name in double quotes") }
            let name = try string()
            guard names.insert(name).inserted else { throw error("the name \"\(name)\" occurs twice in one object") }
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw unexpected("expected \":\" after the name \"\(name)\"") }
            members.append(JSONMember(name: name, node: try node(depth: depth + 1)))
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { throw unexpected("expected \",\" or \"}\" in an object") }
        }
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
        return position - start
    }

    private mutating func number() throws(JSONSyntaxError) -> String {
        let start = position
        _ = take(UInt8(ascii: "-"))
        let first = next
        let whole = digits()
        guard whole > 0, whole == 1 || first != UInt8(ascii: "0") else {
            throw unexpected("a number needs a digit here and no leading zero")
        }
        if take(UInt8(ascii: ".")), digits() == 0 { throw error("a number needs a digit after its point") }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            _ = take(UInt8(ascii: "+")) || take(UInt8(ascii: "-"))
            if digits() == 0 { throw error("a number needs a digit in its exponent") }
        }
        guard next.map(ForeignNotation.isPartOfWord) != true else {
            throw error("numbers are written in decimal digits, with nothing between or behind them")
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func string() throws(JSONSyntaxError) -> String {
        position += 1
        var text: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                let string = String(decoding: text, as: UTF8.self)
                var marks = 0
                for scalar in string.unicodeScalars {
                    marks = scalar.properties.canonicalCombiningClass == .notReordered ? 0 : marks + 1
                    if marks > Self.mostMarks {
                        throw error("a string has more than \(Self.mostMarks) combining marks in a row")
                    }
                }
                return string
            case UInt8(ascii: "\\"): text += Array(String(try escape()).utf8)
            case 0..<0x20: throw error("a control character inside a string must be written as \\u00XX")
            default: text.append(byte)
            }
        }
        throw error("a string has no closing quote")
    }

    private mutating func escape() throws(JSONSyntaxError) -> Unicode.Scalar {
        let byte = next ?? 0
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            let high = try codeUnit()
            if let scalar = Unicode.Scalar(high) { return scalar }
            guard high < 0xDC00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
                throw error("half of a surrogate pair stands alone")
            }
            let low = try codeUnit()
            guard low >= 0xDC00, low < 0xE000,
                let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
            else { throw error("half of a surrogate pair stands alone") }
            return scalar
        default: throw error("no such escape")
        }
    }

    private mutating func codeUnit() throws(JSONSyntaxError) -> UInt32 {
        guard position + 4 <= bytes.count else { throw error("\\u needs four hexadecimal digits") }
        let digits = bytes[position..<position + 4].compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == 4 else { throw error("\\u needs four hexadecimal digits") }
        position += 4
        return digits.reduce(0) { $0 << 4 | UInt32($1) }
    }
}
