import StrictJSON

/// The names and shapes of another program's tensors: all that tells a layout.
struct ForeignShapes {
    /// Whose they are, for messages.
    let origin: String
    /// By name.
    let shapes: [String: [Int]]
    /// Every name, and whatever stands before a point in one.
    private let places: Set<String>

    /// Layers that a list of them may have: more than any network has, and few enough to count.
    private static let mostLayers = 4096
    /// What a length may be: products of a few of these can be counted.
    private static let longest = 1 << 20

    init(origin: String, shapes: [String: [Int]]) {
        (self.origin, self.shapes) = (origin, shapes)
        var places: Set<String> = []
        for name in shapes.keys {
            for index in name.indices where name[index] == "." { places.insert(String(name[..<index])) }
            places.insert(name)
        }
        self.places = places
    }

    func refused(_ message: String) -> ImportError { .badData(origin, message) }

    /// Whether there is a tensor of a name, or with names that go on with a point.
    func has(_ place: String) -> Bool { places.contains(place) }

    /// Numbers that follow a name, as 0 in `input_blocks.0.0.weight` follows `input_blocks`.
    func numbers(after name: String) -> [Int] {
        let start = name + "."
        let numbers = places.lazy.filter { $0.hasPrefix(start) }.compactMap { Int($0.dropFirst(start.count)) }
        return numbers.filter { (0..<Self.mostLayers).contains($0) }.sorted()
    }

    /// The lengths of a tensor's axes. - Throws: if there is no such tensor, or none of so many axes and sizes.
    func shape(of name: String, axes: Int) throws(ImportError) -> [Int] {
        guard let shape = shapes[name] else { throw missing(name) }
        guard shape.count == axes, shape.allSatisfy({ (1...Self.longest).contains($0) }) else {
            throw refused("tensor \"\(name)\": has shape \(shape); must have \(axes) axes, each at least 1 long")
        }
        return shape
    }

    /// What is said of a tensor that is not there.
    ///
    /// - Parameters:
    ///   - shape: what it would have.
    ///   - strangers: names that nothing takes, if these are known.
    func missing(_ name: String, _ shape: [Int]? = nil, among strangers: [String]? = nil) -> ImportError {
        let text = "tensor \"\(name)\"" + (shape.map { " \($0)" } ?? "") + " is missing"
        let others = strangers ?? shapes.keys.sorted()
        return refused(others.isEmpty ? text : text + "; the file has " + Spelling.nearest(to: name, among: others))
    }
}
