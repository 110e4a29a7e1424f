import Foundation
import Testing

@testable import Plots

@Suite("Drawings and their axes")
struct DrawingTests {
    @Test(
        "Places have at most two decimals, without a point where there are none",
        arguments: [
            (0.0, "0"), (-0.001, "0"), (12, "12"), (1.5, "1.5"), (1.05, "1.05"), (-3.257, "-3.26"), (99.999, "100"),
        ])
    func numbers(value: Double, text: String) {
        #expect(Drawing.number(value) == text)
    }

    @Test("What a run is called can't end an element, and colours are there for light pages and dark ones")
    func escaping() {
        var drawing = Drawing(width: 10, height: 20, title: "a<b>&c")
        drawing.text("</svg>", x: 1, y: 2)
        let svg = drawing.svg
        #expect(svg.contains("<title>a&lt;b&gt;&amp;c</title>") && svg.contains("&lt;/svg&gt;"))
        #expect(svg.components(separatedBy: "</svg>").count == 2)
        #expect(svg.contains("@media (prefers-color-scheme: dark)"))
    }

    @Test("A line is broken where a point is missing, and a point alone is a dot")
    func brokenLine() {
        var drawing = Drawing(width: 10, height: 10, title: "")
        drawing.line([(0, 0), (1, 1), nil, (2, 2), nil], .first)
        #expect(drawing.svg.contains("d=\"M0 0L1 1M2 2h0\""))
    }

    @Test("Ticks are round numbers within the range, with as many decimals as they need")
    func ticks() {
        #expect(Axis(-0.72...0.72).ticks(about: 8).map(\.name) == ["-0.6", "-0.4", "-0.2", "0.0", "0.2", "0.4", "0.6"])
        #expect(Axis(0...100).ticks(about: 5).map(\.name) == ["0", "20", "40", "60", "80", "100"])
        #expect(Axis(0...0.013).ticks(about: 3).map(\.name) == ["0.000", "0.005", "0.010"])
        #expect(Axis(0.0005...300, isLogarithmic: true).ticks(about: 9).map(\.name).first == "0.001")
    }

    @Test("A reversed axis has its largest value at the left, a logarithmic one nothing at or below 0")
    func places() {
        var axis = Axis(0...10)
        axis.isReversed = true
        #expect(axis.place(10) == 0 && axis.place(2.5) == 0.75)
        let powers = Axis(0.1...10, isLogarithmic: true)
        #expect(powers.place(1) == 0.5 && powers.place(0) == nil && powers.place(.nan) == nil)
        #expect(Axis(holding: [Double.nan, -.infinity]).range == 0...1)
        #expect(Axis(holding: [3.0, 3.0]).range.contains(3))
        for values in [[-1.7e308, 1.7e308], [1e20, 1e20 + 65_536], [1e-300, 1e300]] {
            for isLogarithmic in [false, true] {
                let axis = Axis(holding: values, isLogarithmic: isLogarithmic)
                #expect(axis.ticks(about: 5).count <= 10)
                #expect(values.allSatisfy { axis.place($0)?.isFinite ?? true })
            }
        }
    }
}
