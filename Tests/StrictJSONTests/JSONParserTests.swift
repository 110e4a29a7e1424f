import StrictJSON
import Testing

@Suite("JSON parser")
struct JSONParserTests {
    private func parse(_ text: String) throws(JSONSyntaxError) -> JSONNode { try JSONParser.parse(Array(text.utf8)) }

    @Test(
        "numbers keep their text",
        arguments: [
            "0", "-0", "7", "-12", "0.5", "1e5", "1E+5", "1.25e-300", "18446744073709551616", "1e999", "0.1000",
        ])
    func numbers(text: String) throws {
        #expect(try parse(text).value == .number(text))
        guard case .array(let elements) = try parse(" [\(text)]\n").value else {
            Issue.record("the text is an array")
            return
        }
        #expect(elements.map(\.value) == [.number(text)])
    }

    @Test(
        "strings are read with their escapes",
        arguments: [
            (#""""#, ""), (#""a b""#, "a b"), (#""\"\\\/""#, #""\/"#), (#""\b\f\n\r\t""#, "\u{8}\u{C}\n\r\t"),
            (#""\u0041\u00e9\u20AC""#, "Aé€"), (#""\ud83d\ude00""#, "😀"), (#""é€😀""#, "é€😀"),
            (#""\u0000""#, "\u{0}"), (#""\uffff""#, "\u{FFFF}"), (#""\uDBFF\uDFFF""#, "\u{10FFFF}"),
            ("\"\u{7F}\"", "\u{7F}"),
        ])
    func strings(text: String, value: String) throws {
        #expect(try parse(text).value == .string(value))
    }

    @Test("thirty combining marks in a row are read, one more is refused at once", arguments: ["\u{301}", "\u{316}"])
    func combiningMarks(mark: String) throws {
        let text = "a" + String(repeating: mark, count: 30)
        #expect(try parse("\"\(text)b\(text)\"").value == .string(text + "b" + text))
        for count in [31, 1 << 18] {
            let error = try #require(throws: JSONSyntaxError.self) {
                try parse("{\"a" + String(repeating: mark, count: count) + "\": 1}")
            }
            #expect(error.message == "a string has more than 30 combining marks in a row")
        }
    }

    @Test("words, empty containers and white space of all four kinds")
    func plainValues() throws {
        #expect(try parse("null").value == .null)
        #expect(try parse("true").value == .bool(true))
        #expect(try parse(" \t\r\nfalse\r\n").value == .bool(false))
        #expect(try parse("[ ]").value == .array([]))
        #expect(try parse("{ }").value == .object([]))
    }

    @Test("members keep the order of the text, and every value its line")
    func lines() throws {
        guard case .object(let members) = try parse("{\n\"b\": 1,\r\n\n\"a\":\n[true,\nnull]}").value else {
            Issue.record("the text is an object")
            return
        }
        #expect(members.map(\.name) == ["b", "a"])
        #expect(members.map(\.node.line) == [2, 5])
        guard case .array(let elements)? = members.last?.node.value else {
            Issue.record("the second member is an array")
            return
        }
        #expect(elements.map(\.line) == [5, 6])
    }

    @Test(
        "what is not JSON is refused",
        arguments: [
            "", " ", "{", "[", "\"", "[1,]", "{\"a\":1,}", "{\"a\"}", "{\"a\" 1}", "{a:1}", "{'a':1}", "{1:1}", "[1 2]",
            "{\"a\":1 \"b\":2}", "[,1]", "1 2", "[] []", "nul", "nulls", "True", "NaN", "Infinity", "-Infinity", "-",
            "+1", ".5", "1.", "01", "-01", "00", "1e", "1e+", "1.e5", "0x10", "1_000", "\"\\x41\"", "\"\\u12\"",
            "\"\\u12g4\"", "\"\\u+123\"", "\"\\\"", "\"a\nb\"", "\"\u{1F}\"", "// a\n1", "/* a */ 1", "[1}",
            "{\"a\":1]",
            "1\u{FEFF}", "\u{FEFF}\u{FEFF}1", "\u{A0}1", "1\u{0}",
        ])
    func malformed(text: String) {
        #expect(throws: JSONSyntaxError.self) { try parse(text) }
    }

    @Test(
        "half of a surrogate pair is refused",
        arguments: [#""\ud800""#, #""\udc00""#, #""\ud800x""#, #""\ud800\n""#, #""\ud800\u0041""#, #""\ud800\ud800""#])
    func loneSurrogates(text: String) {
        let error = #expect(throws: JSONSyntaxError.self) { try parse(text) }
        #expect(error?.message.contains("surrogate") == true)
    }

    @Test(
        "bytes that are not UTF-8 are refused: stray, overlong, surrogate, too large, cut off",
        arguments: [
            [0x80], [0xFF], [0xC0, 0xAF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
            [0xE2, 0x82],
        ] as [[UInt8]])
    func invalidUTF8(bytes: [UInt8]) {
        #expect(throws: JSONSyntaxError.self) {
            try JSONParser.parse([UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")])
        }
    }

    @Test(
        "a name that occurs twice in one object is refused, however it is written",
        arguments: [#"{"a":1,"a":1}"#, #"{"a":1,"b":2,"\u0061":3}"#, #"[{"x":{"":1,"":2}}]"#])
    func repeatedNames(text: String) {
        let error = #expect(throws: JSONSyntaxError.self) { try parse(text) }
        #expect(error?.message.contains("occurs twice") == true)
    }

    @Test("the same name in different objects is no repetition")
    func namesOfDifferentObjects() throws {
        #expect(throws: Never.self) { try parse(#"{"a":{"a":1},"b":{"a":1}}"#) }
    }

    @Test("64 values may be nested, one more may not; a hostile depth is no crash")
    func depth() {
        func nested(_ count: Int) -> String {
            String(repeating: "[", count: count) + String(repeating: "]", count: count)
        }
        #expect(throws: Never.self) { try parse(nested(64)) }
        #expect(throws: JSONSyntaxError.self) { try parse(nested(65)) }
        #expect(throws: JSONSyntaxError.self) { try parse(String(repeating: "[", count: 1_000_000)) }
        #expect(throws: JSONSyntaxError.self) { try parse(String(repeating: "{\"a\":", count: 1_000_000)) }
    }

    @Test("a byte order mark before the text is passed over, and counts in no column's favour")
    func byteOrderMark() throws {
        #expect(try parse("\u{FEFF}{}").value == .object([]))
        let error = #expect(throws: JSONSyntaxError.self) { try parse("\u{FEFF}[?]") }
        #expect(error?.column == 2)
    }

    @Test(
        "what other notations allow is told by its name",
        arguments: [
            ("// a\n1", "comments"), ("{\"a\": 1, /* b */ \"c\": 2}", "comments"), ("[1] # one", "comments"),
            ("[1, # one\n2]", "comments"), ("{\"a\": 1,}", "leave the comma out"), ("[1, 2,\n]", "leave the comma out"),
            ("{'a': 1}", "single ones"), ("['a']", "single ones"), ("{a: 1}", "stand in double quotes"),
            ("[NaN]", "NaN and infinity"), ("[-Infinity]", "NaN and infinity"), ("[inf]", "NaN and infinity"),
            ("[-nan]", "NaN and infinity"), ("[True]", "small letters"), ("[nulls]", "double quotes"),
            ("[None]", "null"),
            ("[undefined]", "null"), ("[+1]", "plus sign"), ("[.5]", "such as 0.5"), ("[1_000]", "decimal digits"),
            ("[0x10]", "decimal digits"), ("[1.5f]", "decimal digits"), ("", "the text is empty"),
        ])
    func foreignNotations(text: String, advice: String) throws {
        let error = try #require(throws: JSONSyntaxError.self) { try parse(text) }
        #expect(error.message.contains(advice), "\(error.message)")
    }

    @Test("a missing comma is no foreign notation")
    func missingComma() throws {
        let error = try #require(throws: JSONSyntaxError.self) { try parse("[1 2]") }
        #expect(error.message == "expected \",\" or \"]\" in an array")
    }

    @Test(
        "UTF-16 is told by its name, with a mark and without",
        arguments: [[0xFF, 0xFE, 0x7B, 0], [0xFE, 0xFF, 0, 0x7B], [0x7B, 0, 0x7D, 0], [0, 0x7B, 0, 0x7D]] as [[UInt8]])
    func otherEncodings(bytes: [UInt8]) throws {
        let error = try #require(throws: JSONSyntaxError.self) { try JSONParser.parse(bytes) }
        #expect(error.message == "the text is UTF-16; save it as UTF-8")
    }

    @Test("the place of the first byte that is not UTF-8 is told")
    func placeOfInvalidUTF8() throws {
        let error = try #require(throws: JSONSyntaxError.self) {
            try JSONParser.parse(Array("{\n\"é\": \"".utf8) + [0xE9] + Array("\"}".utf8))
        }
        #expect(error.line == 2)
        #expect(error.column == 8)
    }

    @Test("an error tells line and column, counted from one")
    func places() {
        let error = #expect(throws: JSONSyntaxError.self) { try parse("{\n  \"a\": 1,\n  \"b\": ?\n}") }
        #expect(error?.line == 3)
        #expect(error?.column == 8)
    }
}
