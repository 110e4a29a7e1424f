import StrictJSON
import Testing

private struct Journey: Equatable {
    var steps = 0
    var rest = 0
    var isQuick = false
    var stops: [Int]?

    static var form: JSONForm<Journey> {
        .object("a journey", from: Journey()) { keys, journey in
            keys.key("steps", &journey.steps, .integer(1...9), required: "how many steps, such as 3")
            keys.key("rest", &journey.rest, .integer(0...9), default: journey.steps)
            keys.key("quick", &journey.isQuick, .bool, leftOut: false)
            keys.key("stops", &journey.stops, stops(most: journey.steps))
        }
    }

    private static func stops(most: Int) -> JSONForm<[Int]> {
        JSONForm(
            read: { field throws(JSONProblem) in
                var stops: [Int] = []
                for entry in try field.array("stops") { stops.append(try entry.integer(0...most)) }
                return stops
            },
            write: { .array($0.map { .integer($0) }) })
    }

    static func read(_ text: String) throws -> Journey {
        try form.read(JSONField(node: try JSONParser.parse(Array(text.utf8)), pointer: ""))
    }
}

@Suite("Keys of an object")
struct JSONKeysTests {
    @Test(
        "What is written is read as the same value",
        arguments: [
            Journey(steps: 1, rest: 0), Journey(steps: 9, rest: 3, isQuick: true),
            Journey(steps: 3, rest: 3, stops: [0, 3]), Journey(steps: 2, rest: 2, isQuick: true, stops: [1]),
        ])
    fileprivate func roundTrip(journey: Journey) throws {
        #expect(try Journey.read(Journey.form.write(journey).canonical) == journey)
    }

    @Test("A default is written, unless it is to be left out, and may be what an earlier key says")
    func defaults() throws {
        let journey = try Journey.read(#"{"steps": 4}"#)
        #expect(journey == Journey(steps: 4, rest: 4))
        #expect(Journey.form.write(journey).canonical == #"{"rest":4,"steps":4}"#)
    }

    @Test(
        "The first thing that is wrong is told",
        arguments: [
            (#"{"rest": 12}"#, "", #""steps" is missing; give how many steps, such as 3"#),
            (#"{"steps": 0, "rest": 12}"#, "/steps", "must be a whole number from 1 to 9, is 0"),
            (#"{"steps": 2, "stops": [0, 3]}"#, "/stops/1", "must be a whole number from 0 to 2, is 3"),
            (#"{"steps": 0, "quik": true}"#, "/quik", #"no such key here; did you mean "quick"?"#),
            ("[]", "", "must be a journey, is an array"),
        ])
    func problems(text: String, pointer: String, message: String) {
        let problem = #expect(throws: JSONProblem.self) { try Journey.read(text) }
        #expect(problem?.pointer == pointer)
        #expect(problem?.message.hasPrefix(message) == true, "\(problem?.message ?? "")")
    }
}
