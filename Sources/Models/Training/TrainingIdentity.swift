import ContentHash
import EnergyModels
import StrictJSON

extension TrainingSpec {
    /// All that the trained parameters depend on, by the names of the spec; data files by their SHA-256.
    /// - Parameters:
    ///   - files: digests of the data files, points first.
    ///   - start: the digest of the model file that it starts from.
    func identity(files: [Digest], start: Digest? = nil) -> JSONText {
        .object(
            [
                ("rrr_training", .integer(1)), ("seed", .string(String(seed))), ("network", network.json),
                ("data", data.text(files)), ("iterations", .integer(iterations)), ("batch", .integer(batch)),
                ("shard", .integer(shard)), ("optimizer", optimizer.text), ("ema", .number(ema)),
                ("label_dropout", .number(labelDropout)),
            ] + (start.map { [("from", .string($0.hex))] } ?? []))
    }
}

extension OptimizerSettings {
    fileprivate var text: JSONText {
        .object([
            ("learning_rate", .number(learningRate)), ("final_learning_rate", .number(finalLearningRate)),
            ("decay", .string(decay.rawValue)), ("warmup", .integer(warmup)), ("beta1", .number(beta1)),
            ("beta2", .number(beta2)), ("epsilon", .number(epsilon)),
            ("clip_norm", clipNorm.map { .number($0) } ?? .null),
        ])
    }
}

extension DataDescription {
    fileprivate func text(_ files: [Digest]) -> JSONText {
        func row(_ array: PointArray) -> JSONText { numbers(array.values) }
        func rows(_ arrays: [PointArray]) -> JSONText { .array(arrays.map(row)) }
        func numbers(_ values: [Double]) -> JSONText { .array(values.map { .number($0) }) }
        switch self {
        case .pictures(_, _, let flipped, let heldOut):
            return .object([
                ("pictures", .array(files.map { .string($0.hex) })), ("flip", .bool(flipped)),
                ("held_out", .integer(heldOut)),
            ])
        case .arrays(_, _, let flipped, let heldOut):
            let names = JSONText.array(files.map { .string($0.hex) })
            guard flipped || heldOut > 0 else { return names }
            return .object([("files", names), ("flip", .bool(flipped)), ("held_out", .integer(heldOut))])
        case .sprites: return .string("sprites")
        case .density(.gaussian(let mean, let covariance), _):
            return .object([("mean", row(mean)), ("covariance", .array(covariance.map(numbers)))])
        case .density(.independentGaussian(let mean, let deviations), _):
            return .object([("mean", row(mean)), ("std", row(deviations))])
        case .density(.uniformBox(let low, let high), _): return .object([("low", row(low)), ("high", row(high))])
        case .density(.gaussianMixture(let means, let deviations, let weights), let labelled):
            return .object([
                ("means", rows(means)), ("std", rows(deviations)), ("weights", numbers(weights)),
                ("labels", .bool(labelled)),
            ])
        }
    }
}
