public import Composition
public import ContentHash
public import EnergyModels
import Foundation
public import Sampling
import StrictJSON

/// A composition job, complete and valid: what `job.json` says, with the defaults filled in.
public struct Job: Sendable, Equatable {
    /// Lower-case letters, digits and hyphens.
    public let name: String
    /// The key of every random number.
    public let seed: UInt64
    /// The leaves by name; all of one dimension.
    public let models: [String: ModelDescription]
    /// What is sampled.
    public let target: TargetExpression
    /// The noise levels.
    public let schedule: ScheduleDescription
    /// How chains move.
    public let sampler: SamplerSettings
    /// Chains in all.
    public let chains: Int
    /// Draws kept per chain at the last level.
    public let draws: Int
    /// Transitions from one kept draw to the next.
    public let thin: Int
    /// Chains that run in lock-step and travel as one task.
    public let block: Int

    /// Coordinates of a point.
    public var dimension: Int { models.values.first?.dimension ?? 0 }

    /// Blocks that the chains make; the last one may be padded.
    public var blocks: Int { (chains + block - 1) / block }

    /// Chains of a block that count.
    public func chains(inBlock index: Int) -> Int { min(block, chains - index * block) }

    /// The hash of the canonical text: what makes two jobs the same job.
    public var identity: Digest { SHA256.hash(of: Array(canonicalText.utf8)) }

    /// The number of noise levels.
    public var levels: Int { schedule.levels }

    /// The step size at each level, index = level; NaN for a sampler without steps.
    public var stepSizes: [Double] {
        sampler.kind == .reverse
            ? [Double](repeating: .nan, count: levels) : sampler.stepSize.resolved(over: NoiseSchedule(schedule))
    }

    /// The plan that the job's blocks run by. - Throws: ``UnknownModel``, which a job read from a file has not.
    public func plan() throws -> SamplingPlan {
        SamplingPlan(
            density: try target.density(models: models.mapValues { $0.density() }), bounds: target.bounds,
            schedule: NoiseSchedule(schedule), settings: sampler, seed: seed, lanes: block, draws: draws, thin: thin)
    }

    /// The largest job text, in bytes.
    private static let largestText = 16 << 20

    /// Reads a job file. - Throws: ``JobError``.
    public static func load(path: String) throws(JobError) -> Job {
        guard let file = FileHandle(forReadingAtPath: path),
            // One byte more than is allowed tells a file that is too large, and a device has no end.
            let data = try? file.read(upToCount: largestText + 1) ?? Data()
        else {
            let exists = FileManager.default.fileExists(atPath: path)
            let message = exists ? "this can't be read as a file; check what it is and its permissions" : "no such file"
            throw JobError(
                code: .noInput, file: path, problems: [.init(line: 1, pointer: "", message: message)])
        }
        return try decode(Array(data), file: path)
    }

    /// Reads the text of a job. - Parameter file: what messages call it. - Throws: ``JobError``.
    public static func decode(_ text: [UInt8], file: String) throws(JobError) -> Job {
        guard text.count <= largestText else {
            let message = "a job has at most \(largestText) bytes; give it fewer components"
            throw JobError(code: .badData, file: file, problems: [.init(line: 1, pointer: "", message: message)])
        }
        let root: JSONNode
        do {
            root = try JSONParser.parse(text)
        } catch {
            let place = "column \(error.column): \(error.message)"
            throw JobError(
                code: .badData, file: file, problems: [.init(line: error.line, pointer: "", message: place)])
        }
        var decoder = JobDecoder()
        if let job = decoder.decode(JSONField(node: root, pointer: "")), decoder.problems.isEmpty { return job }
        throw JobError(code: .badData, file: file, problems: decoder.problems.sorted { $0.line < $1.line })
    }
}
