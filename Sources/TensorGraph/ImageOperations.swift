/// Layers of networks on images [n, height, width, channels].
extension Value {
    /// Group norm (Wu and He 2018): of each image the channels, in `groups` of neighbours, less their mean over the group
    /// and all pixels and over their standard deviation, (x - mean) / sqrt(variance + epsilon), times `weight` [channels]
    /// plus `bias` [channels]. The variance is divided by the number of elements.
    public func groupNorm(groups: Int, weight: Value, bias: Value, epsilon: Float = 1e-5) -> Value {
        precondition(shape.count == 4 && groups > 0 && shape[3].isMultiple(of: groups), "\(groups) groups of \(shape)")
        let centred = self - groupMean(groups)
        let deviation = ((centred * centred).groupMean(groups) + epsilon).squareRoot()
        return centred * (1 / deviation * weight) + bias
    }

    /// The mean over each group of channels and all pixels, for each channel: [n, 1, 1, channels].
    ///
    /// Pixels are summed first, channel by channel, so that the pass over the image walks along its innermost axis.
    private func groupMean(_ groups: Int) -> Value {
        let (images, channels) = (shape[0], shape[3])
        let split = [images, groups, channels / groups]
        let means = mean(1, 2).reshape(split).mean(2)
        return means.broadcast(to: split).reshape([images, 1, 1, channels])
    }

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
