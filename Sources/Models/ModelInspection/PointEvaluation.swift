import EnergyModels
import Foundation
import RunFolder

/// What a model says of given points: its energy, its gradient, and what follows from them, or what a classifier says
/// of their labels.
package struct PointEvaluation: Sendable {
    /// Points that are evaluated.
    package let count: Int
    /// The files written, in the order of their names' meaning: energy first.
    package let files: [String]
    /// What a reader might miss among them, and why it is not there; and what is there and is no finite number.
    package let notes: [String]

    /// Evaluates points and writes float32 arrays to a folder, which is made if it is not there: `energy.npy` [n], the
    /// raw E; `gradient.npy` [n, …shape], dE/dx, the predicted noise; `log_density.npy` [n], -E / sigma_t, up to a constant
    /// of the level; `score.npy` [n, …shape], -gradient / sigma_t. Of a classifier: `log_probability.npy` [n, classes] and,
    /// with a label, `gradient.npy` [n, …shape], that of its log probability with respect to the points.
    ///
    /// - Parameters:
    ///   - model: a model file.
    ///   - points: an array file [n, …shape] or [chains, draws, …shape] of numbers of any kind; `-` for standard input.
    ///   - level: the noise level t.
    ///   - label: for networks with classes; nil evaluates without a condition, or a classifier without a gradient.
    /// - Throws: ``InspectionError``.
    package init(model: String, points: String, level: Int, label: Int?, output: String) throws(InspectionError) {
        do {
            let file = try NetworkFile(path: model)
            let description = file.description
            let values = try Self.points(points, shape: description.architecture.shape)
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
            if label == nil, !architecture.isUsableWithoutLabel {
                throw InspectionError(
                    exitStatus: 65, "\(model): the network has no row for points without a label; give it a --label")
            }
            let shape = [values.count / architecture.dimension] + architecture.shape.lengths
            let network = try Network(file)
            try Self.create(output)
            var files: [String] = []
            var notes: [String] = []
            var infinite: [String] = []
            func write(_ name: String, _ values: [Float], _ shape: [Int]) throws(RunFolderError) {
                let row = shape.dropFirst().reduce(1, *)
                let wrong = (0..<shape[0]).count { point in
                    values[point * row..<(point + 1) * row].contains { !$0.isFinite }
                }
                if wrong > 0 { infinite.append("\(name) at \(wrong)") }
                var array = try ArrayStaging(folder: output, name: name, elementType: .float32, shape: shape)
                try array.write(values, atRow: 0)
                try array.finish()
                files.append(name)
            }
            switch architecture.kind {
            case .energy:
                let sigma = Float(NoiseSchedule(description.schedule).levels[level].noise)
                let (energy, gradient) = try network.evaluate(points: values, level: level, label: label)
                if let energy {
                    try write("energy.npy", energy, [shape[0]])
                    try write("log_density.npy", energy.map { -$0 / sigma }, [shape[0]])
                }
                try write("gradient.npy", gradient, shape)
                try write("score.npy", gradient.map { -$0 / sigma }, shape)
                if energy == nil {
                    notes.append("this network predicts noise and has no energy: no energy.npy, no log_density.npy")
                }
            case .classifier:
                let (logProbabilities, gradient) = try network.classify(points: values, level: level, label: label)
                try write("log_probability.npy", logProbabilities, [shape[0], architecture.outputs])
                if let gradient { try write("gradient.npy", gradient, shape) }
                if gradient == nil { notes.append("without --label there is no gradient.npy of a classifier") }
            }
            if !infinite.isEmpty {
                notes.append(
                    "not finite: \(infinite.joined(separator: ", ")) of \(shape[0]) points; the network computes in single "
                        + "precision and knows points about as far out as its data")
            }
            (count, self.files, self.notes) = (shape[0], files, notes)
        } catch {
            throw InspectionError(error)
        }
    }

    private static func points(_ path: String, shape: PointShape) throws -> [Float] {
        try (path == "-" ? NpyReader(standardInput: ()) : NpyReader(path: path)).points(shape: shape.lengths)
    }

    private static func create(_ folder: String) throws(InspectionError) {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw InspectionError(exitStatus: 73, "\(folder): can't create the folder: \(error.localizedDescription)")
        }
    }
}
