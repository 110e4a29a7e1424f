import Foundation
import Measurement

/// What was measured, as a table or as JSON.
struct Report {
    /// One number of points evaluated together.
    struct Row {
        let rows: Int
        /// Evaluations of energy and gradient a second; a point counts as one.
        let evaluations: Rates
        /// Floating-point operations a second of the evaluation's multiplies alone.
        let sameShapes: Rates
        /// Likewise, of multiplies of 512 x 512 matrices.
        let square: Rates
        /// Floating-point operations of the multiplies of one evaluation; elementwise work is not counted.
        let operations: Double
        /// Calls of malloc's family in one evaluation of all rows.
        let allocations: Double

        /// The rate of the evaluation's multiplies as a part of what the multiplies reach alone.
        var fraction: Double { evaluations.median * operations / sameShapes.median }
        var squareFraction: Double { evaluations.median * operations / square.median }
    }

    var rows: [Row] = []
    /// Training steps a second.
    var training: Rates?
    /// Points of a training step.
    static let batch = 1000

    static let heading = """
        Energy and gradient on one core, medians (least to most). sgemm: the same multiplies alone, and 512^3.
          rows   evaluations/s                 GFLOP/s   of sgemm, same shapes   of sgemm, 512^3   allocations
        """

    func line(_ index: Int) -> String {
        let row = rows[index]
        let range = String(
            format: "(%.0f to %.0f)", row.evaluations.sorted.first ?? 0, row.evaluations.sorted.last ?? 0)
        return String(format: "%6d %10.0f ", row.rows, row.evaluations.median)
            + range.padding(toLength: 20, withPad: " ", startingAt: 0)
            + String(
                format: "%9.1f   %6.1f %%   %19.1f %%   %11.2f", row.evaluations.median * row.operations * 1e-9,
                100 * row.fraction, 100 * row.squareFraction, row.allocations)
    }

    var trainingLine: String {
        guard let training else { return "" }
        return String(
            format: "Training: %.2f steps/s of %d points (%.2f to %.2f), one core.", training.median, Self.batch,
            training.sorted.first ?? 0, training.sorted.last ?? 0)
    }

    var json: String {
        func object(_ value: (Row) -> Double) -> String {
            "{" + rows.map { "\"\($0.rows)\": \(value($0))" }.joined(separator: ", ") + "}"
        }
        return """
            {"evaluations_per_second": \(object { $0.evaluations.median }), "sgemm_fraction": \(object(\.fraction)), \
            "sgemm_512_fraction": \(object(\.squareFraction)), "allocations": \(object(\.allocations)), \
            "training_steps_per_second": \(training?.median ?? 0)}
            """
    }
}
