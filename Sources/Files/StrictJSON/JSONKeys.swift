/// A way through the keys of an object, for which a function names each key once: how its value is read and written,
/// and what it is where the key is missing.
///
/// ```swift
/// func list(_ keys: inout JSONKeys, _ point: inout Point) {
///     keys.key("x", &point.x, .integer(0...9), required: "a number of steps, such as 3")
///     keys.key("y", &point.y, .integer(0...9), default: 0)
/// }
/// ```
///
/// The same function then reads an object, writes one, and tells which keys it may have. While it reads, a key can
/// depend on those before it.
package struct JSONKeys {
    /// What is read; nil while a value is written.
    private let given: JSONMembers?
    /// The first thing that was wrong; the keys after it are left unread.
    private var problem: JSONProblem?
    private var names: [String] = []
    private var written: [(String, JSONText)] = []

    private init(reading given: JSONMembers?) { self.given = given }

    /// A key that must be there. - Parameter wish: what to give, for a message.
    package mutating func key<Value>(
        _ name: String, _ value: inout Value, _ form: JSONForm<Value>, required wish: String
    ) {
        pass(name, &value, form.read, ifMissing: nil, wish) { form.write($0) }
    }

    /// A key with a default, which is written too.
    package mutating func key<Value>(
        _ name: String, _ value: inout Value, _ form: JSONForm<Value>, default usual: Value
    ) {
        pass(name, &value, form.read, ifMissing: usual) { form.write($0) }
    }

    /// A key that is left out where it has its default, so that texts from before it was known stay as they are.
    package mutating func key<Value: Equatable>(
        _ name: String, _ value: inout Value, _ form: JSONForm<Value>, leftOut usual: Value
    ) {
        pass(name, &value, form.read, ifMissing: usual) { $0 == usual ? nil : form.write($0) }
    }

    /// A key that is left out where there is no value.
    package mutating func key<Value>(_ name: String, _ value: inout Value?, _ form: JSONForm<Value>) {
        pass(name, &value, { field throws(JSONProblem) in try form.read(field) }, ifMissing: .some(nil)) {
            $0.map(form.write)
        }
    }

    /// A key that was read before the others and decides which they are.
    package mutating func key(_ name: String, known text: String) {
        names.append(name)
        written.append((name, .string(text)))
    }

    private mutating func pass<Value>(
        _ name: String, _ value: inout Value, _ read: (JSONField) throws(JSONProblem) -> Value,
        ifMissing usual: Value?, _ wish: String = "", _ write: (Value) -> JSONText?
    ) {
        names.append(name)
        guard let given else {
            if let text = write(value) { written.append((name, text)) }
            return
        }
        guard problem == nil else { return }
        do throws(JSONProblem) {
            if let usual, given[name] == nil {
                value = usual
            } else {
                value = try read(try given.required(name, wish))
            }
        } catch {
            problem = error
        }
    }
}

extension JSONKeys {
    /// A function that goes through the keys of a value.
    package typealias List<Value> = (inout JSONKeys, inout Value) -> Void

    /// The keys that an object may have, for a value of its kind.
    package static func names<Value>(of value: Value, _ list: List<Value>) -> [String] {
        written(value, list).names
    }

    /// The members of an object that says the value.
    package static func members<Value>(of value: Value, _ list: List<Value>) -> [(String, JSONText)] {
        written(value, list).written
    }

    private static func written<Value>(_ value: Value, _ list: List<Value>) -> JSONKeys {
        var (keys, value) = (JSONKeys(reading: nil), value)
        list(&keys, &value)
        return keys
    }

    /// Reads an object into a value of its kind.
    package static func read<Value>(
        _ members: JSONMembers, into value: inout Value, _ list: List<Value>
    ) throws(JSONProblem) {
        var keys = JSONKeys(reading: members)
        list(&keys, &value)
        if let problem = keys.problem { throw problem }
    }
}
