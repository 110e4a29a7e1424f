import Foundation
import RandomStreams
import RunFolder
import VectorMath

@testable import Training

/// Specs that tests start from, and a folder for what they write.
enum ExampleSpecs {
    /// Only what has no default.
    static let smallest = """
        {"rrr_training": 1,
         "architecture": {"kind": "residual_mlp", "dimension": 2, "hidden": 8, "widen": 2, "blocks": 1, "embedding": 4, "levels": 10},
         "data": {"kind": "distribution", "name": "eight_gaussians"},
         "iterations": 100}
        """

    /// A training that takes no time: a tiny network with labels.
    static let quick = """
        {"rrr_training": 1, "seed": 3,
         "architecture": {"kind": "residual_mlp", "dimension": 2, "hidden": 8, "widen": 1, "blocks": 1, "embedding": 4, "levels": 10, "classes": 8},
         "data": {"kind": "distribution", "name": "eight_gaussians", "labels": "component"},
         "iterations": 12, "batch": 16, "shard": 4, "checkpoint_every": 5,
         "optimizer": {"learning_rate": 1e-2, "decay": "cosine", "warmup": 3, "clip_norm": 1}}
        """

    /// A tiny U-Net over sprites.
    static let sprites = """
        {"rrr_training": 1, "seed": 3, "iterations": 3, "batch": 4, "shard": 1,
         "architecture": {"kind": "unet", "size": [32, 32], "channels": 3, "model_channels": 4, "multipliers": [1, 1, 2],
                          "blocks": 1, "attention": [8], "heads": 2, "groups": 2, "levels": 10, "classes": 23},
         "data": {"kind": "sprites"}}
        """

    static func decode(_ text: String, file: String = "spec.json") throws -> TrainingSpec {
        try TrainingSpec.decode(Array(text.utf8), file: file)
    }

    /// The spec of a training on other data, with `labels` classes if they are given.
    static func spec(data: String, dimension: Int = 2, classes: Int? = nil, more: String = "") throws -> TrainingSpec {
        try decode(
            """
            {"rrr_training": 1, "seed": 5, "iterations": 1, "data": \(data),
             "architecture": {"kind": "residual_mlp", "dimension": \(dimension), "hidden": 8, "widen": 1, "blocks": 1,
                              "embedding": 4, "levels": 10\(classes.map { ", \"classes\": \($0)" } ?? "")}\(more)}
            """)
    }

    static let malformedFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Malformed")
}

/// Points drawn from data.
struct TrainingPoints {
    private let data: TrainingData
    private var points: LaneMatrix

    init(data: TrainingData, count: Int) {
        self.data = data
        points = LaneMatrix(rows: data.dimension, lanes: count)
    }

    /// The points of an iteration, row by row.
    mutating func draw(iteration: Int) -> [[Double]] {
        var labels = [Int32](repeating: 0, count: points.lanes)
        data.draw(RandomStream(seed: 1, firstChain: 0), iteration: iteration, points: &points, labels: &labels)
        return (0..<points.lanes).map { lane in (0..<points.rows).map { points[$0, lane] } }
    }
}

/// An empty folder that goes, with all that is in it, when its owner goes.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "training-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of a file in the folder.
    func callAsFunction(_ name: String) -> String { path + "/" + name }

    func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: self(name))) }

    /// Writes an array file; returns its path.
    func write<Element: NpyElement>(_ values: [Element], shape: [Int], _ name: String) throws -> String {
        var array = try ArrayStaging(folder: path, name: name, elementType: Element.npyElementType, shape: shape)
        try array.write(values, atRow: 0)
        try array.finish()
        return self(name)
    }
}
