import Safetensors
import StrictJSON

/// A training in a file: all that the next step depends on, except the spec and its data.
struct Checkpoint {
    /// Parameters, moments, average and steps.
    let optimizer: Adam
    /// Of the last steps.
    let losses: [Double]

    private static let key = "rrr.training"

    init(optimizer: Adam, losses: [Double]) {
        self.optimizer = optimizer
        self.losses = losses
    }

    /// Writes the file beside its name and renames it: the earlier checkpoint stands until then.
    /// - Parameter identity: ``TrainingSpec/identity(files:)``.
    func write(to path: String, identity: JSONText) throws(TrainingError) {
        func floats(_ name: String, _ values: [Float]) -> StoredTensor {
            StoredTensor(name, shape: [values.count], .float32(values))
        }
        do throws(SafetensorsError) {
            try SafetensorsFile.write(
                [
                    StoredTensor("steps", shape: [1], .unsigned64([UInt64(optimizer.steps)])),
                    StoredTensor("losses", shape: [losses.count], .float64(losses)),
                    floats("parameters", optimizer.parameters), floats("first_moment", optimizer.firstMoment),
                    floats("second_moment", optimizer.secondMoment), floats("average", optimizer.average),
                ], metadata: [Self.key: identity.canonical], to: path)
        } catch {
            throw TrainingError(error)
        }
    }

    /// Reads the checkpoint of a training of `iterations` steps with `count` parameters.
    /// - Throws: ``TrainingError`` with exit status 65, for another training's checkpoint with what differs.
    init(path: String, identity: JSONText, iterations: Int, count: Int) throws(TrainingError) {
        func refusal(_ reason: String) -> SafetensorsError { SafetensorsError(.badData, file: path, reason) }
        let damaged = refusal("is no checkpoint of this version, or damaged; use --force to begin again")
        do throws(SafetensorsError) {
            let file = try SafetensorsFile(path: path)
            guard let text = file.metadata[Self.key] else { throw damaged }
            guard text == identity.canonical else {
                throw refusal(
                    "\(Self.difference(text, identity)); use the spec that it was made with, or --force to begin again")
            }
            losses = try file.doubles(file.tensor("losses"))
            guard let steps = try file.integers(file.tensor("steps")).first.flatMap({ Int(exactly: $0) }),
                steps <= iterations, losses.count == min(steps, TrainingRun.recent)
            else { throw damaged }
            optimizer = Adam(
                steps: steps, parameters: try file.floats(file.tensor("parameters")),
                firstMoment: try file.floats(file.tensor("first_moment")),
                secondMoment: try file.floats(file.tensor("second_moment")),
                average: try file.floats(file.tensor("average")))
        } catch {
            throw TrainingError(error)
        }
        let arrays = [optimizer.parameters, optimizer.firstMoment, optimizer.secondMoment, optimizer.average]
        guard arrays.allSatisfy({ $0.count == count }) else { throw TrainingError(damaged) }
    }

    /// In which sections two identities differ.
    private static func difference(_ text: String, _ identity: JSONText) -> String {
        func members(_ text: String) -> [JSONMember] {
            guard let node = try? JSONParser.parse(Array(text.utf8)), case .object(let members) = node.value else {
                return []
            }
            return members
        }
        let theirs = members(text)
        let names = members(identity.canonical).filter { !theirs.contains($0) }.map { "\"\($0.name)\"" }
        return "belongs to a training with another " + names.joined(separator: ", ")
    }
}
