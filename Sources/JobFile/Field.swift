import StrictJSON

/// A value of the job file and the place where it stands, read with a wish for its type.
struct Field {
    let node: JSONNode
    let pointer: String

    func problem(_ message: String) -> JobError.Problem {
        JobError.Problem(line: node.line, pointer: pointer, message: message)
    }

    private func wrong(_ wish: String) -> JobError.Problem {
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

    func string(_ wish: String) throws(JobError.Problem) -> String {
        guard case .string(let text) = node.value else { throw wrong(wish) }
        return text
    }

    func bool() throws(JobError.Problem) -> Bool {
        guard case .bool(let value) = node.value else { throw wrong("true or false") }
        return value
    }

    /// A finite number that meets a condition.
    func number(
        _ wish: String = "a finite number", where condition: (Double) -> Bool = { _ in true }
    ) throws(JobError.Problem) -> Double {
        guard case .number(let text) = node.value, let value = Double(text), value.isFinite, condition(value) else {
            throw wrong(wish)
        }
        return value
    }

    func positive(_ example: String) throws(JobError.Problem) -> Double {
        try number("a finite number above zero such as \(example)") { $0 > 0 }
    }

    func integer(_ range: ClosedRange<Int>) throws(JobError.Problem) -> Int {
        guard case .number(let text) = node.value, let value = Int(text), range.contains(value) else {
            throw wrong("a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func array(_ wish: String, count: Int? = nil) throws(JobError.Problem) -> [Field] {
        guard case .array(let nodes) = node.value else { throw wrong(wish) }
        guard !nodes.isEmpty else { throw problem("must not be empty; give \(wish)") }
        if let count, nodes.count != count {
            throw problem("must have \(count) entries, has \(nodes.count); give \(wish)")
        }
        return nodes.enumerated().map { Field(node: $1, pointer: "\(pointer)/\($0)") }
    }

    func numbers(
        _ wish: String, count: Int? = nil, entry: String = "a finite number",
        where condition: (Double) -> Bool = { _ in true }
    ) throws(JobError.Problem) -> [Double] {
        var values: [Double] = []
        for field in try array(wish, count: count) { values.append(try field.number(entry, where: condition)) }
        return values
    }

    var isArray: Bool {
        if case .array = node.value { true } else { false }
    }

    var isObject: Bool {
        if case .object = node.value { true } else { false }
    }

    var isString: Bool {
        if case .string = node.value { true } else { false }
    }

    /// The members of an object that has none but the named ones.
    func members(_ wish: String, allowed: [String]) throws(JobError.Problem) -> Members {
        let members = try members(wish)
        for name in members.names where !allowed.contains(name) {
            throw members[name]?.problem(
                "no such key here; \(Spelling.suggestion(for: name, among: allowed))") ?? problem("no such key")
        }
        return members
    }

    /// The members of an object, whatever their names.
    func members(_ wish: String) throws(JobError.Problem) -> Members {
        guard case .object(let members) = node.value else { throw wrong(wish) }
        return Members(
            owner: self, names: members.map(\.name),
            fields: Dictionary(
                uniqueKeysWithValues: members.map { member in
                    let escaped = member.name.split(separator: "~", omittingEmptySubsequences: false)
                        .joined(separator: "~0").split(separator: "/", omittingEmptySubsequences: false)
                        .joined(separator: "~1")
                    return (member.name, Field(node: member.node, pointer: "\(pointer)/\(escaped)"))
                }))
    }
}

/// The members of an object.
struct Members {
    let owner: Field
    /// In the order of the file.
    let names: [String]
    fileprivate let fields: [String: Field]

    subscript(_ name: String) -> Field? { fields[name] }

    func required(_ name: String, _ wish: String) throws(JobError.Problem) -> Field {
        guard let field = fields[name] else { throw owner.problem("\"\(name)\" is missing; give \(wish)") }
        return field
    }
}

extension JobError.Problem: Error {}
