import EnergyModels
import Foundation
import RunFolder

/// What a model says of given points: its energy, its gradient, and what follows from them, or what a classifier says
/// of their labels.
public struct PointEvaluation: Sendable {
    /// Points that are evaluated.
    public let count: Int
    /// The files written, in the order of their names' meaning: energy first.
    public let files: [String]
    /// What a reader might miss among them, and why it is not there; nil if it is all there.
    public let note: String?

    /// Evaluates points and writes float32 arrays to a folder, which is made if it is not there: `energy.npy` [n], the
    /// raw E; `gradient.npy` [n, d], dE/dx, the predicted noise; `log_density.npy` [n], -E / sigma_t, up to a constant
    /// of the level; `score.npy` [n, d], -gradient / sigma_t. Of a classifier: `log_probability.npy` [n, classes] and,
    /// with a label, `gradient.npy` [n, d], that of its log probability with respect to the points.
    ///
    /// - Parameters:
    ///   - model: a model file.
    ///   - points: an array file [n, d], float32 or float64.
    ///   - level: the noise level t.
    ///   - label: for networks with classes; nil evaluates without a condition, or a classifier without a gradient.
    /// - Throws: ``InspectionError``.
    public init(model: String, points: String, level: Int, label: Int?, output: String) throws(InspectionError) {
        do {
            let file = try NetworkFile(path: model)
            let description = file.description
            let values = try Self.points(points, dimension: description.architecture.dimension)
            guard (0..<description.schedule.levels).contains(level) else {
                throw InspectionError(
                    exitStatus: 65,
                    "\(model): level \(level) is not among its levels, 0 to \(description.schedule.levels - 1)")
            }
            if let label, !(0..<(description.architecture.classes ?? 0)).contains(label) {
                let known = description.architecture.classes.map { "0 to \($0 - 1)" } ?? "none; leave --label out"
                throw InspectionError(exitStatus: 65, "\(model): label \(label) is not among its labels, \(known)")
            }
            let architecture = description.architecture
            let shape = [values.count / architecture.dimension, architecture.dimension]
            let network = Network(file)
            try Self.create(output)
            var files: [String] = []
            func write(_ name: String, _ values: [Float], _ shape: [Int]) throws(RunFolderError) {
                var array = try ArrayStaging(folder: output, name: name, elementType: .float32, shape: shape)
                try array.write(values, atRow: 0)
                try array.finish()
                files.append(name)
            }
            switch architecture.kind {
            case .energy:
                let sigma = Float(NoiseSchedule(description.schedule).levels[level].noise)
                let (energy, gradient) = network.evaluate(points: values, level: level, label: label)
                if let energy {
                    try write("energy.npy", energy, [shape[0]])
                    try write("log_density.npy", energy.map { -$0 / sigma }, [shape[0]])
                }
                try write("gradient.npy", gradient, shape)
                try write("score.npy", gradient.map { -$0 / sigma }, shape)
                note =
                    energy == nil
                    ? "this network predicts noise and has no energy: no energy.npy, no log_density.npy" : nil
            case .classifier:
                let (logProbabilities, gradient) = network.classify(points: values, level: level, label: label)
                try write("log_probability.npy", logProbabilities, [shape[0], architecture.outputs])
                if let gradient { try write("gradient.npy", gradient, shape) }
                note = gradient == nil ? "without --label there is no gradient.npy of a classifier" : nil
            }
            (count, self.files) = (shape[0], files)
        } catch {
            throw InspectionError(error)
        }
    }

    private static func points(_ path: String, dimension: Int) throws -> [Float] {
        let reader = try NpyReader(path: path)
        let shape = reader.header.shape
        guard shape.count == 2, shape[1] == dimension else {
            throw InspectionError(
                exitStatus: 65, "\(path): has the shape \(shape); give rows of the model's \(dimension) coordinates")
        }
        let values = try reader.floats()
        if let index = values.firstIndex(where: { !$0.isFinite }) {
            throw InspectionError(
                exitStatus: 65,
                "\(path): [\(index / dimension), \(index % dimension)] is \(values[index]) in single precision; "
                    + "every coordinate must be finite")
        }
        return values
    }

    private static func create(_ folder: String) throws(InspectionError) {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw InspectionError(exitStatus: 73, "\(folder): can't create the folder: \(error.localizedDescription)")
        }
    }
}
