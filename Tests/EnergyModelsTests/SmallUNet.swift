import EnergyModels

/// The smallest U-Net with every kind of layer, and its file, whole or changed.
enum SmallUNet {
    static let architecture: UNet = {
        var network = UNet(
            height: 4, width: 4, channels: 1, modelChannels: 4, multipliers: [1, 2], blocks: 1, attention: [2],
            heads: .channels(2), groups: 2, levels: 3, classes: 2)
        network.resampling = .convolution
        return network
    }()

    static let description = NetworkDescription(
        architecture: .unet(architecture), energy: .init(kind: .denoising, scale: 0.5),
        schedule: .init(kind: .linear(), levels: 3))

    static let text =
        #"{"format":1,"architecture":{"kind":"unet","size":[4,4],"channels":1,"model_channels":4,"multipliers":[1,2],"#
        + #""blocks":1,"attention":[2],"head_channels":2,"groups":2,"levels":3,"classes":2,"resample":"convolution"},"#
        + #""energy":{"kind":"denoising","scale":0.5},"schedule":{"kind":"linear","levels":3}}"#

    static let classifierText =
        text.replacing(#""kind":"unet""#, with: #""kind":"unet_classifier""#)
        .replacing(#""energy":{"kind":"denoising","scale":0.5},"#, with: "")

    static let classifier = {
        var network = architecture
        network.kind = .classifier
        return NetworkDescription(
            architecture: .unet(network), energy: nil, schedule: .init(kind: .linear(), levels: 3))
    }()

    /// Small numbers of both signs, which half precision holds too.
    static func parameters(_ description: NetworkDescription) -> [[Float]] {
        var state: UInt64 = 11
        return description.architecture.parameters.map { parameter in
            (0..<parameter.shape.reduce(1, *)).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Float(Int(state >> 40) % 129 - 64) / 256
            }
        }
    }

    static func network(_ description: NetworkDescription = description) -> Network {
        Network(description: description, parameters: parameters(description))
    }

    static func tensors(_ description: NetworkDescription = description) -> [SmallNetwork.Tensor] {
        zip(description.architecture.parameters, parameters(description)).map { parameter, values in
            SmallNetwork.Tensor(
                name: parameter.name, shape: parameter.shape,
                bytes: values.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) })
        }
    }
}
