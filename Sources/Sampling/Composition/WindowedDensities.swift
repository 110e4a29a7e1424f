import EnergyModels
import VectorMath

/// A tapestry's windows with the operands that they show their parts to: what the two ways to combine them share.
private struct Windows {
    let tapestry: Tapestry
    let operands: [Operand]
    let views: [PointView]

    /// Evaluates them, each where it looks.
    struct Evaluator {
        private var windows: [OperandEvaluator]
        private let views: [PointView]
        private var parts: [LaneMatrix]

        init(_ windows: Windows, lanes: Int, at level: NoiseLevel) {
            self.windows = zip(windows.operands, windows.views).map { operand, view in
                OperandEvaluator(operand, dimension: view.coordinates.count, lanes: lanes, at: level)
            }
            views = windows.views
            // A leaf was evaluated before, and is shown nothing.
            parts = zip(windows.operands, windows.views).map { operand, view in
                if case .leaf = operand { return LaneMatrix(rows: 0, lanes: 0) }
                return LaneMatrix(rows: view.coordinates.count, lanes: lanes)
            }
        }

        var indices: Range<Int> { windows.indices }

        mutating func move(to level: NoiseLevel) {
            for index in windows.indices { windows[index].move(to: level) }
        }

        mutating func evaluation(ofWindow index: Int, at x: LaneMatrix, leaves: [Evaluation]) -> Evaluation {
            if parts[index].rows > 0 { views[index].take(from: x, into: &parts[index]) }
            return windows[index].evaluation(at: parts[index], leaves: leaves)
        }
    }
}

/// Sum of w_k l_k(x_k), where x_k is what window k shows of x; its gradient at a pixel is the sum of the windows' there.
struct WindowProduct: Combination {
    private let windows: Windows

    init(_ tapestry: Tapestry, operands: [Operand], views: [PointView]) {
        windows = Windows(tapestry: tapestry, operands: operands, views: views)
    }

    func evaluator(dimension: Int, lanes: Int, at level: NoiseLevel) -> any CombinationEvaluator {
        Evaluator(
            windows: Windows.Evaluator(windows, lanes: lanes, at: level), views: windows.views,
            weights: windows.tapestry.windows.map(\.weight))
    }

    private struct Evaluator: CombinationEvaluator {
        var windows: Windows.Evaluator
        let views: [PointView]
        let weights: [Double]

        mutating func move(to level: NoiseLevel) { windows.move(to: level) }

        mutating func evaluate(at x: LaneMatrix, leaves: [Evaluation], into evaluation: inout Evaluation) {
            evaluation.clear()
            for index in windows.indices {
                let term = windows.evaluation(ofWindow: index, at: x, leaves: leaves)
                for lane in evaluation.logDensity.indices {
                    evaluation.logDensity[lane] += weights[index] * term.logDensity[lane]
                }
                views[index].add(weights[index], term.score, to: &evaluation.score)
            }
        }
    }
}

/// At each pixel the mean of the scores of the windows over it, weighted by ``Tapestry/Spread/shares``. The log density is 0.
struct WindowAverage: Combination {
    private let windows: Windows

    init(_ tapestry: Tapestry, operands: [Operand], views: [PointView]) {
        windows = Windows(tapestry: tapestry, operands: operands, views: views)
    }

    func evaluator(dimension: Int, lanes: Int, at level: NoiseLevel) -> any CombinationEvaluator {
        Evaluator(
            windows: Windows.Evaluator(windows, lanes: lanes, at: level), spreads: windows.tapestry.spreads,
            channels: windows.tapestry.canvas.lengths[0])
    }

    private struct Evaluator: CombinationEvaluator {
        var windows: Windows.Evaluator
        let spreads: [Tapestry.Spread]
        let channels: Int

        mutating func move(to level: NoiseLevel) { windows.move(to: level) }

        mutating func evaluate(at x: LaneMatrix, leaves: [Evaluation], into evaluation: inout Evaluation) {
            evaluation.clear()
            for index in windows.indices {
                let term = windows.evaluation(ofWindow: index, at: x, leaves: leaves)
                add(term.score, spreads[index], to: &evaluation.score)
            }
        }

        private func add(_ part: LaneMatrix, _ spread: Tapestry.Spread, to score: inout LaneMatrix) {
            let lanes = score.lanes
            let (shown, canvas) = (part.rows / channels, score.rows / channels)
            let source = part.elements.span
            var target = score.elements.mutableSpan
            for channel in 0..<channels {
                for place in spread.pixels.indices {
                    let from = (channel * shown + Int(spread.shown[place])) * lanes
                    let to = (channel * canvas + Int(spread.pixels[place])) * lanes
                    for lane in 0..<lanes { target[to + lane] += spread.shares[place] * source[from + lane] }
                }
            }
        }
    }
}

extension Evaluation {
    /// Makes all numbers zero, whatever they were.
    fileprivate mutating func clear() {
        for lane in logDensity.indices { logDensity[lane] = 0 }
        var score = score.elements.mutableSpan
        for place in score.indices { score[place] = 0 }
    }
}
