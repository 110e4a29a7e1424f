import Foundation
import JobFile
import RunFolder
import Testing

@testable import Plots

@Suite("Plots of runs")
struct RunPlotsTests {
    /// A standard normal law in the plane, the same at every level, and its samples made of nothing random.
    private static let job = """
        {"rrr": 1, "name": "round", "models": {"a": {"kind": "gaussian", "mean": [0, 0], "covariance": [[1, 0], [0, 1]]}},
         "target": "a", "schedule": {"kind": "cosine", "levels": 20},
         "sampler": {"kind": "mala", "transitions": 2, "step_size": 0.5}, "chains": 100}
        """

    private func target(_ text: String = job) throws -> TargetDensity {
        try #require(try TargetDensity(of: try Job.decode(Array(text.utf8), file: "job.json")))
    }

    @Test("The lines around a normal law are circles that hold what they say")
    func contours() throws {
        let edge = -5.0...5.0
        let grid = DensityGrid(
            horizontal: edge, vertical: edge,
            logDensities: try target().values(horizontal: edge, vertical: edge, size: DensityGrid.size))
        for (part, threshold) in zip([0.5, 0.9], grid.thresholds(ofMass: [0.5, 0.9])) {
            let pieces = grid.contour(at: try #require(threshold))
            // In the plane a part p lies within the radius of sqrt(-2 log(1 - p)) standard deviations. The cosine schedule's
            // level 0 leaves the variance at 1.
            let radius = (-2 * log(1 - part)).squareRoot()
            #expect(pieces.count > 100)
            for piece in pieces {
                for end in [piece.from, piece.to] {
                    #expect(abs((end.x * end.x + end.y * end.y).squareRoot() - radius) < 0.03)
                }
            }
        }
    }

    @Test("Where there is no mass there is no line")
    func emptyGrid() {
        let grid = DensityGrid(
            horizontal: 0...1, vertical: 0...1,
            logDensities: [Double](repeating: -.infinity, count: DensityGrid.size * DensityGrid.size))
        #expect(grid.thresholds(ofMass: [0.5]) == [nil])
    }

    @Test("A saddle is two pieces that don't cross")
    func saddle() {
        var logs = [Double](repeating: -.infinity, count: DensityGrid.size * DensityGrid.size)
        (logs[0], logs[DensityGrid.size + 1]) = (0, 0)
        let grid = DensityGrid(horizontal: 0...1, vertical: 0...1, logDensities: logs)
        let first = grid.contour(at: 0.5).prefix(2)
        // Around the lower left point one, around its neighbour across the square the other.
        let middle = 1.0 / Double(DensityGrid.size)
        #expect(
            first.map { $0.from.x + $0.from.y + $0.to.x + $0.to.y < 4 * middle }.sorted { $0 && !$1 } == [true, false])
    }

    @Test(
        "Ranks of chains that are alike are spread evenly, those of one apart are not; what is no number is the lowest")
    func ranks() {
        let even = DrawsPlot.rankCounts([(0..<100).map { Double(2 * $0) }, (0..<100).map { Double(2 * $0 + 1) }])
        #expect(even == [[Int](repeating: 5, count: 20), [Int](repeating: 5, count: 20)])
        let apart = DrawsPlot.rankCounts([(0..<20).map(Double.init), (20..<40).map(Double.init)])
        #expect(apart[0] == [Int](repeating: 2, count: 10) + [Int](repeating: 0, count: 10))
        #expect(DrawsPlot.rankCounts([[1, .nan], [2, 3]])[0][0] == 1)
    }

    @Test("Dots are samples within the edges; those beyond are counted, and very many are thinned out")
    func samples() throws {
        var samples: [Float] = []
        for index in 0..<10_000 { samples += [Float(index % 100) / 50 - 1, Float(index / 100) / 50 - 1] }
        for _ in 0..<5 { samples += [1e6, 0] }
        let plot = SamplesPlot(title: "a", dimension: 2, samples: samples, target: try target())
        let svg = try plot.svg()
        #expect(svg.contains("of 10005 samples, 5 beyond the edges; lines hold 50, 90 and 99 %"))
        #expect(svg.utf8.count < 400_000)
        let other = try SamplesPlot(title: "a", dimension: 5, samples: samples, target: nil).svg()
        #expect(other.contains("of 5 coordinates") && !other.contains("lines hold"))
    }

    @Test(
        "Samples with one coordinate are a histogram under the target's curve; none, or all the same, are drawn as well"
    )
    func histogram() throws {
        let line = Self.job.replacing("[0, 0]", with: "[0]").replacing("[[1, 0], [0, 1]]", with: "[[1]]")
        let plot = SamplesPlot(
            title: "a", dimension: 1, samples: (0..<500).map { Float($0) / 100 - 2.5 }, target: try target(line))
        #expect(try plot.svg().contains("line: the target"))
        for samples: [Float] in [[], [2, 2, 2], [.nan, .infinity]] {
            #expect(
                try SamplesPlot(title: "a", dimension: 1, samples: samples, target: nil).svg().hasSuffix("</svg>\n"))
        }
    }
}
