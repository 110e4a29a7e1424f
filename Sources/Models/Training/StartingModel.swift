import ContentHash
import EnergyModels
import Safetensors

/// The model whose weights a training starts from.
struct StartingModel {
    /// Of its file.
    let digest: Digest
    /// Flat, in the order of the architecture's parameters.
    let parameters: [Float]

    /// Reads it, if a spec names one. - Throws: ``TrainingError``: 66 for a file that is not there, 65 for one that is no
    /// model file or has another architecture than the spec.
    static func load(of spec: TrainingSpec) throws(TrainingError) -> StartingModel? {
        try spec.from.map { path throws(TrainingError) in try StartingModel(path, for: spec.network.architecture) }
    }

    private init(_ path: String, for architecture: NetworkDescription.Architecture) throws(TrainingError) {
        do throws(SafetensorsError) {
            let file = try NetworkFile(path: path)
            guard file.description.architecture == architecture else {
                throw SafetensorsError(
                    .badData, file: path,
                    "has another architecture than the spec that starts from it; give the spec the one that "
                        + "rrr-model inspect shows")
            }
            var parameters: [Float] = []
            for parameter in architecture.parameters { parameters += try file.values(parameter) }
            self.parameters = parameters
        } catch {
            throw TrainingError(error)
        }
        do throws(UnreadableFile) {
            digest = try SHA256.hash(ofFile: path)
        } catch {
            throw TrainingError(exitStatus: 66, error.description)
        }
    }
}
