import EnergyModels
import Foundation
import VectorMath

/// The exact posterior of the components of a mixture: log w_k + l_k - log sum of w_j exp(l_j).
struct BayesClassifier: Classifier {
    let components: [any Density]
    let weights: [Double]

    var shape: PointShape { components[0].shape }
    var classes: Int { components.count }

    func logProbability(of label: Int) -> any Density { Posterior(classifier: self, label: label) }

    private struct Posterior: Density {
        let classifier: BayesClassifier
        let label: Int

        var shape: PointShape { classifier.shape }

        func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator {
            Evaluator(
                label: label, logWeights: classifier.weights.map { log($0) },
                components: classifier.components.map { $0.evaluator(lanes: lanes, at: level) })
        }
    }

    private struct Evaluator: DensityEvaluator {
        let label: Int
        let logWeights: [Double]
        var components: [any DensityEvaluator]

        mutating func move(to level: NoiseLevel) {
            for index in components.indices { components[index].move(to: level) }
        }

        mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) throws(EvaluationError) {
            var parts = components.map { _ in Evaluation(dimension: x.rows, lanes: x.lanes) }
            for index in components.indices { try components[index].evaluate(at: x, into: &parts[index]) }
            for lane in 0..<x.lanes {
                let logs = parts.indices.map { logWeights[$0] + parts[$0].logDensity[lane] }
                let top = logs.reduce(-.infinity, max)
                let total = logs.reduce(0) { $0 + exp($1 - top) }
                evaluation.logDensity[lane] = logs[label] - top - log(total)
                for row in 0..<x.rows {
                    let mean = parts.indices.reduce(0) { sum, index in
                        sum + exp(logs[index] - top) / total * parts[index].score[row, lane]
                    }
                    evaluation.score[row, lane] = parts[label].score[row, lane] - mean
                }
            }
        }
    }
}

/// Classifier networks for tests, by their weights.
enum NetworkClassifier {
    static func network(
        _ architecture: NetworkDescription.Architecture, _ parameters: [[Float]]
    ) -> any Classifier {
        let network = Network(
            description: NetworkDescription(
                architecture: architecture, energy: nil, schedule: .init(kind: .cosine, levels: architecture.levels)),
            parameters: parameters)
        guard let classifier = network.classifier else { preconditionFailure("no classifier") }
        return classifier
    }

    /// Three labels in two dimensions at 100 levels, with weights of about the usual size.
    static let arbitrary: any Classifier = {
        let architecture = NetworkDescription.Architecture(
            kind: .classifier, dimension: 2, hidden: 8, widen: 2, blocks: 2, embedding: 4, levels: 100, classes: 3)
        return network(
            architecture,
            architecture.parameters.map { parameter in
                (0..<parameter.shape.reduce(1, *)).map { Float($0 * 37 % 101 - 50) * 0.012 }
            })
    }()

    /// Logits that are linear: weights [classes][d] and biases [classes]. The input map is the identity and there
    /// are no blocks.
    static func linear(weights: [[Double]], biases: [Double], levels: Int) -> any Classifier {
        let dimension = weights[0].count
        let architecture = NetworkDescription.Architecture(
            kind: .classifier, dimension: dimension, hidden: dimension, widen: 1, blocks: 0, embedding: 1,
            levels: levels, classes: weights.count)
        let identity: [Float] = (0..<dimension * dimension).map { $0 / dimension == $0 % dimension ? 1 : 0 }
        return network(
            architecture,
            [
                [Float](repeating: 0, count: levels), identity, [Float](repeating: 0, count: dimension),
                weights.flatMap { $0.map { Float($0) } }, biases.map { Float($0) },
            ])
    }
}
