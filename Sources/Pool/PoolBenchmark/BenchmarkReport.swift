import Foundation
import StrictJSON

/// Everything that was measured, in the order of measuring.
package struct BenchmarkReport: Sendable {
    /// One quantity, measured several times.
    package struct Figure: Sendable {
        /// Its name in JSON, with its unit.
        package let key: String
        /// What it is, for people.
        package let title: String
        /// Of the values.
        package let unit: String
        /// One for each repeat.
        package let values: [Double]

        /// The middle value; the mean of the two middle ones if their number is even.
        package var median: Double {
            let sorted = values.sorted()
            guard !sorted.isEmpty else { return .nan }
            return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
        }
    }

    /// What was measured.
    package private(set) var figures: [Figure] = []
    /// What to know about the measurement, in whole sentences.
    package private(set) var remarks: [String] = []

    mutating func add(_ key: String, _ title: String, _ unit: String, _ values: [Double]) {
        figures.append(Figure(key: key, title: title, unit: unit, values: values))
    }

    mutating func remark(_ text: String) { remarks.append(text) }

    /// One object: each figure by its key, with `median`, `least` and `most`; `remarks`, texts.
    package var json: String {
        let members = figures.map { figure -> (String, JSONText) in
            let (least, most) = (figure.values.min() ?? .nan, figure.values.max() ?? .nan)
            let spread = [("median", figure.median), ("least", least), ("most", most)]
            return (figure.key, .object(spread.map { ($0, .number($1)) }))
        }
        return JSONText.object(members + [("remarks", .array(remarks.map { .string($0) }))]).canonical
    }

    /// A line for each figure: what, median, unit, least and most.
    package var table: String {
        let width = figures.map(\.title.count).max() ?? 0
        let lines = figures.map { figure in
            figure.title.padding(toLength: width + 2, withPad: " ", startingAt: 0)
                + Self.padded(Self.text(figure.median), to: 12) + "  "
                + figure.unit.padding(toLength: 12, withPad: " ", startingAt: 0)
                + "(\(Self.text(figure.values.min() ?? .nan)) - \(Self.text(figure.values.max() ?? .nan)))"
        }
        return (lines + remarks).joined(separator: "\n")
    }

    private static func padded(_ text: String, to width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    /// Three digits that count, or all before the point.
    private static func text(_ value: Double) -> String {
        switch abs(value) {
        case 100...: String(format: "%.0f", value)
        case 10..<100: String(format: "%.1f", value)
        case 1..<10: String(format: "%.2f", value)
        default: String(format: "%.3f", value)
        }
    }
}
