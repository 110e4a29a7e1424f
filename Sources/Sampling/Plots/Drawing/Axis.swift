import Foundation

/// Values along an axis, and the places on it that are named.
struct Axis {
    /// Whether equal distances are equal factors.
    let isLogarithmic: Bool
    /// Whether values grow to the left, or downwards.
    var isReversed = false
    /// The values at the two ends; for a logarithmic axis both above 0.
    let range: ClosedRange<Double>

    /// An axis of these ends.
    init(_ range: ClosedRange<Double>, isLogarithmic: Bool = false) {
        (self.range, self.isLogarithmic) = (range, isLogarithmic)
    }

    /// The largest magnitude on an axis, and the inverse of the smallest on a logarithmic one: the ends beyond are numbers.
    private static let most = 1e300

    /// An axis that holds all of these values and a little more; from 0 to 1 if there are none that an axis can hold. A
    /// logarithmic one holds those above 0.
    init(holding values: some Sequence<Double>, isLogarithmic: Bool = false) {
        let shown = values.filter { $0.magnitude < Self.most && (!isLogarithmic || $0 > 1 / Self.most) }
        guard let low = shown.min(), let high = shown.max() else {
            self.init(isLogarithmic ? 0.1...1 : 0...1, isLogarithmic: isLogarithmic)
            return
        }
        if isLogarithmic {
            self.init(low / 1.2...high * 1.2, isLogarithmic: true)
        } else {
            let margin = high > low ? 0.05 * (high - low) : max(0.5, low.magnitude * 0.05)
            self.init(low - margin...high + margin)
        }
    }

    /// Where a value lies, 0 at the left or lower end and 1 at the other; nil for one that is not finite or has no logarithm.
    func place(_ value: Double) -> Double? {
        guard value.isFinite, !isLogarithmic || value > 0 else { return nil }
        let part = (scaled(value) - scaled(range.lowerBound)) / (scaled(range.upperBound) - scaled(range.lowerBound))
        guard part.isFinite else { return nil }
        return isReversed ? 1 - part : part
    }

    private func scaled(_ value: Double) -> Double { isLogarithmic ? log10(value) : value }

    /// Values within the range at which the axis is named, about `count` of them, and their names.
    func ticks(about count: Int) -> [(value: Double, name: String)] {
        if isLogarithmic, log10(range.upperBound) - log10(range.lowerBound) >= 1 {
            let first = Int(log10(range.lowerBound).rounded(.up)), last = Int(log10(range.upperBound).rounded(.down))
            let step = max(1, (last - first + count) / count)
            return stride(from: first, through: last, by: step).map { (pow(10, Double($0)), Self.powerName($0)) }
        }
        let length = range.upperBound - range.lowerBound
        // Values whose differences are lost in their size, or too large for a number, have no names that tell them apart.
        guard length.isFinite, length > 1e-12 * max(range.lowerBound.magnitude, range.upperBound.magnitude) else {
            return []
        }
        let power = Int(log10(length / Double(count)).rounded(.down))
        let unit = pow(10, Double(power))
        let step = [1, 2, 5, 10].first { length / (unit * $0) <= Double(count) } ?? 10
        // Counted in whole steps, so that 0 is 0.
        let first = Int((range.lowerBound / (unit * step)).rounded(.up))
        let last = Int((range.upperBound / (unit * step)).rounded(.down))
        guard first <= last else { return [] }
        let decimals = max(0, step == 10 ? -power - 1 : -power)
        return (first...last).map { index in
            let value = Double(index) * step * unit
            return (value, Self.name(value, decimals: decimals))
        }
    }

    private static func powerName(_ power: Int) -> String {
        (-3...4).contains(power) ? name(pow(10, Double(power)), decimals: max(0, -power)) : "1e\(power)"
    }

    private static func name(_ value: Double, decimals: Int) -> String {
        guard decimals <= 6, value.magnitude < 1e9 else { return String(format: "%.3g", value) }
        return String(format: "%.\(decimals)f", value).replacing(#/^-(0\.?0*)$/#) { $0.output.1 }
    }
}
