import EnergyModels

extension Tapestry {
    /// The mean over the pixels of the canvas of how much of the models' log densities adds up there; of a mean of scores
    /// that of the windows, by their size.
    var totalWeight: Double {
        switch combination {
        case .product:
            return windows.reduce(0) {
                $0 + $1.weight * $1.of.totalWeight * Double($1.place.shape.dimension) / Double(canvas.dimension)
            }
        case .average:
            func area(_ window: Window) -> Double {
                Double(window.place.shape.dimension * window.place.scale * window.place.scale)
            }
            return windows.reduce(0) { $0 + $1.of.totalWeight * area($1) } / windows.reduce(0) { $0 + area($1) }
        }
    }

    /// The tail, from those of models at the same noise level; nil if it has density within bounds alone.
    ///
    /// What windows with correlations do in directions between the axes of the canvas is left open. Where a window has
    /// bounds, it falls faster than any form along all that it shows.
    func tail(of models: [String: TailForm]) -> TailForm? {
        let windowed = windows.map { (form: $0.of.tail(of: models), window: $0) }
        guard windowed.contains(where: { $0.form != nil }) else { return nil }
        var alongAxes = [Double](repeating: 0, count: canvas.dimension)
        var sizes = alongAxes
        var isBounded = [Bool](repeating: false, count: canvas.dimension)
        for (form, window) in windowed {
            for (axis, coordinate) in window.place.view(on: canvas).coordinates.enumerated() {
                guard let form else {
                    isBounded[Int(coordinate)] = true
                    continue
                }
                alongAxes[Int(coordinate)] += window.weight * form.alongAxes[axis]
                sizes[Int(coordinate)] += window.weight * form.sizes[axis]
            }
        }
        for axis in isBounded.indices where isBounded[axis] { (alongAxes[axis], sizes[axis]) = (1, 1) }
        return TailForm(
            alongAxes: alongAxes, sizes: sizes,
            isQuadratic: windowed.allSatisfy { $0.form?.isQuadratic ?? true && $0.form?.matrix == nil })
    }
}
