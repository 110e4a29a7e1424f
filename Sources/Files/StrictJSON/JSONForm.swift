/// How a value of a JSON text is read and how it is written: one description of both ways, so that what was written is
/// read as the same value.
package struct JSONForm<Value> {
    /// Reads the value that stands at a place.
    package let read: (JSONField) throws(JSONProblem) -> Value
    /// What is written for a value.
    package let write: (Value) -> JSONText

    /// Both ways as given.
    package init(
        read: @escaping (JSONField) throws(JSONProblem) -> Value, write: @escaping (Value) -> JSONText
    ) {
        self.read = read
        self.write = write
    }

    /// An object, whose keys `list` goes through.
    ///
    /// - Parameters:
    ///   - wish: what a message says it must be.
    ///   - start: the value before its keys are read.
    package static func object(
        _ wish: String, from start: Value, _ list: @escaping (inout JSONKeys, inout Value) -> Void
    ) -> JSONForm {
        JSONForm(
            read: { field throws(JSONProblem) in
                var value = start
                let members = try field.members(wish, allowed: JSONKeys.names(of: start, list))
                try JSONKeys.read(members, into: &value, list)
                return value
            },
            write: { .object(JSONKeys.members(of: $0, list)) })
    }
}

extension JSONForm<Bool> {
    /// True or false.
    package static var bool: JSONForm {
        JSONForm(read: { field throws(JSONProblem) in try field.bool() }, write: { .bool($0) })
    }
}

extension JSONForm<Int> {
    /// A whole number in a range.
    package static func integer(_ range: ClosedRange<Int>) -> JSONForm {
        JSONForm(read: { field throws(JSONProblem) in try field.integer(range) }, write: { .integer($0) })
    }
}

extension JSONForm<Double> {
    /// A finite number that meets a condition. - Parameter wish: what a message says it must be.
    package static func number(_ wish: String, where condition: @escaping (Double) -> Bool) -> JSONForm {
        JSONForm(
            read: { field throws(JSONProblem) in try field.number(wish, where: condition) }, write: { .number($0) })
    }
}
