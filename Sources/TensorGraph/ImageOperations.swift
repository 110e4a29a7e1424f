/// Layers of networks on images [n, height, width, channels].
extension Value {
    /// Twice as high and wide: each pixel becomes four.
    public func upsampled() -> Value {
        precondition(shape.count == 4, "\(shape)")
        let (images, height, width, channels) = (shape[0], shape[1], shape[2], shape[3])
        return reshape([images, height, 1, width, 1, channels])
            .broadcast(to: [images, height, 2, width, 2, channels])
            .reshape([images, 2 * height, 2 * width, channels])
    }

    /// Half as high and wide: the mean of each four pixels. Both lengths are even.
    public func averagePooled() -> Value {
        precondition(shape.count == 4 && shape[1].isMultiple(of: 2) && shape[2].isMultiple(of: 2), "\(shape)")
        let (images, height, width, channels) = (shape[0], shape[1] / 2, shape[2] / 2, shape[3])
        return reshape([images, height, 2, width, 2, channels]).mean(2, 4)
            .reshape([images, height, width, channels])
    }
}
