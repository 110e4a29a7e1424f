import EnergyModels
import StrictJSON
import Testing

@Suite("Shape of a point")
struct PointShapeTests {
    @Test("It has as many coordinates as the product of its lengths")
    func dimension() {
        #expect(PointShape([3, 32, 32])?.dimension == 3_072)
        #expect(PointShape([PointShape.mostCoordinates])?.dimension == PointShape.mostCoordinates)
        #expect(PointShape(dimension: 2) == PointShape([2]))
        #expect(PointShape([6]) != PointShape([2, 3]))
        #expect(PointShape([3, 32, 32])?.description == "[3, 32, 32]")
    }

    @Test(
        "What is no shape is none, and why is said",
        arguments: [
            ([], "no axis"), ([0], "length 0"), ([3, -1], "length -1"), ([1, 1, 1, 1, 1, 1, 1, 1, 1], "9 axes"),
            ([PointShape.mostCoordinates + 1], "more than 4194304"), ([.max, .max, 2], "more than 4194304"),
        ] as [([Int], String)])
    func noShape(lengths: [Int], reason: String) {
        #expect(PointShape(lengths) == nil)
        #expect(PointShape.problem(of: lengths)?.contains(reason) == true)
    }

    @Test(
        "Its text is read as it is written, and anything else is refused",
        arguments: [
            ("[3, 32, 32]", [3, 32, 32]), ("[2]", [2]), ("[]", nil), ("3", nil), ("[3, 0]", nil), ("[2.5]", nil),
            ("[4194305]", nil), ("[2048, 4096]", nil), ("[\"3\"]", nil),
        ] as [(String, [Int]?)])
    func text(text: String, lengths: [Int]?) throws {
        let field = JSONField(node: try JSONParser.parse(Array(text.utf8)), pointer: "/shape")
        #expect((try? PointShape.decode(field))?.lengths == lengths)
    }
}
