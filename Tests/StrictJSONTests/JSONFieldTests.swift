import StrictJSON
import Testing

@Suite("Fields of JSON texts")
struct JSONFieldTests {
    private func field(_ text: String) throws -> JSONField {
        JSONField(node: try JSONParser.parse(Array(text.utf8)), pointer: "")
    }

    @Test("A place is told as a JSON pointer, whose marks are escaped within names")
    func pointer() throws {
        let field = try field(#"{"a/b~c": [0, {"": [1]}]}"#)
        #expect(field.pointer == "")
        let entries = try #require(try field.members("")["a/b~c"]).array("entries")
        #expect(entries.map(\.pointer) == ["/a~1b~0c/0", "/a~1b~0c/1"])
        let inner = try #require(try entries[1].members("")[""]).array("entries")
        #expect(inner.map(\.pointer) == ["/a~1b~0c/1//0"])
    }

    @Test("The entries of a long array don't take room for the long name above them", .timeLimit(.minutes(1)))
    func longName() throws {
        // Each with the name would be a terabyte.
        let name = String(repeating: "n", count: 1_000_000)
        let numbers = Array(repeating: "0", count: 1_000_000).joined(separator: ",")
        let entries = try #require(try field("{\"\(name)\": [\(numbers)]}").members("")[name]).array("numbers")
        #expect(entries.count == 1_000_000)
        #expect(entries.last?.pointer == "/\(name)/999999")
    }
}
