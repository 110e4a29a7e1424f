package import EnergyModels
import StrictJSON

/// What the user says of a network, where its files may not. What contradicts a file is refused.
package struct ImportOptions: Sendable {
    /// Height and width of the images.
    package var size: [Int]?
    /// How the output becomes an energy; `noise` for none.
    package var energy: NetworkDescription.Energy.Kind?
    /// What the energy's form is multiplied by.
    package var scale: Double?
    /// What the output predicts, for a network without an energy.
    package var prediction: NetworkDescription.Energy.Prediction?
    /// The formula of the noise levels.
    package var schedule: ScheduleDescription.Kind?
    /// How many noise levels there are.
    package var levels: Int?
    /// How attention divides its features.
    package var heads: UNet.Heads?
    /// The order of queries, keys and values.
    package var projections: UNet.Projections?
    /// Groups of the group norms.
    package var groups: Int?
    /// Residual blocks of a resolution on the way down.
    package var blocks: Int?
    /// How weights are stored; nil for half precision where all were in half precision, and else single.
    package var weights: NetworkFile.Storage?

    /// Nothing said.
    package init() {}
}

extension ImportOptions {
    /// Levels that are taken where nothing says how many: all three layouts are trained on so many.
    private static let usualLevels = 1000

    /// What a file says, or else an option. - Throws: if they contradict each other.
    static func settled<Fact: Equatable>(
        _ option: String, _ told: Fact?, file: Fact?, _ shown: (Fact) -> String = { "\($0)" }
    ) throws(ImportError) -> Fact? {
        if let told, let file, told != file {
            throw .usage(
                "\(option) says \(shown(told)), but the file has \(shown(file)); leave the option out")
        }
        return file ?? told
    }

    /// - Parameters:
    ///   - file: what a file says of the heads.
    ///   - needed: whether the network has attention.
    /// - Throws: if that is not known, or the options contradict it.
    func heads(file: UNet.Heads? = nil, needed: Bool) throws(ImportError) -> UNet.Heads {
        if let heads = try Self.settled("--heads or --head-channels", heads, file: file, \.text) { return heads }
        guard needed else { return .count(1) }
        throw .usage(
            "no tensor says how many heads attention has: give --head-channels N, the features of a head (64 in all "
                + "released networks but the one of 128 x 128 images), or --heads N (4 in that one)")
    }

    /// The noise levels and why they are these.
    ///
    /// - Parameters:
    ///   - file: what a file says, and its name.
    ///   - usual: what the layout is trained with, where it is one thing.
    /// - Throws: if nothing says, or the options contradict the file.
    func schedule(
        file: (schedule: ScheduleDescription, name: String)? = nil, usual: ScheduleDescription.Kind? = nil
    ) throws(ImportError) -> (ScheduleDescription, String) {
        if let file {
            _ = try Self.settled("the option of the schedule", schedule, file: file.schedule.kind) {
                ScheduleDescription(kind: $0, levels: file.schedule.levels).json.canonical
            }
            _ = try Self.settled("--levels", levels, file: file.schedule.levels)
            return (file.schedule, file.name)
        }
        guard let kind = schedule ?? usual else {
            throw .usage(
                "no file says what noise levels the network was trained on: give --cosine, --linear FIRST LAST (often 1e-4 "
                    + "0.02) or --scaled-linear FIRST LAST, and --levels N if they are not \(Self.usualLevels)")
        }
        let reason =
            "the formula " + (schedule == nil ? "as this layout's own training has it" : "as told") + ", the levels "
            + (levels == nil ? "as networks of this layout are trained" : "as told")
        return (ScheduleDescription(kind: kind, levels: levels ?? Self.usualLevels), reason)
    }

    /// From output to energy, and why.
    ///
    /// - Parameters:
    ///   - reason: what shows that the network is no energy; nil if nothing does.
    ///   - file: what a file says is predicted, and its name.
    /// - Throws: if the options contradict each other or the file.
    func energy(
        notBecause reason: String? = nil, file: (prediction: NetworkDescription.Energy.Prediction, name: String)? = nil
    ) throws(ImportError) -> (NetworkDescription.Energy, String) {
        let kind = energy ?? .noise
        guard kind == .noise else {
            if let reason { throw .usage("--energy \(kind.rawValue), but \(reason); leave the option out") }
            if let prediction {
                throw .usage(
                    "--prediction \(prediction.rawValue) is for networks without an energy: the gradient of an energy "
                        + "predicts the noise; leave it out")
            }
            if let file, file.prediction != .epsilon {
                throw .usage(
                    "--energy \(kind.rawValue), but \(file.name) says that the network predicts "
                        + "\(file.prediction.rawValue); leave the option out")
            }
            return (NetworkDescription.Energy(kind: kind, scale: scale ?? 1), "as told; no file says it")
        }
        if let scale { throw .usage("--scale \(scale) is for energies: give --energy too, or leave it out") }
        let settled = try Self.settled("--prediction", prediction, file: file?.prediction, \.rawValue)
        let why =
            file?.name ?? (prediction == nil ? "as the layout is trained; --prediction says otherwise" : "as told")
        return (NetworkDescription.Energy(kind: .noise, prediction: settled ?? .epsilon), why)
    }

    /// Refuses what only networks that are no classifiers have. - Throws: ``ImportError``.
    func expectNoEnergy() throws(ImportError) {
        let told = [
            energy.map { "--energy \($0.rawValue)" }, scale.map { "--scale \($0)" },
            prediction.map { "--prediction \($0.rawValue)" },
        ]
        guard let option = told.compactMap(\.self).first else { return }
        throw .usage("\(option), but this is a classifier, which has logits and no energy; leave the option out")
    }
}

extension UNet.Heads {
    /// As decisions have it.
    var text: String {
        switch self {
        case .count(let count): count == 1 ? "1 head" : "\(count) heads"
        case .channels(let width): "heads of \(width) channels"
        }
    }
}
