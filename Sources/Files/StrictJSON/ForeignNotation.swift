/// What people write into JSON because Python, JavaScript or YAML have it, and what to write instead.
enum ForeignNotation {
    /// Advice on the text where JSON wanted something else; nil if it is not a known foreigner.
    static func advice(for text: ArraySlice<UInt8>) -> String? {
        switch text.first {
        case UInt8(ascii: "/"), UInt8(ascii: "#"): return "JSON has no comments: leave it out"
        case UInt8(ascii: "'"): return "names and strings stand in double quotes, not in single ones"
        case UInt8(ascii: "]"), UInt8(ascii: "}"): return "if a comma stands before this, leave the comma out"
        case UInt8(ascii: "+"): return "a number has no plus sign before it: leave it out"
        case UInt8(ascii: "."): return "a number begins with a digit, such as 0.5"
        default: break
        }
        let word = String(decoding: text.prefix(16).prefix { isPartOfWord($0) }, as: UTF8.self)
        switch word.lowercased() {
        case "nan", "inf", "infinity": return "NaN and infinity are not JSON: every number is finite"
        case "true", "false", "null": return "true, false and null are written in small letters"
        case "none", "undefined", "na": return "JSON writes null, or leaves the name out"
        default: return word.first?.isLetter == true ? "names and strings stand in double quotes" : nil
        }
    }

    /// A letter, a digit or an underscore.
    static func isPartOfWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

/// How a text is encoded, as far as its bytes tell.
enum JSONEncoding {
    /// The byte order mark in UTF-8.
    static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// Where bytes are not UTF-8, and what they are instead; nil if they are UTF-8.
    static func problem(of bytes: [UInt8]) -> JSONSyntaxError? {
        // JSON begins with a character of ASCII, of which UTF-16 makes two bytes, one of them zero.
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) || bytes.prefix(2).contains(0) {
            return JSONSyntaxError(line: 1, column: 1, message: "the text is UTF-16; save it as UTF-8")
        }
        guard String(validating: bytes, as: UTF8.self) == nil else { return nil }
        var codec = UTF8()
        var rest = bytes.makeIterator()
        var (line, column) = (1, 1)
        while case .scalarValue(let scalar) = codec.decode(&rest) {
            (line, column) = scalar == "\n" ? (line + 1, 1) : (line, column + UTF8.width(scalar))
        }
        return JSONSyntaxError(
            line: line, column: column, message: "the text is not valid UTF-8 from here on; save it as UTF-8")
    }
}
