/// A step of a plan with its arrays in place.
enum Instruction: Sendable {
    case loop(FusedLoop)
    case multiply(MatrixProduct)
    case pack(PackedMatrix)
    case multiplyPacked(PackedProduct)
    case packConvolution(PackedConvolution)
    case convolve(ConvolutionProduct)
    case convolveToWeights(ConvolutionToWeights)
    case groupNorm(GroupNormPass)
    case resample(Resampling)
    case copy(StridedCopy)
    case gather(RowTransfer)
    case scatterSum(RowTransfer)

    func run(_ regions: Regions) {
        switch self {
        case .loop(let loop): loop.run(regions)
        case .multiply(let product): product.run(regions)
        case .pack(let matrix): matrix.run(regions)
        case .multiplyPacked(let product): product.run(regions)
        case .packConvolution(let weights): weights.run(regions)
        case .convolve(let product): product.run(regions)
        case .convolveToWeights(let product): product.run(regions)
        case .groupNorm(let pass): pass.run(regions)
        case .resample(let resampling): resampling.run(regions)
        case .copy(let copy): copy.run(regions)
        case .gather(let rows): rows.gather(regions)
        case .scatterSum(let rows): rows.scatterSum(regions)
        }
    }
}

/// Numbers copied from one strided arrangement to another: transposes, slices, concatenations.
struct StridedCopy: Sendable {
    private let lengths: [Int]
    private let sourceStrides: [Int]
    private let resultStrides: [Int]
    private let source: MemoryAddress
    private let result: MemoryAddress

    /// - Parameters:
    ///   - lengths: of the copied part, axis by axis.
    ///   - source: where its first number is, with the strides by which it is read.
    ///   - result: where that goes, with the strides by which it is written.
    init(lengths: [Int], from source: (MemoryAddress, [Int]), to result: (MemoryAddress, [Int])) {
        (self.source, self.result) = (source.0, result.0)
        var joined: (lengths: [Int], read: [Int], write: [Int]) = ([], [], [])
        for (length, (read, write)) in zip(lengths, zip(source.1, result.1)) where length != 1 {
            // Neighbouring axes that both sides step through as through one are one.
            if let last = joined.lengths.indices.last, joined.read[last] == read * length,
                joined.write[last] == write * length
            {
                joined.lengths[last] *= length
                (joined.read[last], joined.write[last]) = (read, write)
            } else {
                joined.lengths.append(length)
                joined.read.append(read)
                joined.write.append(write)
            }
        }
        (self.lengths, sourceStrides, resultStrides) = joined
    }

    func run(_ regions: Regions) { copy(axis: 0, regions[source], regions[result]) }

    private func copy(axis: Int, _ from: UnsafePointer<Float>, _ to: UnsafeMutablePointer<Float>) {
        guard axis < lengths.count else {
            to.pointee = from.pointee
            return
        }
        let (length, read, write) = (lengths[axis], sourceStrides[axis], resultStrides[axis])
        if axis == lengths.count - 1, read == 1, write == 1 {
            to.update(from: from, count: length)
        } else if axis == lengths.count - 1 {
            for index in 0..<length { to[index * write] = from[index * read] }
        } else {
            for index in 0..<length { copy(axis: axis + 1, from + index * read, to + index * write) }
        }
    }
}

/// Rows between a table [tableRows, width] and a list [count, width] of the rows at given indices.
struct RowTransfer: Sendable {
    let table: MemoryAddress
    let list: MemoryAddress
    /// The first index, in the region of whole numbers.
    let indices: Int
    let count: Int
    let tableRows: Int
    let width: Int

    func gather(_ regions: Regions) {
        for row in 0..<count {
            (regions[list] + row * width)
                .update(from: regions[table] + Int(regions.indices[indices + row]) * width, count: width)
        }
    }

    func scatterSum(_ regions: Regions) {
        let sums = regions[table]
        sums.update(repeating: 0, count: tableRows * width)
        for row in 0..<count {
            let target = sums + Int(regions.indices[indices + row]) * width
            let source = regions[list] + row * width
            for column in 0..<width { target[column] += source[column] }
        }
    }
}
