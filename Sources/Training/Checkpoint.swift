import EnergyModels
import Safetensors
import StrictJSON

/// A training in a file: all that the next step depends on, except the spec and its data.
struct Checkpoint {
    /// Parameters, moments, average and steps.
    let optimizer: Adam
    /// Of the last steps.
    let losses: [Double]
    /// ``TrainingSpec/identity(files:)`` of the spec.
    let identity: String

    init(optimizer: Adam, losses: [Double], identity: String) {
        self.optimizer = optimizer
        self.losses = losses
        self.identity = identity
    }

    /// Writes the file beside its name and renames it: the earlier checkpoint stands until then.
    func write(to path: String) throws(TrainingError) {
        let arrays = [
            ("parameters", optimizer.parameters), ("first_moment", optimizer.firstMoment),
            ("second_moment", optimizer.secondMoment), ("average", optimizer.average),
        ]
        do {
            try SafetensorsFile.write(
                [
                    StoredTensor("steps", shape: [1], .unsigned64([UInt64(optimizer.steps)])),
                    StoredTensor("losses", shape: [losses.count], .float64(losses)),
                ] + arrays.map { StoredTensor($0, shape: [$1.count], .float32($1)) },
                metadata: ["rrr.training": identity], to: path)
        } catch {
            throw TrainingError(exitStatus: error.code.rawValue, error.description)
        }
    }

    /// Reads a checkpoint of a training of `iterations` steps with `count` parameters.
    /// - Throws: ``TrainingError`` with exit status 65, for another training's checkpoint with what differs.
    init(path: String, identity: JSONText, iterations: Int, count: Int) throws(TrainingError) {
        func refusal(_ reason: String) -> TrainingError { TrainingError(exitStatus: 65, "\(path): \(reason)") }
        do {
            let file = try SafetensorsFile(path: path)
            guard let text = file.metadata["rrr.training"] else {
                throw refusal("this is not a checkpoint of a training")
            }
            guard text == identity.canonical else {
                throw refusal(
                    "belongs to another training, \(Self.difference(text, identity)); "
                        + "use its spec, or --force to begin again")
            }
            self.identity = text
            losses = try file.doubles(file.tensor("losses"))
            let steps = try file.integers(file.tensor("steps"))
            optimizer = Adam(
                steps: steps.first.flatMap { Int(exactly: $0) } ?? -1, parameters: try file.floats(file.tensor("parameters")),
                firstMoment: try file.floats(file.tensor("first_moment")), secondMoment: try file.floats(file.tensor("second_moment")),
                average: try file.floats(file.tensor("average")))
        } catch let error as TrainingError {
            throw error
        } catch {
            throw refusal("\(error)")
        }
        let arrays = [optimizer.parameters, optimizer.firstMoment, optimizer.secondMoment, optimizer.average]
        guard (0...iterations).contains(optimizer.steps), losses.count == min(optimizer.steps, TrainingRun.recent),
            arrays.allSatisfy({ $0.count == count })
        else { throw refusal("is damaged; use --force to begin again") }
    }

    /// The names of the sections in which two identities differ.
    private static func difference(_ text: String, _ identity: JSONText) -> String {
        guard let node = try? JSONParser.parse(Array(text.utf8)), case .object(let theirs) = node.value,
            let own = try? JSONParser.parse(Array(identity.canonical.utf8)), case .object(let ours) = own.value
        else { return "of another version" }
        let names = ours.filter { member in
            !theirs.contains { $0.name == member.name && $0.node.value == member.node.value }
        }.map { "\"\($0.name)\"" }
        return "with another " + names.joined(separator: " and ")
    }
}
