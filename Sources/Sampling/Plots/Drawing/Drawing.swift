/// A drawing as SVG text, readable on light and dark pages: colours are classes, and the page's scheme chooses among two
/// sets of them.
struct Drawing {
    /// What is drawn takes its colours from its class.
    enum Style: String {
        /// The page.
        case paper
        /// Words and numbers.
        case ink
        /// Words that matter less.
        case faint
        /// Lines of axes and their grid.
        case grid
        /// The first four series, as marks or areas. Okabe and Ito's colours, which colour-blind people tell apart.
        case first, second, third, fourth

        /// The series' colours in their order.
        static let series = [first, second, third, fourth]
    }

    /// How text stands to its point.
    enum Anchor: String {
        case start, middle, end
    }

    private static let colours: [(Style, light: String, dark: String)] = [
        (.paper, "#ffffff", "#16191d"), (.ink, "#1d2329", "#e8eaed"), (.faint, "#5f6972", "#a3abb3"),
        (.grid, "#d9dde1", "#3a4148"), (.first, "#0072b2", "#56b4e9"), (.second, "#d55e00", "#e69f00"),
        (.third, "#00815d", "#2fc79a"), (.fourth, "#a4497f", "#d89abf"),
    ]

    /// In pixels.
    let width: Double
    /// In pixels.
    let height: Double
    private var elements: [String] = []

    /// A drawing with nothing but its title, which programs that read aloud tell.
    init(width: Double, height: Double, title: String) {
        (self.width, self.height) = (width, height)
        elements.append("<title>\(Self.escaped(title))</title>")
        elements.append("<rect class=\"paper\" width=\"\(Self.number(width))\" height=\"\(Self.number(height))\"/>")
    }

    /// The text of an SVG file.
    var svg: String {
        func rules(isDark: Bool) -> String {
            Self.colours.map { style, light, dark in
                let colour = isDark ? dark : light
                return ".\(style){fill:\(colour)}.\(style)-line{fill:none;stroke:\(colour)}"
            }.joined()
        }
        let size = "\(Self.number(width)) \(Self.number(height))"
        let start =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(Self.number(width))\" height=\"\(Self.number(height))\" "
            + "viewBox=\"0 0 \(size)\" font-family=\"system-ui, sans-serif\" font-size=\"12\" role=\"img\">"
        let style =
            "<style>\(rules(isDark: false))@media (prefers-color-scheme: dark){\(rules(isDark: true))}</style>"
        return ([start, style] + elements + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    /// Words at a point, on the line through `y`.
    mutating func text(
        _ text: String, x: Double, y: Double, _ style: Style = .ink, anchor: Anchor = .start, size: Int? = nil
    ) {
        let size = size.map { " font-size=\"\($0)\"" } ?? ""
        elements.append(
            "<text class=\"\(style)\" x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" text-anchor=\"\(anchor)\"\(size)>"
                + "\(Self.escaped(text))</text>")
    }

    /// A line through points, broken where one is nil.
    mutating func line(_ points: [(x: Double, y: Double)?], _ style: Style, width: Double = 1.5, dashed: Bool = false) {
        var path = ""
        var isDown = false
        for (index, point) in points.enumerated() {
            guard let point else {
                isDown = false
                continue
            }
            // A point alone would be invisible: a line of no length with round ends is a dot.
            let isAlone = !isDown && (index + 1 == points.count || points[index + 1] == nil)
            path += "\(isDown ? "L" : "M")\(Self.number(point.x)) \(Self.number(point.y))" + (isAlone ? "h0" : "")
            isDown = true
        }
        guard !path.isEmpty else { return }
        elements.append(
            "<path class=\"\(style)-line\" d=\"\(path)\" stroke-width=\"\(Self.number(width))\" stroke-linecap=\"round\" "
                + "stroke-linejoin=\"round\"\(dashed ? " stroke-dasharray=\"5 4\"" : "")/>")
    }

    /// Round marks of some width.
    mutating func dots(_ points: [(x: Double, y: Double)], _ style: Style, width: Double, opacity: Double) {
        guard !points.isEmpty else { return }
        let path = points.map { "M\(Self.number($0.x)) \(Self.number($0.y))h0" }.joined()
        elements.append(
            "<path class=\"\(style)-line\" d=\"\(path)\" stroke-width=\"\(Self.number(width))\" stroke-linecap=\"round\" "
                + "stroke-opacity=\"\(Self.number(opacity))\"/>")
    }

    /// The area between two lines with the same x.
    mutating func band(_ points: [(x: Double, low: Double, high: Double)], _ style: Style, opacity: Double) {
        guard let first = points.first, points.count > 1 else { return }
        var path = "M\(Self.number(first.x)) \(Self.number(first.high))"
        for point in points.dropFirst() { path += "L\(Self.number(point.x)) \(Self.number(point.high))" }
        for point in points.reversed() { path += "L\(Self.number(point.x)) \(Self.number(point.low))" }
        elements.append("<path class=\"\(style)\" d=\"\(path)Z\" fill-opacity=\"\(Self.number(opacity))\"/>")
    }

    /// A filled rectangle.
    mutating func box(x: Double, y: Double, width: Double, height: Double, _ style: Style, opacity: Double = 1) {
        elements.append(
            "<rect class=\"\(style)\" x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" width=\"\(Self.number(width))\" "
                + "height=\"\(Self.number(height))\" fill-opacity=\"\(Self.number(opacity))\"/>")
    }

    /// Places are given to a hundredth of a pixel: finer than a screen shows, the same text everywhere.
    static func number(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        let (whole, rest) = hundredths.magnitude.quotientAndRemainder(dividingBy: 100)
        let sign = hundredths < 0 ? "-" : ""
        guard rest > 0 else { return "\(sign)\(whole)" }
        return "\(sign)\(whole).\(rest % 10 == 0 ? "\(rest / 10)" : rest < 10 ? "0\(rest)" : "\(rest)")"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
