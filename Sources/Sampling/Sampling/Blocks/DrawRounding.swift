import Composition
import EnergyModels
import VectorMath

/// How a draw, which is float64, is written down as float32.
///
/// A draw that lies within a box of the target lies within it as it is written too: where the nearest float is beyond a
/// wall, the next one inside is taken. A job whose box has no float in it along some axis is refused where it is read.
struct DrawRounding: Sendable {
    /// The boxes that the target has where draws are kept.
    let boxes: [Bounds]

    /// Writes the draw of a lane of `points` [dimension][lanes].
    ///
    /// - Returns: whether it is finite as written.
    func write(_ points: LaneMatrix, lane: Int, into samples: inout [Float], at start: Int) -> Bool {
        var isFinite = true
        for row in 0..<points.rows {
            samples[start + row] = Float(points[row, lane])
            isFinite = isFinite && samples[start + row].isFinite
        }
        guard isFinite else { return false }
        for box in boxes where box.contains(points, lane: lane) {
            for row in 0..<points.rows {
                samples[start + row] = Self.inside(samples[start + row], low: box.low[row], high: box.high[row])
            }
        }
        return true
    }

    /// A float, or if a number of [low, high] was rounded to it and it is outside, its neighbour inside.
    private static func inside(_ number: Float, low: Double, high: Double) -> Float {
        if Double(number) > high { return number.nextDown }
        return Double(number) < low ? number.nextUp : number
    }
}

extension Bounds {
    fileprivate func contains(_ points: LaneMatrix, lane: Int) -> Bool {
        (0..<points.rows).allSatisfy { points[$0, lane] >= low[$0] && points[$0, lane] <= high[$0] }
    }
}
