import EnergyModels
package import VectorMath

/// A closed box outside of which a composition has no density; along some axes it may have no end.
package struct Bounds: Sendable, Equatable {
    /// Corners [d].
    package let low: [Double]
    /// The upper corner [d].
    package let high: [Double]

    /// A box with corners [d]; it may turn out empty.
    package init(low: [Double], high: [Double]) {
        self.low = low
        self.high = high
    }

    /// Whether the box holds no open set of points.
    package var isEmpty: Bool { zip(low, high).contains { $0 >= $1 } }

    /// The first axis along which no float32 lies within the box; nil if there is one along each.
    package var axisWithoutFloats: Int? {
        low.indices.first { axis in
            let nearest = Float(low[axis])
            let least = Double(nearest) < low[axis] ? nearest.nextUp : nearest
            return Double(least) > high[axis]
        }
    }

    /// The box of points that lie in both.
    package func intersection(_ other: Bounds) -> Bounds {
        Bounds(low: zip(low, other.low).map(max), high: zip(high, other.high).map(min))
    }

    /// The smallest box that holds both.
    package func hull(_ other: Bounds) -> Bounds {
        Bounds(low: zip(low, other.low).map(min), high: zip(high, other.high).map(max))
    }

    /// Folds points [d][lanes] into the box by reflection at its walls. A momentum turns around along
    /// each axis on which its point was reflected an odd number of times.
    package func fold(_ position: inout LaneMatrix, momentum: inout LaneMatrix) {
        for row in 0..<position.rows {
            let (low, high) = (low[row], high[row])
            let width = high - low
            for lane in 0..<position.lanes {
                let x = position[row, lane]
                guard x.isFinite, x < low || x > high else { continue }
                // The place within a period of two widths: out along the first, back along the second.
                let periods = (x - low) / (2 * width)
                let place = (periods - periods.rounded(.down)) * 2
                let folded = place > 1 ? 2 - place : place
                position[row, lane] = min(max(low + width * folded, low), high)
                if place > 1 { momentum[row, lane] = -momentum[row, lane] }
            }
        }
    }
}

extension TargetExpression {
    /// The box outside of which the composition's log density is minus infinity; nil if there is none.
    ///
    /// For a mixture of bounded components it is their hull, between whose boxes there may be none either.
    package var bounds: Bounds? { bounds(ofModels: [:]) }

    /// The same where models have bounds of their own, as a uniform box has without noise.
    package func bounds(ofModels models: [String: Bounds]) -> Bounds? {
        switch self {
        case .leaf(let name):
            return models[name]
        case .product(let factors, let weights):
            // A factor of weight zero does not count, and neither do its bounds.
            return zip(factors, weights).filter { $0.1 != 0 }.compactMap { $0.0.bounds(ofModels: models) }.reduce(nil) {
                $0?.intersection($1) ?? $1
            }
        case .mixture(let components, _, _), .sharpenedMixture(let components, _, _):
            let all = components.compactMap { $0.bounds(ofModels: models) }
            guard all.count == components.count else { return nil }
            return all.reduce(nil) { $0?.hull($1) ?? $1 }
        case .negation(let of, _, _), .classifier(let of, _, _, _), .tempered(let of, _):
            return of.bounds(ofModels: models)
        case .guidance(let unconditional, let conditional, let scale):
            return TargetExpression.product(
                [unconditional] + conditional,
                weights: [1 - scale * Double(conditional.count)] + conditional.map { _ in scale }
            ).bounds(ofModels: models)
        case .bounded(let of, let low, let high):
            let box = Bounds(low: low.values, high: high.values)
            return of.bounds(ofModels: models)?.intersection(box) ?? box
        case .tapestry(let tapestry):
            return Bounds(tapestry.canvas, tapestry.windows.map { ($0.of.bounds(ofModels: models), $0.place) })
        }
    }

    /// All boxes in it, where models have bounds of their own those among them; what has a weight of zero does not count.
    package func boxes(ofModels models: [String: Bounds]) -> [Bounds] {
        switch self {
        case .leaf(let name): models[name].map { [$0] } ?? []
        case .product(let factors, let weights):
            zip(factors, weights).filter { $0.1 != 0 }.flatMap { $0.0.boxes(ofModels: models) }
        case .bounded(let of, let low, let high):
            of.boxes(ofModels: models) + [Bounds(low: low.values, high: high.values)]
        case .tapestry(let tapestry):
            tapestry.windows.flatMap { window in
                window.of.boxes(ofModels: models).compactMap { Bounds(tapestry.canvas, [($0, window.place)]) }
            }
        default: parts.flatMap { $0.boxes(ofModels: models) }
        }
    }

    /// Whether a mixture has a bounded part: at its walls the log density jumps by a finite amount, of which the
    /// score tells nothing.
    package var hasBoundsWithinMixture: Bool { hasBoundsWithinMixture(ofModels: [:]) }

    /// The same where models have bounds of their own.
    package func hasBoundsWithinMixture(ofModels models: [String: Bounds]) -> Bool {
        switch self {
        case .leaf: false
        case .product(let parts, _): parts.contains { $0.hasBoundsWithinMixture(ofModels: models) }
        case .mixture(let components, _, _), .sharpenedMixture(let components, _, _):
            components.contains {
                $0.bounds(ofModels: models) != nil || $0.hasBoundsWithinMixture(ofModels: models)
            }
        case .negation(let of, let by, _): [of, by].contains { $0.hasBoundsWithinMixture(ofModels: models) }
        case .guidance(let unconditional, let conditional, _):
            ([unconditional] + conditional).contains { $0.hasBoundsWithinMixture(ofModels: models) }
        case .classifier(let of, _, _, _), .tempered(let of, _), .bounded(let of, _, _):
            of.hasBoundsWithinMixture(ofModels: models)
        case .tapestry(let tapestry):
            tapestry.windows.contains { $0.of.hasBoundsWithinMixture(ofModels: models) }
        }
    }
}

extension Bounds {
    /// The box of a canvas whose windows show points within boxes; without end along axes that no such window shows. Nil if
    /// none does.
    fileprivate init?(_ canvas: PointShape, _ windows: [(box: Bounds?, place: Tapestry.Placement)]) {
        guard windows.contains(where: { $0.box != nil }) else { return nil }
        var low = [Double](repeating: -.infinity, count: canvas.dimension)
        var high = [Double](repeating: .infinity, count: canvas.dimension)
        for (box, place) in windows {
            guard let box else { continue }
            for (axis, coordinate) in place.view(on: canvas).coordinates.enumerated() {
                low[Int(coordinate)] = max(low[Int(coordinate)], box.low[axis])
                high[Int(coordinate)] = min(high[Int(coordinate)], box.high[axis])
            }
        }
        self.init(low: low, high: high)
    }
}
