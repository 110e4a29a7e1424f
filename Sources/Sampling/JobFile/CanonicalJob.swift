import Composition
import ContentHash
import EnergyModels
import Pictures
import Sampling
import StrictJSON

extension Job {
    /// The job with defaults filled in, names sorted and no white space. Reading it gives the same job.
    package var canonicalText: String {
        var members: [(String, JSONText)] = [
            ("rrr", .integer(1)),
            ("name", .string(name)),
            ("seed", seed <= 1 << 53 ? .integer(Int(seed)) : .string(String(seed))),
            ("models", .object(models.map { ($0.key, $0.value.canonical) })),
            ("target", target.canonical),
            ("schedule", schedule.json),
            ("sampler", JSONForm.sampler(on: schedule).write(sampler)),
            ("chains", .integer(chains)), ("draws", .integer(draws)), ("thin", .integer(thin)),
            ("block", .integer(block)),
            ("output", .object(outputMembers)),
        ]
        // Written only where it is not the default, so that jobs from before the key was known stay the same jobs.
        if allowsUnnormalized { members.append(("allow_unnormalized", .bool(true))) }
        if isPilot { members.append(("pilot", .bool(true))) }
        return JSONText.object(members).canonical
    }

    private var outputMembers: [(String, JSONText)] {
        [("formats", .array([.string("npy")]))]
            + (grid.map { [("grid", .array([.integer($0.rows), .integer($0.columns)]))] } ?? [])
            + (trace.isEmpty ? [] : [("trace", .array(trace.map { .integer($0) }))])
    }
}

extension ModelDescription {
    fileprivate var canonical: JSONText {
        switch self {
        case .gaussian(let mean, let covariance):
            object("gaussian", [("mean", mean.canonical), ("covariance", .array(covariance.map { .numbers($0) }))])
        case .independentGaussian(let mean, let deviations):
            object("gaussian", [("mean", mean.canonical), ("std", deviations.canonical)])
        case .gaussianMixture(let means, let deviations, let weights):
            object(
                "gaussian_mixture",
                [("means", means.canonical), ("std", deviations.canonical), ("weights", .numbers(weights))])
        case .uniformBox(let low, let high):
            object("uniform_box", [("low", low.canonical), ("high", high.canonical)])
        }
    }

    private func object(_ kind: String, _ members: [(String, JSONText)]) -> JSONText {
        // Where all numbers are written out they tell the shape.
        let named = shape.isWrittenOut ? [] : [("shape", JSONText.array(shape.lengths.map { .integer($0) }))]
        return .object([("kind", .string(kind))] + named + members)
    }
}

extension PointArray {
    fileprivate var canonical: JSONText {
        switch source {
        case .number(let value): .number(value)
        case .numbers(let values): Self.nested(values[...], shape.lengths[...])
        case .stored(let array, _): .object([("sha256", .string(array.digest.hex))])
        }
    }

    private static func nested(_ values: ArraySlice<Double>, _ lengths: ArraySlice<Int>) -> JSONText {
        guard let count = lengths.first, lengths.count > 1 else { return .array(values.map { .number($0) }) }
        let size = values.count / count
        return .array(
            (0..<count).map {
                let start = values.startIndex + $0 * size
                return nested(values[start..<start + size], lengths.dropFirst())
            })
    }
}

extension [PointArray] {
    fileprivate var canonical: JSONText {
        // The rows of one file are named together.
        if case .stored(_, row: _?)? = first?.source { return self[0].canonical }
        return .array(map(\.canonical))
    }
}

extension JobModel {
    fileprivate var canonical: JSONText {
        switch self {
        case .analytic(let density): density.canonical
        case .network(let model, _, let label):
            .object(
                [("kind", .string("network")), ("sha256", .string(model.hex))]
                    + (label.map { [("label", .integer($0))] } ?? []))
        case .server(let server):
            .object(
                [
                    ("kind", .string("server")), ("server", .string(server.name)),
                    ("shape", .array(server.shape.lengths.map { .integer($0) })),
                    ("gives", .string(server.gives.rawValue)),
                ] + (server.condition == .object([]) ? [] : [("condition", server.condition)]))
        }
    }
}

extension TargetExpression {
    /// As a job writes it.
    var canonical: JSONText {
        switch self {
        case .leaf(let name):
            .string(name)
        case .product(let factors, let weights):
            .object([("product", .array(factors.map(\.canonical))), ("weights", .numbers(weights))])
        case .mixture(let components, let weights, let normalizers):
            .object([
                ("mixture", .array(components.map(\.canonical))), ("weights", .numbers(weights)),
                ("log_normalizers", .array(normalizers.map(\.canonical))),
            ])
        case .sharpenedMixture(let components, let sharpness, let normalizers):
            .object(
                [("mixture", .array(components.map(\.canonical))), ("sharpness", .number(sharpness))]
                    // Older jobs of this form had none.
                    + (normalizers.allSatisfy { $0 == 0 }
                        ? [] : [("log_normalizers", .array(normalizers.map(\.canonical)))]))
        case .negation(let of, let by, let weight):
            .object([
                ("negation", .object([("of", of.canonical), ("by", by.canonical), ("weight", .number(weight))]))
            ])
        case .guidance(let unconditional, let conditional, let scale):
            .object([
                (
                    "guidance",
                    .object([
                        ("unconditional", unconditional.canonical),
                        ("conditional", .array(conditional.map(\.canonical))), ("scale", .number(scale)),
                    ])
                )
            ])
        case .classifier(let of, let by, let label, let scale):
            .object([
                (
                    "classifier",
                    .object([
                        ("of", of.canonical), ("by", .string(by)), ("label", .integer(label)),
                        ("scale", .number(scale)),
                    ])
                )
            ])
        case .tempered(let of, let temperature):
            .object([("tempered", .object([("of", of.canonical), ("temperature", .number(temperature))]))])
        case .bounded(let of, let low, let high):
            .object([
                ("bounded", .object([("of", of.canonical), ("low", low.canonical), ("high", high.canonical)]))
            ])
        case .tapestry(let tapestry):
            .object([("tapestry", tapestry.canonical)])
        }
    }
}

extension Tapestry {
    fileprivate var canonical: JSONText {
        .object([
            ("size", .array(canvas.lengths.map { .integer($0) })), ("combine", .string(combination.rawValue)),
            ("wrap", .bool(wraps)), ("windows", .array(windows.map(canonical))),
        ])
    }

    private func canonical(_ window: Window) -> JSONText {
        .object(
            [
                ("of", window.of.canonical),
                ("at", .array([.integer(window.place.row), .integer(window.place.column)])),
                ("scale", .integer(window.place.scale)),
            ] + (combination == .product ? [("weight", .number(window.weight))] : []))
    }
}

extension LogNormalizer {
    fileprivate var canonical: JSONText {
        switch self {
        case .constant(let value): .number(value)
        case .perLevel(let values): .numbers(values)
        case .estimate: .string("estimate")
        }
    }
}
