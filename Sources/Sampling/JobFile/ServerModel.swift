package import EnergyModels
package import StrictJSON

/// What a job says of a model that a server beside the worker evaluates: the server by its name, never by where it is or
/// what starts it, which is the matter of those who run workers.
package struct ServerModel: Sendable, Equatable {
    /// What a server tells of points.
    package enum Gives: String, Sendable, CaseIterable {
        /// The energy -log p and its gradient.
        case energy
        /// The gradient of log p alone.
        case score
    }

    /// Lower-case letters, digits and hyphens.
    package let name: String
    /// The shape of a point.
    package let shape: PointShape
    /// What the server gives.
    package let gives: Gives
    /// An object of what the server is to condition the model on; empty for nothing.
    package let condition: JSONText

    /// The keys of the condition.
    package var conditionNames: [String] {
        if case .object(let members) = condition { members.map(\.0) } else { [] }
    }

    /// The longest canonical text of a condition, in bytes.
    private static let longestCondition = 65_536

    /// Reads `{"kind": "server", "server": "sd", "shape": [4, 64, 64], "gives": "score", "condition": {…}}`.
    static func decode(_ field: JSONField) throws(JSONProblem) -> ServerModel {
        let members = try field.members(
            "a model with a server", allowed: ["kind", "server", "shape", "gives", "condition"])
        let wish = "the name of a server, of lower-case letters, digits and hyphens, at most 64"
        let nameField = try members.required("server", wish)
        let name = try nameField.string(wish)
        let isName = name.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D
        }
        guard isName, !name.isEmpty, name.utf8.count <= 64 else {
            throw nameField.problem(
                "must be \(wish), is \"\(name)\"; what starts it and where it listens is for rrr-worker --server to say"
            )
        }
        let shape = try PointShape.decode(try members.required("shape", "the shape of a point, such as [3, 32, 32]"))
        let gives = try members.required("gives", "\"energy\" or \"score\"").choice(Gives.self, "thing to give")
        return ServerModel(
            name: name, shape: shape, gives: gives, condition: try condition(members["condition"]))
    }

    private static func condition(_ field: JSONField?) throws(JSONProblem) -> JSONText {
        guard let field else { return .object([]) }
        let members = try field.members("an object of conditions, such as {\"prompt\": \"a horse\"}")
        var values: [(String, JSONText)] = []
        for name in members.names {
            if let member = members[name] { values.append((name, try value(member))) }
        }
        let condition = JSONText.object(values)
        guard condition.canonical.utf8.count <= longestCondition else {
            throw field.problem("is longer than \(longestCondition) bytes; give the server what it needs by a name")
        }
        return condition
    }

    /// A string, a number, true or false, or an array of numbers.
    private static func value(_ field: JSONField) throws(JSONProblem) -> JSONText {
        switch field.node.value {
        case .string(let text): .string(text)
        case .bool(let value): .bool(value)
        case .array: .numbers(try field.numbers("numbers"))
        default: .number(try field.number("a string, a number, true or false, or an array of numbers"))
        }
    }
}

/// A server that nobody offers where a job is planned.
package struct NoServer: Error, Equatable, CustomStringConvertible {
    /// What the job calls it.
    package let name: String

    /// With that name.
    package init(name: String) { self.name = name }

    /// What is wrong, in one line.
    package var description: String { "there is no model server \"\(name)\" here" }
}
