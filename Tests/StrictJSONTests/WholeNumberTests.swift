import StrictJSON
import Testing

@Suite("Whole numbers of JSON")
struct WholeNumberTests {
    private func field(_ text: String) throws -> JSONField {
        JSONField(node: try JSONParser.parse(Array(text.utf8)), pointer: "/n")
    }

    @Test(
        "are whole as R, NumPy and YAML write them, digit by digit",
        arguments: [
            ("1e+05", 100_000), ("1E5", 100_000), ("200.0", 200), ("2e3", 2000), ("2.50e1", 25), ("1200e-2", 12),
            ("0.0", 0), ("-0", 0), ("-0e7", 0), ("0e99999999999", 0), ("-3.0", -3), ("-12e+1", -120),
            ("9007199254740993.0", 9_007_199_254_740_993), ("9223372036854775807.000", .max),
            ("-9223372036854775808", .min), ("0.9223372036854775807e19", .max),
        ])
    func whole(text: String, value: Int) throws {
        #expect(try field(text).integer(.min ... .max) == value)
    }

    @Test(
        "are not numbers with a fraction, nor those that nothing can hold; words tell what is",
        arguments: [
            "1.5", "1e-1", "12e-2", "0.1e0", "9223372036854775808", "9223372036854775808.0", "1e19", "1e999999999999",
            "1e-999999999999", "100000000000000000000000",
        ])
    func refused(text: String) throws {
        let error = try #require(throws: JSONProblem.self) { try field(text).integer(.min ... .max) }
        #expect(error.message.hasPrefix("must be a whole number from "))
        #expect(error.message.hasSuffix(", is \(text)"))
    }

    @Test("have digits alone where a format asks for that")
    func digitsOnly() throws {
        #expect(try field("12").integer(0...100, digitsOnly: true) == 12)
        #expect(throws: JSONProblem.self) { try field("12.0").integer(0...100, digitsOnly: true) }
    }

    @Test("A seed may be written so as well, up to 2^53")
    func seeds() throws {
        #expect(try field("1e+05").seed() == 100_000)
        #expect(try field("9.007199254740992e15").seed() == 1 << 53)
        #expect(throws: JSONProblem.self) { try field("9007199254740993.0").seed() }
    }
}
