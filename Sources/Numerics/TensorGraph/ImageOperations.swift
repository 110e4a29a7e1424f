import CVectorMath

/// Layers of networks on images [n, height, width, channels].
extension Value {
    /// Twice as high and wide: each pixel becomes four.
    package func upsampled() -> Value { spread(scale: 1) }

    /// Half as high and wide: the mean of each four pixels. Both lengths are even.
    package func averagePooled() -> Value { pool(scale: 0.25) }

    /// Each pixel, times `scale`, becomes four.
    func spread(scale: Float) -> Value {
        precondition(shape.count == 4, "\(shape)")
        return graph.add(.spread(scale: scale), [self], [shape[0], 2 * shape[1], 2 * shape[2], shape[3]])
    }

    /// The sum of each four pixels, times `scale`.
    func pool(scale: Float) -> Value {
        precondition(shape.count == 4 && shape[1].isMultiple(of: 2) && shape[2].isMultiple(of: 2), "\(shape)")
        return graph.add(.pool(scale: scale), [self], [shape[0], shape[1] / 2, shape[2] / 2, shape[3]])
    }
}

/// A change of resolution as a step of a plan.
struct Resampling: Sendable {
    /// Whether the result is the larger one.
    let enlarges: Bool
    let scale: Float
    /// The small images, [n, height, width, channels].
    let shape: [Int]
    let source: MemoryAddress
    let result: MemoryAddress

    func run(_ regions: Regions) {
        let (rows, width, channels) = (shape[0] * shape[1], shape[2], shape[3])
        if enlarges {
            rrr_spread_pixels(rows, width, channels, scale, regions[source], regions[result])
        } else {
            rrr_pool_pixels(rows, width, channels, scale, regions[source], regions[result])
        }
    }
}
