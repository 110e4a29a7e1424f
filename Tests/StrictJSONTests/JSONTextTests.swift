import StrictJSON
import Testing

@Suite("JSON text")
struct JSONTextTests {
    @Test(
        "doubles are written as short as they read back; whole ones without a point",
        arguments: [
            (0.0, "0"), (-0.0, "0"), (1.0, "1"), (-3.0, "-3"), (0.1, "0.1"), (0.03, "0.03"),
            (1.0 / 3, "0.3333333333333333"),
            (9_007_199_254_740_991.0, "9007199254740991"), (1e-5, "1e-05"), (1e300, "1e+300"),
            (.leastNonzeroMagnitude, "5e-324"),
        ])
    func doubles(value: Double, text: String) throws {
        #expect(JSONText.number(value).canonical == text)
        #expect(JSONText.number(value).pretty == text + "\n")
        #expect(Double(text) == value)
    }

    @Test("every finite double reads back as itself, from a text that the strict parser takes")
    func doublesRoundTrip() throws {
        var state: UInt64 = 1
        for _ in 0..<2000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let value = Double(bitPattern: state)
            guard value.isFinite else { continue }
            let text = JSONText.number(value).canonical
            #expect(try JSONParser.parse(Array(text.utf8)).value == .number(text))
            #expect(Double(text) == value)
        }
    }

    @Test("a number that is not finite becomes null, so that the text stays JSON")
    func nonFinite() {
        #expect(
            JSONText.array([.number(.nan), .number(.infinity), .number(-.infinity)]).canonical == "[null,null,null]")
    }

    @Test("integers keep all their digits")
    func integers() {
        #expect(
            JSONText.array([.integer(.max), .integer(.min)]).canonical == "[9223372036854775807,-9223372036854775808]")
    }

    @Test("strings escape what they must and nothing else")
    func strings() throws {
        let text = JSONText.string("\"\\/\n\r\t\u{1}\u{1F}\u{7F}é😀").canonical
        #expect(text == "\"\\\"\\\\/\\n\\r\\t\\u0001\\u001f\u{7F}é😀\"")
        let every = String(String.UnicodeScalarView((0..<0x300).compactMap { Unicode.Scalar($0) }))
        #expect(try JSONParser.parse(Array(JSONText.string(every).canonical.utf8)).value == .string(every))
    }

    @Test("the canonical text sorts names by their bytes and has no white space")
    func canonical() {
        let value = JSONText.object([
            ("b", .array([.integer(1), .object([("z", .null), ("a", .bool(true))])])), ("é", .integer(3)),
            ("a", .object([])), ("B", .array([])), ("", .integer(0)), ("aa", .bool(false)),
        ])
        #expect(value.canonical == #"{"":0,"B":[],"a":{},"aa":false,"b":[1,{"a":true,"z":null}],"é":3}"#)
    }

    @Test("the pretty text keeps the order, indents by two, and leaves plain arrays on one line")
    func pretty() {
        let value = JSONText.object([
            ("name", .string("x")), ("values", .array([.number(0.5), .null, .integer(2)])), ("none", .array([])),
            ("empty", .object([])),
            ("rows", .array([.array([.integer(1), .integer(2)]), .object([("a", .bool(true))])])),
        ])
        #expect(
            value.pretty == """
                {
                  "name": "x",
                  "values": [0.5, null, 2],
                  "none": [],
                  "empty": {},
                  "rows": [
                    [1, 2],
                    {
                      "a": true
                    }
                  ]
                }

                """)
    }
}
