/// A JSON value to be written. The same value gives the same bytes everywhere.
package indirect enum JSONText: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int)
    /// Written as the shortest text that reads back the same; not finite becomes null.
    case number(Double)
    case string(String)
    case array([JSONText])
    case object([(String, JSONText)])

    /// An array of numbers.
    package static func numbers(_ values: [Double]) -> JSONText { .array(values.map { .number($0) }) }

    /// Whether two values have the same canonical text.
    package static func == (a: JSONText, b: JSONText) -> Bool { a.canonical == b.canonical }

    /// Names sorted by their bytes, no white space.
    package var canonical: String { text(sorted: true, indentation: nil) }

    /// Names in their own order, two spaces of indentation, arrays of plain values on one line.
    package var pretty: String { text(sorted: false, indentation: 0) + "\n" }

    private func text(sorted: Bool, indentation: Int?) -> String {
        switch self {
        case .null: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .integer(let value): return String(value)
        case .number(let value): return Self.text(of: value)
        case .string(let value): return Self.quoted(value)
        case .array(let elements):
            let plain = elements.allSatisfy(\.isPlain)
            let inner = plain ? nil : indentation.map { $0 + 1 }
            let texts = elements.map { $0.text(sorted: sorted, indentation: inner) }
            return Self.wrapped("[", texts, "]", indentation: plain ? nil : indentation, gap: indentation != nil)
        case .object(let members):
            let ordered =
                sorted ? members.sorted { Array($0.0.utf8).lexicographicallyPrecedes(Array($1.0.utf8)) } : members
            let colon = indentation == nil ? ":" : ": "
            let texts = ordered.map {
                Self.quoted($0.0) + colon + $0.1.text(sorted: sorted, indentation: indentation.map { $0 + 1 })
            }
            return Self.wrapped("{", texts, "}", indentation: indentation, gap: indentation != nil)
        }
    }

    private var isPlain: Bool {
        switch self {
        case .array, .object: false
        default: true
        }
    }

    private static func wrapped(
        _ open: String, _ texts: [String], _ close: String, indentation: Int?, gap: Bool
    ) -> String {
        guard let indentation, !texts.isEmpty else {
            return open + texts.joined(separator: gap ? ", " : ",") + close
        }
        let outer = String(repeating: "  ", count: indentation)
        return open + "\n" + texts.map { outer + "  " + $0 }.joined(separator: ",\n") + "\n" + outer + close
    }

    private static func text(of value: Double) -> String {
        guard value.isFinite else { return "null" }
        if value == value.rounded(), value.magnitude < 9_007_199_254_740_992 { return String(Int64(value)) }
        return value.description
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case "\r": quoted += "\\r"
            case "\u{0}"..<"\u{20}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
