/// Additions that cost no pass of their own: the kernel of a convolution or of a norm's gradient adds to each number
/// what comes next to it just before it stores it.
struct StoredSums {
    /// A kernel's node and what is added to it.
    struct Sum {
        let kernel: Int
        /// Numbers of each channel, or of each channel of each image, in the order in which they are added; then
        var channels: [Int] = []
        /// numbers of the result's own shape.
        var numbers: Int?
        /// The kernel's node and the sums on the way: none has an array.
        var parts: [Int] = []
    }

    /// By the node of the last addition.
    private(set) var sums: [Int: Sum] = [:]
    /// For a part of a sum the node of its last addition.
    private(set) var ends: [Int: Int] = [:]

    /// - Parameters:
    ///   - needed: ascending nodes.
    ///   - outputs: nodes whose arrays are read when the plan has run.
    init(_ graph: Graph, needed: [Int], outputs: Set<Int>) {
        var readers: [Int: Int] = [:]
        for operand in needed.flatMap({ graph.nodes[$0].operands }) { readers[operand, default: 0] += 1 }
        for index in needed where graph.nodes[index].operation == .elementwise(.add) {
            let node = graph.nodes[index]
            // The kernel that is computed last: the other one's result is there by then.
            for operand in Set(node.operands).sorted(by: >) {
                guard let other = node.operands.first(where: { $0 != operand }) else { continue }
                guard readers[operand] == 1, !outputs.contains(operand), graph.nodes[operand].rate == node.rate,
                    graph.nodes[operand].shape == node.shape,
                    var sum = sums[operand] ?? (graph.nodes[operand].addsNumbers ? Sum(kernel: operand) : nil),
                    sum.numbers == nil
                else { continue }
                if graph.nodes[other].shape == node.shape {
                    sum.numbers = other
                } else if graph.nodes[sum.kernel].addsChannels, sum.channels.count < 2,
                    graph.nodes[other].isChannels(of: node.shape)
                {
                    sum.channels.append(other)
                } else {
                    continue
                }
                sum.parts.append(operand)
                sums[operand] = nil
                sums[index] = sum
                for part in sum.parts { ends[part] = index }
                break
            }
        }
    }
}

extension Graph.Node {
    fileprivate var addsNumbers: Bool {
        switch operation {
        case .convolution, .convolutionToInput, .groupNormToInput: true
        default: false
        }
    }

    fileprivate var addsChannels: Bool {
        switch operation {
        case .convolution, .convolutionToInput: true
        default: false
        }
    }

    /// Whether these are numbers of each channel of images, or of each channel of each image.
    fileprivate func isChannels(of images: [Int]) -> Bool {
        let channels = Array(images.suffix(1))
        return [channels, [1, 1, 1] + channels, [images[0], 1, 1] + channels].contains(shape)
    }
}
