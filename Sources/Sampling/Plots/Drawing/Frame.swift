/// The place of a chart on a drawing: its axes, and where values come to lie.
struct Frame {
    /// Free space around a chart for titles and the names of ticks, in pixels.
    static let (left, right, top, bottom) = (64.0, 18.0, 34.0, 44.0)

    /// The chart's edges, in pixels of the drawing.
    let x: Double, y: Double, width: Double, height: Double
    let horizontal: Axis
    let vertical: Axis

    /// Draws title, axes and the names of their ticks, and keeps where they are.
    ///
    /// - Parameters:
    ///   - x, y: of the upper left corner of the chart with the space around it.
    ///   - width, height: with that space.
    init(
        _ drawing: inout Drawing, x: Double, y: Double, width: Double, height: Double, title: String,
        horizontal: (name: String, axis: Axis), vertical: Axis
    ) {
        (self.x, self.y) = (x + Self.left, y + Self.top)
        (self.width, self.height) = (width - Self.left - Self.right, height - Self.top - Self.bottom)
        (self.horizontal, self.vertical) = (horizontal.axis, vertical)
        drawing.text(title, x: self.x, y: self.y - 12, size: 13)
        for (value, name) in horizontal.axis.ticks(about: max(2, Int(self.width / 70))) {
            guard let place = point(value, vertical.range.lowerBound) else { continue }
            drawing.line([(place.x, self.y), (place.x, self.y + self.height)], .grid, width: 1)
            drawing.text(name, x: place.x, y: self.y + self.height + 16, .faint, anchor: .middle, size: 11)
        }
        for (value, name) in vertical.ticks(about: max(2, Int(self.height / 36))) {
            guard let place = point(horizontal.axis.range.lowerBound, value) else { continue }
            drawing.line([(self.x, place.y), (self.x + self.width, place.y)], .grid, width: 1)
            drawing.text(name, x: self.x - 7, y: place.y + 4, .faint, anchor: .end, size: 11)
        }
        drawing.text(
            horizontal.name, x: self.x + self.width / 2, y: self.y + self.height + 34, .faint, anchor: .middle)
    }

    /// Where a pair of values lies on the drawing; nil if one of them is not on its axis.
    func point(_ x: Double, _ y: Double) -> (x: Double, y: Double)? {
        guard let right = horizontal.place(x), let up = vertical.place(y), -0.001...1.001 ~= right,
            -0.001...1.001 ~= up
        else { return nil }
        return (self.x + right * width, self.y + (1 - up) * height)
    }

    /// Names series beside their colours, above the chart's right end.
    func legend(_ names: [String], in drawing: inout Drawing) {
        var right = x + width
        for (name, style) in zip(names, Drawing.Style.series).reversed() {
            drawing.text(name, x: right, y: y - 12, .faint, anchor: .end, size: 11)
            // Text has about six pixels a letter at this size.
            right -= Double(name.count) * 6 + 2
            drawing.line([(right - 12, y - 16), (right, y - 16)], style, width: 2.5)
            right -= 26
        }
    }
}
