/// Reads an object section by section, so that one reading names what is wrong in each.
package protocol JSONSectionDecoder {
    /// What was wrong so far.
    var problems: [JSONProblem] { get set }
}

extension JSONSectionDecoder {
    /// Reads a section. - Returns: nil if it is wrong, which is then among the problems.
    package mutating func attempt<Section>(_ read: () throws(JSONProblem) -> Section) -> Section? {
        do {
            return try read()
        } catch {
            problems.append(error)
            return nil
        }
    }

    /// Takes members of other names than the known ones for problems; the first few say enough.
    package mutating func refuseMembers(of object: JSONMembers, beside known: [String]) {
        for name in object.names.filter({ !known.contains($0) }).prefix(16) {
            if let field = object[name] {
                problems.append(field.problem("no such key; \(Spelling.suggestion(for: name, among: known))"))
            }
        }
    }
}
