import StrictJSON

/// Reads a U-Net's shape, number by number.
struct UNetDecoder: JSONSectionDecoder {
    private static let mostChannels = 16_384
    private static let mostResolutions = 12

    let kind: NetworkDescription.Architecture.Kind
    let members: JSONMembers
    var problems: [JSONProblem] = []

    init(kind: NetworkDescription.Architecture.Kind, members: JSONMembers) {
        (self.kind, self.members) = (kind, members)
    }

    /// The network, all its parts going together; nil if something is wrong, which is then among the problems.
    mutating func decode() -> UNet? {
        refuse(
            members,
            beside: [
                "kind", "size", "channels", "model_channels", "multipliers", "blocks", "attention", "head_channels",
                "heads", "groups", "levels", "classes", "scale_shift", "resample", "qkv", "middle_attention",
                "norm_epsilon", "time", "padding",
            ] + (kind == .energy ? ["outputs"] : []))
        let (kind, members) = (kind, members)
        let size = attempt { () throws(JSONProblem) in try Self.size(members) }
        let channels = number("channels", 1...256, members)
        let modelChannels = attempt { () throws(JSONProblem) -> Int in
            let field = try members.required("model_channels", "a whole number")
            let count = try field.integer(2...4096)
            guard count.isMultiple(of: 2) else {
                throw field.problem("is \(count); must be even, half for cosines and half for sines")
            }
            return count
        }
        let multipliers = attempt { () throws(JSONProblem) in try Self.multipliers(members, modelChannels) }
        let blocks = number("blocks", 1...64, members)
        let attention = attempt { () throws(JSONProblem) in try Self.attention(members) }
        let heads = attempt { () throws(JSONProblem) in try Self.heads(members) }
        let groups = number("groups", 1...Self.mostChannels, members)
        let levels = number("levels", 1...65_535, members)
        let classes = attempt { () throws(JSONProblem) in try members.classes(kind) }
        let outputs = attempt { () throws(JSONProblem) in try Self.outputs(members, channels) }
        let resampling = choice("resample", UNet.Resampling.block)
        let projections = choice("qkv", UNet.Projections.interleaved)
        let padding = choice("padding", UNet.Padding.symmetric)
        let scalesAndShifts = flag("scale_shift", false)
        let attendsInMiddle = flag("middle_attention", true)
        let epsilon = attempt { () throws(JSONProblem) in
            try members["norm_epsilon"]?.number("a number above zero, at most 0.1, such as 1e-5") {
                Float($0) > 0 && $0 <= 0.1
            } ?? 1e-5
        }
        let time = attempt { () throws(JSONProblem) in try Self.time(members, modelChannels) }
        guard let size, let channels, let modelChannels, let multipliers, let blocks, let attention, let heads,
            let groups, let levels, let classes, let outputs, let resampling, let projections, let padding,
            let scalesAndShifts, let attendsInMiddle, let epsilon, let time
        else { return nil }
        var network = UNet(
            height: size[0], width: size[1], channels: channels, modelChannels: modelChannels, multipliers: multipliers,
            blocks: blocks, attention: attention, heads: heads, groups: groups, levels: levels, classes: classes)
        network.kind = kind
        (network.outputs, network.resampling, network.projections) = (outputs, resampling, projections)
        (network.padding, network.scalesAndShifts) = (padding, scalesAndShifts)
        (network.attendsInMiddle, network.normEpsilon, network.time) = (attendsInMiddle, epsilon, time)
        guard attempt({ () throws(JSONProblem) in try Self.check(network, members) }) != nil else { return nil }
        return network
    }

    private mutating func choice<Name: RawRepresentable<String> & CaseIterable>(
        _ name: String, _ usual: Name
    ) -> Name? {
        let field = members[name]
        return attempt { () throws(JSONProblem) in try field?.choice(Name.self, "\"\(name)\"") ?? usual }
    }

    private mutating func flag(_ name: String, _ usual: Bool) -> Bool? {
        let field = members[name]
        return attempt { () throws(JSONProblem) in try field?.bool() ?? usual }
    }

    private static func size(_ members: JSONMembers) throws(JSONProblem) -> [Int] {
        let wish = "height and width of an image, such as [32, 32]"
        var size: [Int] = []
        for length in try members.required("size", wish).array(wish, count: 2) {
            size.append(try length.integer(1...4096))
        }
        return size
    }

    private static func multipliers(_ members: JSONMembers, _ channels: Int?) throws(JSONProblem) -> [Double] {
        let wish = "what multiplies the channels at each resolution, such as [1, 2, 3]"
        let field = try members.required("multipliers", wish)
        let multipliers = try field.numbers(wish, entry: "a number above zero", where: { $0 > 0 })
        guard multipliers.count <= mostResolutions else {
            throw field.problem("has \(multipliers.count) entries; at most \(mostResolutions) are possible")
        }
        guard let channels else { return multipliers }
        for (place, multiplier) in multipliers.enumerated() {
            let product = multiplier * Double(channels)
            // A quotient such as 7/49 may be no number whose product is whole to the last bit.
            guard product.rounded() >= 1, abs(product - product.rounded()) <= 1e-9 * product,
                product <= Double(mostChannels)
            else {
                throw field.problem(
                    "entry \(place) makes \(product) channels of \(channels); must be a whole number, at most "
                        + "\(mostChannels)")
            }
        }
        return multipliers
    }

    private static func attention(_ members: JSONMembers) throws(JSONProblem) -> [Int] {
        let wish = "widths of feature maps, such as [16, 8], or [] for none"
        let field = try members.required("attention", wish)
        if case .array(let nodes) = field.node.value, nodes.isEmpty { return [] }
        var widths: [Int] = []
        for width in try field.array(wish) { widths.append(try width.integer(1...4096)) }
        return widths
    }

    private static func heads(_ members: JSONMembers) throws(JSONProblem) -> UNet.Heads {
        if let heads = members["heads"] {
            guard members["head_channels"] == nil else {
                throw heads.problem("the channels of a head are given, which say how many there are; leave out one")
            }
            return .count(try heads.integer(1...mostChannels))
        }
        let wish = "the channels of a head of attention, such as 64, or \"heads\", how many there are"
        return .channels(try members.required("head_channels", wish).integer(1...mostChannels))
    }

    private static func outputs(_ members: JSONMembers, _ channels: Int?) throws(JSONProblem) -> Int {
        guard let field = members["outputs"] else { return channels ?? 0 }
        let outputs = try field.integer(1...512)
        guard let channels, outputs != channels, outputs != 2 * channels else { return outputs }
        throw field.problem(
            "is \(outputs); must be \(channels), as the image has, or \(2 * channels) where a variance was learned too")
    }

    private static func time(_ members: JSONMembers, _ channels: Int?) throws(JSONProblem) -> UNet.TimeFeatures {
        var time = UNet.TimeFeatures()
        guard let field = members["time"] else { return time }
        let given = try field.members(
            "{\"order\": \"cos_sin\", \"shift\": 0, \"scale\": 1}", allowed: ["order", "shift", "scale"])
        if let order = given["order"] { time.order = try order.choice(UNet.TimeFeatures.Order.self, "\"order\"") }
        if let shift = given["shift"] {
            let half = channels.map { Double($0 / 2) } ?? .infinity
            time.shift = try shift.number("a number from 0 to below half of the model's channels") {
                $0 >= 0 && $0 < half
            }
        }
        if let scale = given["scale"] {
            time.scale = try scale.number("a number above zero, at most 1e6, such as 1.0") { $0 > 0 && $0 <= 1e6 }
        }
        return time
    }

    /// What each part allows and all together do not.
    private static func check(_ network: UNet, _ members: JSONMembers) throws(JSONProblem) {
        func problem(_ name: String, _ message: String) -> JSONProblem {
            (members[name] ?? members.owner).problem(message)
        }
        if let wrong = PointShape.problem(of: [network.channels, network.height, network.width]) {
            throw problem("size", wrong)
        }
        let halvings = network.multipliers.count - 1
        guard network.height.isMultiple(of: 1 << halvings), network.width.isMultiple(of: 1 << halvings) else {
            throw problem(
                "size",
                "can't be halved \(halvings) times, once for each of the multipliers but the first; must be multiples of "
                    + "\(1 << halvings)")
        }
        let widths = (0...halvings).map { network.width >> $0 }
        for width in network.attention where !widths.contains(width) {
            throw problem("attention", "no feature map is \(width) wide; they are \(widths)")
        }
        if network.padding != .symmetric, network.resampling != .convolution {
            throw problem("padding", "only \"resample\": \"convolution\" has strided convolutions; leave it out")
        }
        for layer in UNetLayout(network).layers {
            switch layer.form {
            case .residual(let inputs, let outputs, _):
                for channels in [inputs, outputs] where !channels.isMultiple(of: network.groups) {
                    throw problem(
                        "groups",
                        "\(layer.name) has a norm of \(channels) channels, not a multiple of \(network.groups)")
                }
            case .attention(let channels):
                try checkHeads(network, channels, layer.name, members)
            case .entrance, .resampling: break
            }
        }
        if network.kind == .classifier { try checkHeads(network, UNetLayout(network).channels, "out.2", members) }
    }

    private static func checkHeads(
        _ network: UNet, _ channels: Int, _ layer: String, _ members: JSONMembers
    ) throws(JSONProblem) {
        let (name, number) =
            switch network.heads {
            case .count(let count): ("heads", count)
            case .channels(let width): ("head_channels", width)
            }
        guard channels.isMultiple(of: number) else {
            throw (members[name] ?? members.owner).problem(
                "\(layer) has \(channels) channels, not a multiple of \(number)")
        }
    }
}
