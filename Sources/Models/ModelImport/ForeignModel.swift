import EnergyModels
import StrictJSON

/// A network as a layout has it, and where each of its parameters comes from.
struct ForeignModel {
    var network: UNet
    /// nil for a classifier.
    var energy: NetworkDescription.Energy?
    var schedule: ScheduleDescription
    var decisions = Decisions()
    /// The tensors that make a parameter, by the parameter's name.
    var source: @Sendable (String) -> TensorSource = { TensorSource([$0]) }

    var description: NetworkDescription {
        NetworkDescription(architecture: .unet(network), energy: energy, schedule: schedule)
    }
}

/// The tensors that stand one below the other in a parameter: one of them, but for queries, keys and values.
struct TensorSource {
    /// Names of each that files have for it.
    let parts: [[String]]

    init(_ names: [String]) { parts = [names] }
    init(parts: [[String]]) { self.parts = parts }
}

/// What was found or assumed of a network, and why: what the user is shown.
struct Decisions {
    private(set) var lines: [String] = []

    mutating func add(_ what: String, _ value: String, _ reason: String) {
        lines.append(what + String(repeating: " ", count: max(1, 14 - what.count)) + value + " (" + reason + ")")
    }

    mutating func add(_ energy: NetworkDescription.Energy, _ reason: String) {
        let text =
            switch energy.kind {
            case .denoising: "\(energy.scale) sum of (x - f)^2"
            case .squaredNorm: "\(energy.scale) times 1/2 sum of f^2"
            case .innerProduct: "\(energy.scale) sum of x f"
            case .noise: "none: the network predicts \(energy.prediction.rawValue)"
            }
        add("energy", text, reason)
    }

    mutating func add(_ schedule: ScheduleDescription, _ reason: String) {
        let text =
            switch schedule.kind {
            case .cosine, .table: schedule.kind.name
            case .linear(let first, let last), .scaledLinear(let first, let last):
                schedule.kind.name + " from " + (first.map { "\($0)" } ?? "the usual") + " to "
                    + (last.map { "\($0)" } ?? "the usual")
            }
        add("schedule", "\(text), \(schedule.levels) levels", reason)
    }

    /// Size of images, features of each resolution, where attention is and how the resolution changes.
    mutating func add(shapeOf network: UNet, _ reason: String, size sizeReason: String) {
        add("images", "[\(network.channels), \(network.height), \(network.width)]", sizeReason)
        add("channels", "\(network.modelChannels), times \(Self.list(network.multipliers))", reason)
        add("blocks", "\(network.blocks) of each resolution", reason)
        let middle = network.attendsInMiddle ? "in the middle" : "not in the middle"
        add(
            "attention", network.attention.isEmpty ? middle : "where maps are \(network.attention) wide, " + middle,
            reason)
        add("resample", "\(network.resampling.rawValue), \(network.padding.rawValue)", reason)
        add("embedding", network.scalesAndShifts ? "scales and shifts" : "is added", reason)
    }

    /// Numbers as JSON has them: whole ones without a point.
    private static func list(_ numbers: [Double]) -> String {
        JSONText.array(numbers.map { .number($0) }).canonical.replacing(",", with: ", ")
    }
}
