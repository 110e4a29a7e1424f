import Composition
import EnergyModels
import StrictJSON

extension TargetDecoder {
    /// Coordinates that the canvases of a target, and its windows on them, have together at most.
    private static let mostTapestryNumbers = 2 * PointShape.mostCoordinates

    /// Reads `{"tapestry": {"size": [3, 64, 64], "windows": [{"of": e, "at": [0, 32], "scale": 1}], "combine": "product"}}`.
    mutating func tapestry(
        _ field: JSONField, _ inner: JSONField, _ sign: Int, _ depth: Int
    ) throws(JSONProblem) -> TargetExpression {
        _ = try field.members("a tapestry", allowed: ["tapestry"])
        let members = try inner.members(
            "{\"size\": …, \"windows\": […], \"combine\": …}", allowed: ["size", "wrap", "windows", "combine"])
        let size = try members.required("size", "the shape of the canvas, such as [3, 64, 64]")
        let canvas = try PointShape.decode(size)
        guard canvas.lengths.count == 3 else {
            throw size.problem(
                "must be the shape of a picture, [channels, height, width], such as [3, 64, 64], is \(canvas)")
        }
        try count(canvas.dimension, size)
        let combination =
            try members["combine"]?.choice(Tapestry.Combination.self, "way to combine windows") ?? .product
        let wraps = try members["wrap"]?.bool() ?? false
        let list = try members.required("windows", "an array of windows, {\"of\": …, \"at\": [row, column]}")
        var windows: [(of: TargetExpression, place: Tapestry.Placement, weight: Double?)] = []
        for entry in try list.array("at least one window, {\"of\": …, \"at\": [row, column]}") {
            windows.append(try window(entry, on: canvas, wraps: wraps, combination, sign, depth))
        }
        if let pixel = Tapestry.uncovered(by: windows.map(\.place), on: canvas) {
            throw list.problem(
                "the pixel in row \(pixel.row), column \(pixel.column) is shown by no window, so that nothing would hold it; "
                    + "add a window there, or make the canvas smaller")
        }
        return .tapestry(Tapestry(canvas: canvas, wraps: wraps, windows: windows, combination))
    }

    private mutating func window(
        _ field: JSONField, on canvas: PointShape, wraps: Bool, _ combination: Tapestry.Combination, _ sign: Int,
        _ depth: Int
    ) throws(JSONProblem) -> (of: TargetExpression, place: Tapestry.Placement, weight: Double?) {
        let members = try field.members(
            "a window, {\"of\": …, \"at\": [row, column], \"scale\": 1}", allowed: ["of", "at", "scale", "weight"])
        let ofField = try members.required("of", "what the window's part of the canvas is shown to")
        let of = try expression(ofField, sign: sign, depth: depth + 1)
        guard let shape = shape(of: of) else { throw field.problem("there is no model to show a part to") }
        guard shape.lengths.count == 3, shape.lengths[0] == canvas.lengths[0] else {
            throw ofField.problem(
                "has points of the shape \(shape), but a window on a canvas of the shape \(canvas) shows pictures, "
                    + "[\(canvas.lengths[0]), height, width]")
        }
        let place = try placement(members, of: shape, on: canvas, wraps: wraps)
        try count(shape.dimension * (combination == .product ? 1 : place.scale * place.scale), field)
        guard let weight = members["weight"] else { return (of, place, nil) }
        guard combination == .product else {
            throw weight.problem("an average weighs pixels by how deep they lie in a window; leave it out")
        }
        return (of, place, try weight.positive("0.5"))
    }

    private func placement(
        _ members: JSONMembers, of shape: PointShape, on canvas: PointShape, wraps: Bool
    ) throws(JSONProblem) -> Tapestry.Placement {
        let wish = "row and column of the window's first pixel, such as [0, 32]"
        let at = try members.required("at", wish)
        let corner = try at.array(wish)
        guard corner.count == 2 else { throw at.problem("must be \(wish)") }
        let place = Tapestry.Placement(
            shape: shape, row: try corner[0].integer(0...canvas.lengths[1] - 1),
            column: try corner[1].integer(0...canvas.lengths[2] - 1),
            scale: try members["scale"]?.integer(1...PointShape.mostCoordinates) ?? 1)
        guard place.fits(on: canvas, wrapping: wraps) else {
            let (rows, columns) = (shape.lengths[1] * place.scale, shape.lengths[2] * place.scale)
            let room = (canvas.lengths[1] - rows, canvas.lengths[2] - columns)
            throw at.problem(
                "a window of \(rows) x \(columns) pixels that begins at [\(place.row), \(place.column)] ends beyond the "
                    + "canvas of \(canvas.lengths[1]) x \(canvas.lengths[2]); "
                    + (min(room.0, room.1) < 0
                        ? "make the canvas larger, or the scale smaller"
                        : "let it begin at most at [\(room.0), \(room.1)], or write \"wrap\": true to go on at the opposite edge")
            )
        }
        return place
    }

    private mutating func count(_ numbers: Int, _ field: JSONField) throws(JSONProblem) {
        tapestryNumbers += numbers
        guard tapestryNumbers <= Self.mostTapestryNumbers else {
            throw field.problem(
                "with it the canvases and windows of the target have \(tapestryNumbers) numbers; at most "
                    + "\(Self.mostTapestryNumbers) are possible")
        }
    }
}
