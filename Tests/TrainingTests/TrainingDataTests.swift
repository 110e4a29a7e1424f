import EnergyModels
import Foundation
import RandomStreams
import Testing
import VectorMath

@testable import Training

/// Many points of a spec's data, [d][count], and their labels.
private func draw(_ spec: TrainingSpec, count: Int, iteration: Int = 0) throws -> (points: LaneMatrix, labels: [Int32])
{
    let data = try TrainingData(spec)
    var points = LaneMatrix(rows: data.dimension, lanes: count)
    var labels = [Int32](repeating: -1, count: count)
    data.draw(
        RandomStream(seed: spec.seed, firstChain: 0), iteration: iteration, points: &points, labels: &labels)
    return (points, labels)
}

/// Means and covariances are compared with five standard errors: a right sampler is caught out with probability
/// 6e-7 a comparison, and some fifty are made here. Seeds are fixed, so a pass stays one.
private func expectMoments(
    _ points: LaneMatrix, mean: [Double], covariance: [[Double]], kurtosis: Double = 3,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    let count = Double(points.lanes)
    func row(_ i: Int) -> ArraySlice<Double> { points.elements[i * points.lanes..<(i + 1) * points.lanes] }
    for i in mean.indices {
        let average = row(i).reduce(0, +) / count
        #expect(
            (average - mean[i]).magnitude < 5 * (covariance[i][i] / count).squareRoot(), sourceLocation: sourceLocation)
        for j in 0...i {
            let product: Double = zip(row(i), row(j)).map { ($0 - mean[i]) * ($1 - mean[j]) }.reduce(0, +) / count
            // The variance of a product is at most the kurtosis times both variances.
            let error: Double = (kurtosis * covariance[i][i] * covariance[j][j] / count).squareRoot()
            #expect((product - covariance[i][j]).magnitude < 5 * error, sourceLocation: sourceLocation)
        }
    }
}

@Suite("Training data")
struct TrainingDataTests {
    @Test("the named distributions have their moments", arguments: NamedDistributions.all.map(\.name))
    func named(name: String) throws {
        let spec = try ExampleSpecs.spec(data: "{\"kind\": \"distribution\", \"name\": \"\(name)\"}")
        let points = try draw(spec, count: 40_000).points
        guard case .density(.uniformBox(let lowest, let highest), _) = spec.data else {
            // Eight centres on a circle of radius 1/2: half of its square along each axis.
            let variance = 0.125 + 0.03 * 0.03
            return expectMoments(points, mean: [0, 0], covariance: [[variance, 0], [0, variance]])
        }
        let (low, high) = (lowest.values, highest.values)
        let widths = zip(low, high).map { $1 - $0 }
        expectMoments(
            points, mean: zip(low, high).map { ($0 + $1) / 2 },
            covariance: [[widths[0] * widths[0] / 12, 0], [0, widths[1] * widths[1] / 12]])
        for i in 0..<2 {
            for lane in 0..<points.lanes { #expect(points[i, lane] > low[i] && points[i, lane] <= high[i]) }
        }
    }

    @Test("a Gaussian has its mean and covariance")
    func gaussian() throws {
        let spec = try ExampleSpecs.spec(
            data:
                #"{"kind": "gaussian", "mean": [1, -2, 0], "covariance": [[2, 0.5, 0], [0.5, 1, -0.3], [0, -0.3, 0.4]]}"#,
            dimension: 3)
        expectMoments(
            try draw(spec, count: 40_000).points, mean: [1, -2, 0],
            covariance: [[2, 0.5, 0], [0.5, 1, -0.3], [0, -0.3, 0.4]])
    }

    @Test("components come by their weights, spread by their deviations, under their own labels")
    func mixture() throws {
        let spec = try ExampleSpecs.spec(
            data: #"""
                {"kind": "gaussian_mixture", "means": [[0, 0], [10, 0], [0, 20]], "std": [0.1, [0.2, 0.4], 0.3],
                 "weights": [1, 3, 6], "labels": "component"}
                """#, classes: 4)
        let (points, labels) = try draw(spec, count: 40_000)
        let means = [[0.0, 0], [10, 0], [0, 20]]
        let deviations = [[0.1, 0.1], [0.2, 0.4], [0.3, 0.3]]
        for (component, weight) in [0.1, 0.3, 0.6].enumerated() {
            let lanes = labels.indices.filter { labels[$0] == Int32(component) }
            // Five standard errors of a binomial fraction: probability 6e-7.
            let error: Double = (weight * (1 - weight) / 40_000).squareRoot()
            #expect((Double(lanes.count) / 40_000 - weight).magnitude < 5 * error)
            var own = LaneMatrix(rows: 2, lanes: lanes.count)
            for i in 0..<2 { for (k, lane) in lanes.enumerated() { own[i, k] = points[i, lane] } }
            let variances = deviations[component].map { $0 * $0 }
            expectMoments(own, mean: means[component], covariance: [[variances[0], 0], [0, variances[1]]])
        }
    }

    @Test("points that have no label get the one behind the classes")
    func noLabels() throws {
        let spec = try ExampleSpecs.decode(ExampleSpecs.smallest)
        #expect(try draw(spec, count: 10).labels == [Int32](repeating: 0, count: 10))
    }

    @Test("rows of an array file keep their labels and come equally often", arguments: [true, false])
    func arrays(wide: Bool) throws {
        let folder = try TemporaryFolder()
        let points =
            wide
            ? try folder.write((0..<10).map { Double($0) }, shape: [5, 2], "p.npy")
            : try folder.write((0..<10).map { Float($0) }, shape: [5, 2], "p.npy")
        let labels =
            wide
            ? try folder.write([4, 3, 2, 1, 0] as [Int64], shape: [5], "l.npy")
            : try folder.write([4, 3, 2, 1, 0] as [Int32], shape: [5], "l.npy")
        let spec = try ExampleSpecs.spec(
            data: "{\"kind\": \"npy\", \"file\": \"\(points)\", \"labels\": \"\(labels)\"}", classes: 5)
        let (drawn, given) = try draw(spec, count: 10_000)
        var counts = [Int](repeating: 0, count: 5)
        for lane in 0..<10_000 {
            let row = Int(drawn[0, lane]) / 2
            #expect(drawn[0, lane] == Double(2 * row) && drawn[1, lane] == Double(2 * row + 1))
            #expect(given[lane] == Int32(4 - row))
            counts[row] += 1
        }
        // Standard error 40; six of them are exceeded with probability 1e-8.
        for count in counts { #expect((count - 2000).magnitude < 240) }
    }

    @Test("images of bytes are from -1 to 1, and half of those that shall be flipped are mirrored")
    func images() throws {
        let folder = try TemporaryFolder()
        let tones: [UInt8] = [0, 51, 102, 153, 204, 255]
        let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1, 2, 3), }\n"
        let path = folder("images.npy")
        try Data([0x93] + "NUMPY".utf8 + [1, 0, UInt8(header.utf8.count), 0] + header.utf8 + tones)
            .write(to: URL(filePath: path))
        func drawn(_ more: String) throws -> [[Double]] {
            let spec = try ExampleSpecs.decode(
                """
                {"rrr_training": 1, "iterations": 1, "batch": 8,
                 "architecture": {"kind": "unet", "size": [2, 3], "channels": 1, "model_channels": 4, "multipliers": [1],
                                  "blocks": 1, "attention": [], "heads": 1, "groups": 2, "levels": 10},
                 "data": {"kind": "npy", "file": "\(path)"\(more)}}
                """)
            var points = TrainingPoints(data: try TrainingData(spec), count: 1_000)
            return try points.draw(iteration: 0).map { row in
                try row.map { value in
                    // One, three and five fifths, and no others.
                    let fifths = (value * 5).rounded()
                    try #require((value * 5 - fifths).magnitude < 1e-12)
                    return fifths
                }
            }
        }
        let image = [-5.0, -3, -1, 1, 3, 5]
        let mirrored = [-1.0, -3, -5, 5, 3, 1]
        #expect(Set(try drawn("")) == [image])
        let flipped = try drawn(", \"flip\": true")
        #expect(Set(flipped) == [image, mirrored])
        // Five standard errors: probability 6e-7.
        #expect((flipped.count { $0 == mirrored } - 500).magnitude < 80)
    }

    @Test("array files that do not fit are refused with their name and what is wrong")
    func misfits() throws {
        let folder = try TemporaryFolder()
        let good = try folder.write([0, 1, 2, 3] as [Float], shape: [2, 2], "good.npy")
        func refusal(points: String, labels: String? = nil, classes: Int? = nil) throws -> TrainingError {
            let more = labels.map { ", \"labels\": \"\($0)\"" } ?? ""
            let spec = try ExampleSpecs.spec(
                data: "{\"kind\": \"npy\", \"file\": \"\(points)\"\(more)}", classes: classes)
            return try #require(#expect(throws: TrainingError.self) { try TrainingData(spec) })
        }
        func expect(_ error: TrainingError, _ name: String, _ text: String, status: Int32 = 65) {
            #expect(error.exitStatus == status)
            #expect(error.description.hasPrefix(folder(name) + ": "), "\(error)")
            #expect(error.description.contains(text), "\(error)")
        }
        let flat = try folder.write([0, 1, 2, 3] as [Float], shape: [4], "flat.npy")
        expect(try refusal(points: flat), "flat.npy", "give rows of 2 coordinates, [n, 2]")
        let narrow = try folder.write([0, 1, 2] as [Float], shape: [3, 1], "narrow.npy")
        expect(try refusal(points: narrow), "narrow.npy", "[3, 1]")
        let integers = try folder.write([0, 16_777_217] as [Int32], shape: [1, 2], "integers.npy")
        expect(try refusal(points: integers), "integers.npy", "number 1 is 16777217, which single precision can't hold")
        let none = try folder.write([] as [Float], shape: [0, 2], "none-of-them.npy")
        expect(try refusal(points: none), "none-of-them.npy", "give at least one")
        let infinite = try folder.write([0, 1, .infinity, 0] as [Double], shape: [2, 2], "infinite.npy")
        expect(try refusal(points: infinite), "infinite.npy", "[1, 0] is inf")
        expect(try refusal(points: folder("none.npy")), "none.npy", "cannot open", status: 66)
        let short = try folder.write([0] as [Int32], shape: [1], "short.npy")
        expect(try refusal(points: good, labels: short, classes: 3), "short.npy", "one label per point, [2]")
        let high = try folder.write([0, 3] as [Int64], shape: [2], "high.npy")
        expect(try refusal(points: good, labels: high, classes: 3), "high.npy", "[1] is 3; labels go from 0 to 2")
        let real = try folder.write([0, 1] as [Float], shape: [2], "real.npy")
        expect(try refusal(points: good, labels: real, classes: 3), "real.npy", "must hold whole numbers, holds <f4")
    }
}
