import StrictJSON

/// Reads the arrays of an analytic density: each a number for all coordinates, numbers nested as the axes of a point
/// are, or a file.
struct PointArrayDecoder {
    /// Of the points.
    let shape: PointShape
    /// What files hold, by the place (JSON pointer) that names them.
    private let stored: [String: StoredArray]

    init(shape: PointShape, stored: [String: StoredArray] = [:]) {
        self.shape = shape
        self.stored = stored
    }

    /// A decoder for points of the shape that a model says it has; where it says none, for that of its first array.
    ///
    /// - Parameters:
    ///   - arrays: keys of single arrays.
    ///   - lists: keys of arrays for each component.
    init(
        _ model: JSONMembers, arrays: [String], lists: [String] = [], stored: [String: StoredArray]
    ) throws(JSONProblem) {
        self.stored = stored
        if let field = model["shape"] {
            shape = try PointShape.decode(field)
            return
        }
        let single = arrays.compactMap { model[$0] }.map { Self.lengths(of: $0, stored) }
        let listed = lists.compactMap { model[$0] }.flatMap { list -> [[Int]] in
            guard list.isArray, let entries = try? list.array("arrays") else {
                return [Array(Self.lengths(of: list, stored).dropFirst())]
            }
            return entries.map { Self.lengths(of: $0, stored) }
        }
        guard let lengths = (single + listed).first(where: { !$0.isEmpty }) else {
            throw model.owner.problem(
                "numbers alone do not tell the shape of a point; give one number per dimension somewhere, or add \"shape\", "
                    + "such as [2], or [3, 32, 32] for images")
        }
        guard let shape = PointShape(lengths) else {
            throw model.owner.problem(PointShape.problem(of: lengths) ?? "must have points of some shape")
        }
        self.shape = shape
    }

    /// As deep as first entries go; none for a number.
    private static func lengths(of field: JSONField, _ stored: [String: StoredArray]) -> [Int] {
        if let array = stored[field.pointer] { return array.shape }
        guard case .array(var nodes) = field.node.value else { return [] }
        var lengths = [nodes.count]
        while case .array(let inner)? = nodes.first?.value, lengths.count <= PointShape.mostAxes {
            lengths.append(inner.count)
            nodes = inner
        }
        return lengths
    }

    /// What each number of an array must be.
    struct Rule {
        /// As a message says it.
        let wish: String
        let isMet: @Sendable (Double) -> Bool

        /// For what samples must be able to hold.
        static let coordinate = Rule(wish: "a finite number of at most 3.4e38 in size, as samples are float32") {
            $0.magnitude <= Double(Float.greatestFiniteMagnitude)
        }
        static let deviation = Rule(wish: "a finite number above zero such as 0.03") { $0 > 0 }
    }

    /// An array whose numbers all keep to a rule.
    func array(_ field: JSONField, _ rule: Rule = .coordinate) throws(JSONProblem) -> PointArray {
        if field.isObject {
            let array = try storedArray(field, rule)
            guard array.shape == shape.lengths else {
                throw field.problem("the file has the shape \(array.shape), but points have \(shape)")
            }
            return PointArray(.stored(array, row: nil), shape: shape)
        }
        guard field.isArray || shape.isWrittenOut else {
            return PointArray(.number(try field.number(rule.wish, where: rule.isMet)), shape: shape)
        }
        var numbers: [Double] = []
        numbers.reserveCapacity(shape.dimension)
        if field.isArray {
            try append(field, axis: 0, to: &numbers, rule)
        } else {
            let number = try field.number(rule.wish, where: rule.isMet)
            numbers = [Double](repeating: number, count: shape.dimension)
        }
        return PointArray(.numbers(numbers), shape: shape)
    }

    /// An array for each component, one or more.
    ///
    /// - Parameters:
    ///   - wish: what a message says they are.
    ///   - count: how many there must be.
    func arrays(
        _ field: JSONField, _ wish: String, count: Int? = nil, _ rule: Rule = .coordinate
    ) throws(JSONProblem) -> [PointArray] {
        guard field.isObject else {
            let count = try field.array(wish, count: count).count
            guard count <= ModelDescription.mostNumbers / shape.dimension else {
                throw field.problem(
                    "\(count) components of \(shape.dimension) numbers are too many; at most "
                        + "\(ModelDescription.mostNumbers / shape.dimension) are possible")
            }
            var arrays: [PointArray] = []
            for component in try field.array(wish, count: count) {
                arrays.append(try array(component, rule))
            }
            return arrays
        }
        let array = try storedArray(field, rule)
        guard Array(array.shape.dropFirst()) == shape.lengths, let rows = array.shape.first, rows > 0,
            rows == count ?? rows
        else {
            let expected = [count.map(String.init) ?? "components"] + shape.lengths.map(String.init)
            throw field.problem(
                "the file has the shape \(array.shape); give \(wish), [\(expected.joined(separator: ", "))]")
        }
        return (0..<rows).map { PointArray(.stored(array, row: $0), shape: shape) }
    }

    private func storedArray(_ field: JSONField, _ rule: Rule) throws(JSONProblem) -> StoredArray {
        guard let array = stored[field.pointer] else {
            throw field.problem("no file can be named here; give a number, or an array of the shape \(shape)")
        }
        if let index = array.values.firstIndex(where: { !rule.isMet(Double($0)) }) {
            throw field.problem("number \(index) of the file is \(array.values[index]); it must be \(rule.wish)")
        }
        return array
    }

    private func append(
        _ field: JSONField, axis: Int, to numbers: inout [Double], _ rule: Rule
    ) throws(JSONProblem) {
        let count = shape.lengths[axis]
        guard axis < shape.lengths.count - 1 else {
            let wish = axis == 0 ? "one number per dimension" : "numbers nested as the shape \(shape) is"
            numbers += try field.numbers(wish, count: count, entry: rule.wish, where: rule.isMet)
            return
        }
        for inner in try field.array("numbers nested as the shape \(shape) is", count: count) {
            try append(inner, axis: axis + 1, to: &numbers, rule)
        }
    }
}
