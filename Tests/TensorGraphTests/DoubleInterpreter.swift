import Foundation

@testable import TensorGraph

/// Computes the nodes of a graph one by one in double precision, straight from the definition of each
/// operation: no fusion, no shared memory, no library. What plans and gradients are held against.
struct DoubleInterpreter {
    var inputs: [Int: [Double]] = [:]
    var indices: [Int: [Int]] = [:]

    func values(_ value: Value) -> [Double] {
        let graph = value.graph
        var known: [Int: [Double]] = [:]
        for index in graph.needed(for: [value.index]) {
            known[index] = compute(graph, index) { known[$0] ?? [] }
        }
        return known[value.index] ?? []
    }

    private func compute(_ graph: Graph, _ index: Int, _ known: (Int) -> [Double]) -> [Double] {
        let node = graph.nodes[index]
        let shapes = node.operands.map { graph.nodes[$0].shape }
        let count = node.shape.elementCount
        switch node.operation {
        case .input: return inputs[index] ?? []
        case .indices: return []
        case .constant(let tensor): return graph.constants[tensor].values.map(Double.init)
        case .parameter: preconditionFailure("these graphs have none")
        case .stopGradient, .reshape: return known(node.operands[0])
        case .broadcast:
            return places(node.shape).map { known(node.operands[0])[offset($0, shapes[0].strides(over: node.shape))] }
        case .elementwise(let operation):
            let operands = node.operands.map(known)
            let strides = shapes.map { $0.strides(over: node.shape) }
            return places(node.shape).map { place in
                let a = operands[0][offset(place, strides[0])]
                return apply(operation, a, operands.count > 1 ? operands[1][offset(place, strides[1])] : a)
            }
        case .reduce(let kind, let axes):
            var result = [Double](repeating: kind == .sum ? 0 : -.infinity, count: count)
            for (place, x) in zip(places(shapes[0]), known(node.operands[0])) {
                let kept = place.enumerated().map { axes.contains($0) ? 0 : $1 }
                let target = offset(kept, node.shape.strides)
                result[target] = kind == .sum ? result[target] + x : max(result[target], x)
            }
            return result
        case .matrixMultiply(let left, let right):
            let (a, b) = (known(node.operands[0]), known(node.operands[1]))
            let rank = node.shape.count
            let inner = shapes[0][left ? rank - 2 : rank - 1]
            return places(node.shape).map { place in
                (0..<inner).reduce(0) { sum, k in
                    let lead = Array(place.dropLast(2))
                    let (i, j) = (place[rank - 2], place[rank - 1])
                    return sum + a[offset(lead + (left ? [k, i] : [i, k]), shapes[0].strides)]
                        * b[offset(lead + (right ? [j, k] : [k, j]), shapes[1].strides)]
                }
            }
        case .convolution(let layer):
            let (x, w) = (known(node.operands[0]), known(node.operands[1]))
            var y = [Double](repeating: 0, count: count)
            forEachProduct(of: layer, images: node.shape[0]) { y[$1] += x[$0] * w[$2] }
            return y
        case .convolutionToInput(let layer):
            let (dy, w) = (known(node.operands[0]), known(node.operands[1]))
            var dx = [Double](repeating: 0, count: count)
            forEachProduct(of: layer, images: node.shape[0]) { dx[$0] += dy[$1] * w[$2] }
            return dx
        case .convolutionToWeights(let layer):
            let (x, dy) = (known(node.operands[0]), known(node.operands[1]))
            var dw = [Double](repeating: 0, count: count)
            forEachProduct(of: layer, images: shapes[0][0]) { dw[$2] += x[$0] * dy[$1] }
            return dw
        case .groupNorm(let norm):
            var y = [Double](repeating: 0, count: count)
            forEachGroup(of: norm, node.shape, node.operands.map(known)) { group in
                for number in group { y[number.place] = norm.hasSwish ? number.v / (1 + exp(-number.v)) : number.v }
            }
            return y
        case .groupNormToInput(let norm):
            let dy = known(node.operands[0])
            var dx = [Double](repeating: 0, count: count)
            forEachGroup(of: norm, node.shape, node.operands.dropFirst().map(known)) { group in
                let back = group.map { number in
                    let s = 1 / (1 + exp(-number.v))
                    return dy[number.place] * number.weight * (norm.hasSwish ? s * (1 + number.v * (1 - s)) : 1)
                }
                let mean = back.reduce(0, +) / Double(group.count)
                let along = zip(back, group).reduce(0) { $0 + $1.0 * $1.1.standard } / Double(group.count)
                for (number, back) in zip(group, back) {
                    dx[number.place] = (back - mean - number.standard * along) / number.deviation
                }
            }
            return dx
        case .spread(let scale):
            return places(node.shape).map { place in
                let from = [place[0], place[1] / 2, place[2] / 2, place[3]]
                return Double(scale) * known(node.operands[0])[offset(from, shapes[0].strides)]
            }
        case .pool(let scale):
            var result = [Double](repeating: 0, count: count)
            for (place, x) in zip(places(shapes[0]), known(node.operands[0])) {
                result[offset([place[0], place[1] / 2, place[2] / 2, place[3]], node.shape.strides)] +=
                    Double(scale) * x
            }
            return result
        case .transpose(let order):
            return places(node.shape).map { place in
                known(node.operands[0])[offset(place, order.map { shapes[0].strides[$0] })]
            }
        case .slice(let axis, let start):
            return places(node.shape).map { place in
                var from = place
                from[axis] += start
                return known(node.operands[0])[offset(from, shapes[0].strides)]
            }
        case .concatenate(let axis):
            return places(node.shape).map { place in
                var (from, part) = (place, 0)
                while from[axis] >= shapes[part][axis] {
                    from[axis] -= shapes[part][axis]
                    part += 1
                }
                return known(node.operands[part])[offset(from, shapes[part].strides)]
            }
        case .gather:
            let rows = indices[node.operands[1]] ?? []
            return places(node.shape).map { known(node.operands[0])[rows[$0[0]] * node.shape[1] + $0[1]] }
        case .scatterSum:
            var result = [Double](repeating: 0, count: count)
            for (place, x) in zip(places(shapes[0]), known(node.operands[0])) {
                result[(indices[node.operands[1]] ?? [])[place[0]] * node.shape[1] + place[1]] += x
            }
            return result
        }
    }

    /// Hands on where the input, the output and the weight are of every product that a convolution sums.
    private func forEachProduct(of layer: Convolution, images: Int, _ body: (Int, Int, Int) -> Void) {
        let (x, y) = (layer.inputShape(images).strides, layer.outputShape(images).strides)
        let kernel = layer.kernel
        for place in places(layer.outputShape(images) + [layer.channels, kernel, kernel]) {
            let (n, i, j, o, c, a, b) = (place[0], place[1], place[2], place[3], place[4], place[5], place[6])
            let row = layer.stride * i + a - layer.padding
            let column = layer.stride * j + b - layer.padding
            guard 0..<layer.height ~= row, 0..<layer.width ~= column else { continue }
            body(
                offset([n, row, column, c], x), offset([n, i, j, o], y),
                offset([o, c, a, b], layer.weightsShape.strides))
        }
    }

    /// A number of a group: where it is, less the mean and over the deviation, that deviation, what it is multiplied by,
    /// and what comes out.
    private typealias Normalized = (place: Int, standard: Double, deviation: Double, weight: Double, v: Double)

    /// - Parameter operands: images, weights and biases.
    private func forEachGroup(
        of norm: GroupNorm, _ shape: [Int], _ operands: [[Double]], _ body: ([Normalized]) -> Void
    ) {
        let (images, channels) = (shape[0], shape[3])
        let size = channels / norm.groups
        let x = operands[0]
        for image in 0..<images {
            func term(_ operand: Int, _ place: Int) -> Double {
                operands[operand][(operands[operand].count > channels ? image * channels : 0) + place % channels]
            }
            let pixels = x.count / images
            for group in 0..<norm.groups {
                let places = (image * pixels..<(image + 1) * pixels).filter { $0 % channels / size == group }
                let mean = places.reduce(0) { $0 + x[$1] } / Double(places.count)
                let variance = places.reduce(0) { $0 + (x[$1] - mean) * (x[$1] - mean) } / Double(places.count)
                let deviation = (variance + Double(norm.epsilon)).squareRoot()
                body(
                    places.map { place in
                        let standard = (x[place] - mean) / deviation
                        let weight = term(1, place)
                        return (place, standard, deviation, weight, standard * weight + term(2, place))
                    })
            }
        }
    }

    private func apply(_ operation: Elementwise, _ a: Double, _ b: Double) -> Double {
        switch operation {
        case .negate: -a
        case .exponential: exp(a)
        case .logarithm: log(a)
        case .squareRoot: a.squareRoot()
        case .sigmoid: 1 / (1 + exp(-a))
        case .add: a + b
        case .subtract: a - b
        case .multiply: a * b
        case .divide: a / b
        case .maximum: max(a, b)
        case .greater: a > b ? 1 : 0
        }
    }

    /// Every index tuple of a shape, in row-major order.
    private func places(_ shape: [Int]) -> [[Int]] {
        shape.reduce([[]]) { places, length in places.flatMap { place in (0..<length).map { place + [$0] } } }
    }

    private func offset(_ place: [Int], _ strides: [Int]) -> Int { zip(place, strides).reduce(0) { $0 + $1.0 * $1.1 } }
}
