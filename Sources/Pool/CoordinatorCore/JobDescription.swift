import ContentHash
import EnergyModels
package import JobFile
package import RunFolder
import Sampling

extension Job {
    /// What the job's folder needs to know.
    package var description: RunDescription {
        let text = Array(canonicalText.utf8)
        return RunDescription(
            canonicalJob: text, jobHash: identity.hex, name: name, chains: chains, draws: draws,
            shape: shape.lengths, levels: levels, block: block, statistics: statistics,
            selects: sampler.population != nil, picture: pictureLayout)
    }
}
