/// A value of a JSON text together with the line that it begins on.
package struct JSONNode: Sendable, Equatable {
    /// Counted from 1.
    package let line: Int
    /// What stands there.
    package let value: JSONValue
}

/// What a JSON text says.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// The number's own text: what it means, and whether it fits, is for the reader of the field.
    case number(String)
    case string(String)
    case array([JSONNode])
    /// Members in the order of the text; no name occurs twice.
    case object([JSONMember])

    /// The kind of value, as a sentence would call it.
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool: "true or false"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// One member of an object.
package struct JSONMember: Sendable, Equatable {
    /// The name, escapes resolved.
    package let name: String
    /// What it names.
    package let node: JSONNode
}

/// A text is not JSON.
package struct JSONSyntaxError: Error, Sendable, Equatable {
    /// Counted from 1.
    package let line: Int
    /// In bytes, counted from 1.
    package let column: Int
    /// What is wrong.
    package let message: String
}
