/// A value of a JSON text and the place where it stands, read with a wish for its type.
package struct JSONField: Sendable {
    /// The value.
    package let node: JSONNode
    private let place: JSONPlace

    /// Where it stands, as a JSON pointer (RFC 6901); empty for the whole.
    package var pointer: String { place.pointer }

    /// The value at a place of the text.
    package init(node: JSONNode, pointer: String) { self.init(node, .known(pointer)) }

    private init(_ node: JSONNode, _ place: JSONPlace) { (self.node, self.place) = (node, place) }

    /// Says what is wrong here and what to write instead.
    package func problem(_ message: String) -> JSONProblem {
        JSONProblem(line: node.line, pointer: pointer, message: message)
    }

    private func wrong(_ wish: String) -> JSONProblem {
        problem("must be \(wish), is \(shown)")
    }

    private var shown: String {
        switch node.value {
        case .number(let text): text
        case .string(let text): "\"\(text)\""
        case .bool(let value): value ? "true" : "false"
        default: node.value.kind
        }
    }

    /// A string. - Parameter wish: what a message says it must be.
    package func string(_ wish: String) throws(JSONProblem) -> String {
        guard case .string(let text) = node.value else { throw wrong(wish) }
        return text
    }

    /// One of some names. - Parameter what: what a message calls them.
    package func choice(_ names: [String], _ what: String) throws(JSONProblem) -> String {
        let name = try string("one of \(names)")
        guard names.contains(name) else {
            throw problem("no \(what) \"\(name)\"; \(Spelling.suggestion(for: name, among: names))")
        }
        return name
    }

    /// One of the names of an enumeration. - Parameter what: what a message calls them.
    package func choice<Name: RawRepresentable<String> & CaseIterable>(
        _ type: Name.Type, _ what: String
    ) throws(JSONProblem) -> Name {
        let name = try choice(type.allCases.map(\.rawValue), what)
        guard let value = Name(rawValue: name) else { throw problem("no \(what) \"\(name)\"") }
        return value
    }

    /// True or false.
    package func bool() throws(JSONProblem) -> Bool {
        guard case .bool(let value) = node.value else { throw wrong("true or false") }
        return value
    }

    /// A finite number that meets a condition.
    package func number(
        _ wish: String = "a finite number", where condition: (Double) -> Bool = { _ in true }
    ) throws(JSONProblem) -> Double {
        guard case .number(let text) = node.value, let value = Double(text), value.isFinite, condition(value) else {
            throw wrong(wish)
        }
        return value
    }

    /// A finite number above zero.
    package func positive(_ example: String) throws(JSONProblem) -> Double {
        try number("a finite number above zero such as \(example)") { $0 > 0 }
    }

    /// A whole number in a range; `1e+05` and `200.0` are whole numbers too.
    /// - Parameter digitsOnly: whether it must be written without point and exponent.
    package func integer(_ range: ClosedRange<Int>, digitsOnly: Bool = false) throws(JSONProblem) -> Int {
        guard case .number(let text) = node.value, let value = digitsOnly ? Int(text) : WholeNumber.integer(text),
            range.contains(value)
        else { throw wrong("a whole number from \(range.lowerBound) to \(range.upperBound)") }
        return value
    }

    /// A seed: a number up to 2^53, which JSON readers keep exact, or any of 64 bits as a decimal string.
    package func seed() throws(JSONProblem) -> UInt64 {
        if case .string(let text) = node.value {
            guard let seed = UInt64(text), String(seed) == text else {
                throw problem("must be a decimal number from 0 to 18446744073709551615, is \"\(text)\"")
            }
            return seed
        }
        do {
            return UInt64(try integer(0...1 << 53))
        } catch {
            throw problem(error.message + ", or a larger one as a decimal string")
        }
    }

    /// The entries of an array that is not empty.
    package func array(_ wish: String, count: Int? = nil) throws(JSONProblem) -> [JSONField] {
        guard case .array(let nodes) = node.value else { throw wrong(wish) }
        guard !nodes.isEmpty else { throw problem("must not be empty; give \(wish)") }
        if let count, nodes.count != count {
            throw problem("must have \(count) entries, has \(nodes.count); give \(wish)")
        }
        return nodes.enumerated().map { JSONField($1, .entry($0, of: place)) }
    }

    /// An array of finite numbers that each meet a condition.
    package func numbers(
        _ wish: String, count: Int? = nil, entry: String = "a finite number",
        where condition: (Double) -> Bool = { _ in true }
    ) throws(JSONProblem) -> [Double] {
        var values: [Double] = []
        for field in try array(wish, count: count) { values.append(try field.number(entry, where: condition)) }
        return values
    }

    /// Whether an array stands here.
    package var isArray: Bool {
        if case .array = node.value { true } else { false }
    }

    /// Whether an object stands here.
    package var isObject: Bool {
        if case .object = node.value { true } else { false }
    }

    /// Whether a string stands here.
    package var isString: Bool {
        if case .string = node.value { true } else { false }
    }

    /// What members of members lead to, name by name; where one is missing, what the names before it lead to.
    package func nearest(to names: [String]) -> JSONField {
        guard let name = names.first, let member = try? members("an object")[name] else { return self }
        return member.nearest(to: Array(names.dropFirst()))
    }

    /// The members of an object that has none but the named ones.
    package func members(_ wish: String, allowed: [String]) throws(JSONProblem) -> JSONMembers {
        let members = try members(wish)
        for name in members.names where !allowed.contains(name) {
            throw members[name]?.problem(
                "no such key here; \(Spelling.suggestion(for: name, among: allowed))") ?? problem("no such key")
        }
        return members
    }

    /// The members of an object, whatever their names.
    package func members(_ wish: String) throws(JSONProblem) -> JSONMembers {
        guard case .object(let members) = node.value else { throw wrong(wish) }
        return JSONMembers(
            owner: self, names: members.map(\.name),
            fields: Dictionary(
                uniqueKeysWithValues: members.map { ($0.name, JSONField($0.node, .member($0.name, of: place))) }))
    }
}

/// The members of an object.
package struct JSONMembers: Sendable {
    /// The object itself.
    package let owner: JSONField
    /// In the order of the file.
    package let names: [String]
    fileprivate let fields: [String: JSONField]

    /// The member of a name, if there is one.
    package subscript(_ name: String) -> JSONField? { fields[name] }

    /// The member of a name that must be there.
    package func required(_ name: String, _ wish: String) throws(JSONProblem) -> JSONField {
        guard let field = fields[name] else { throw owner.problem("\"\(name)\" is missing; give \(wish)") }
        return field
    }
}

/// Where a value stands. The text of it is made when it is asked for: those of a long array repeat every name above it, and a
/// name may be long too.
private indirect enum JSONPlace: Sendable {
    case known(String)
    case member(String, of: JSONPlace)
    case entry(Int, of: JSONPlace)

    var pointer: String {
        switch self {
        case .known(let pointer): return pointer
        case .entry(let index, let owner): return "\(owner.pointer)/\(index)"
        case .member(let name, let owner):
            let escaped = name.split(separator: "~", omittingEmptySubsequences: false)
                .joined(separator: "~0").split(separator: "/", omittingEmptySubsequences: false)
                .joined(separator: "~1")
            return "\(owner.pointer)/\(escaped)"
        }
    }
}
