/// Samples as points, a panel for each sampler, as SVG.
struct ScatterPicture {
    struct Panel {
        let title: String
        let samples: [Point]
    }

    /// Points that a panel shows at most: enough to see a shape, few enough for a small file.
    static let mostPoints = 1000

    /// Half the side of the square that a panel shows.
    static let reach = 1.2

    private static let columns = 4
    /// The side of a panel, and the height of its title, in the picture's units.
    private static let (side, gap, header) = (180, 10, 20)
    /// A panel's own units, 200 to the length of 1 in the plane: whole numbers are finer than a screen shows.
    private static let scale = 200.0

    let title: String
    let task: CompositionTask
    let panels: [Panel]

    /// The text of the file.
    var svg: String {
        let columns = min(Self.columns, max(1, panels.count))
        let rows = (panels.count + columns - 1) / columns
        let step = (x: Self.side + Self.gap, y: Self.side + Self.header + Self.gap)
        let width = columns * step.x + Self.gap
        let height = rows * step.y + Self.header + Self.gap
        var lines = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" "
                + "viewBox=\"0 0 \(width) \(height)\" font-family=\"sans-serif\" font-size=\"12\">",
            "<rect width=\"\(width)\" height=\"\(height)\" fill=\"#fff\"/>",
            "<text x=\"\(Self.gap)\" y=\"\(Self.header)\" font-size=\"14\" fill=\"#222\">\(Self.escaped(title))</text>",
        ]
        for (index, panel) in panels.enumerated() {
            let x = Self.gap + index % columns * step.x
            let y = Self.header + Self.gap + index / columns * step.y
            lines += draw(panel, x: x, y: y)
        }
        return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    private func draw(_ panel: Panel, x: Int, y: Int) -> [String] {
        let reach = Int(Self.reach * Self.scale)
        let beyond = panel.samples.count { !Self.isShown($0) }
        let title = beyond > 0 ? "\(panel.title) (\(beyond) beyond)" : panel.title
        return [
            "<text x=\"\(x)\" y=\"\(y + Self.header - 6)\" fill=\"#222\">\(Self.escaped(title))</text>",
            "<svg x=\"\(x)\" y=\"\(y + Self.header)\" width=\"\(Self.side)\" height=\"\(Self.side)\" "
                + "viewBox=\"\(-reach) \(-reach) \(2 * reach) \(2 * reach)\">",
            "<rect x=\"\(-reach)\" y=\"\(-reach)\" width=\"\(2 * reach)\" height=\"\(2 * reach)\" fill=\"#f6f6f6\"/>",
            "<g fill=\"none\" stroke=\"#999\" stroke-width=\"2\">\(outlines)</g>",
            "<path d=\"\(Self.dots(at: panel.samples))\" stroke=\"#0b5fa5\" stroke-width=\"4\" stroke-linecap=\"round\"/>",
            "</svg>",
        ]
    }

    /// The shapes of what the task is composed of.
    private var outlines: String {
        func rectangle(_ shape: Rectangle) -> String {
            let corner = Self.place(Point(x: shape.x.lowerBound, y: shape.y.upperBound))
            let other = Self.place(Point(x: shape.x.upperBound, y: shape.y.lowerBound))
            return "<rect x=\"\(corner.x)\" y=\"\(corner.y)\" width=\"\(other.x - corner.x)\" "
                + "height=\"\(other.y - corner.y)\"/>"
        }
        switch task {
        case .product:
            let radius = Int((3 * CompositionTask.ringDeviation * Self.scale).rounded())
            return CompositionTask.ringCentres.map { centre in
                let place = Self.place(centre)
                return "<circle cx=\"\(place.x)\" cy=\"\(place.y)\" r=\"\(radius)\"/>"
            }.joined() + rectangle(CompositionTask.bar)
        case .mixture: return rectangle(CompositionTask.leftBar) + rectangle(CompositionTask.rightBar)
        case .negation: return rectangle(CompositionTask.outerSquare) + rectangle(CompositionTask.innerSquare)
        }
    }

    /// Strokes of no length, which round ends make dots; of many samples every so many-th, and none beyond the panel.
    private static func dots(at samples: [Point]) -> String {
        let shown = min(mostPoints, samples.count)
        return (0..<shown).map { samples[$0 * samples.count / shown] }
            .filter(isShown)
            .map { point in
                let place = place(point)
                return "M\(place.x) \(place.y)h0"
            }.joined()
    }

    private static func isShown(_ point: Point) -> Bool { point.x.magnitude <= reach && point.y.magnitude <= reach }

    /// In a panel's units, y downwards.
    private static func place(_ point: Point) -> (x: Int, y: Int) {
        (Int((point.x * scale).rounded()), Int((-point.y * scale).rounded()))
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
