package import Composition
package import ContentHash
package import EnergyModels
import Foundation
package import Pictures
package import RunFolder
package import Sampling
import StrictJSON

/// A composition job, complete and valid: what `job.json` says, with the defaults filled in.
package struct Job: Sendable, Equatable {
    /// Lower-case letters, digits and hyphens.
    package internal(set) var name: String
    /// The key of every random number.
    package internal(set) var seed: UInt64
    /// The leaves by name; all of one shape, which is that of a point but for a tapestry.
    package internal(set) var models: [String: JobModel]
    /// The shape of a point.
    package internal(set) var shape: PointShape
    /// What is sampled.
    package internal(set) var target: TargetExpression
    /// Whether the target may be one that can't be normalised.
    package let allowsUnnormalized: Bool
    /// The noise levels.
    package let schedule: ScheduleDescription
    /// How chains move.
    package internal(set) var sampler: SamplerSettings
    /// Whether its blocks are pilot blocks: it is run for the step sizes alone.
    package internal(set) var isPilot: Bool
    /// Chains in all.
    package internal(set) var chains: Int
    /// Draws kept per chain at the last level.
    package internal(set) var draws: Int
    /// Transitions from one kept draw to the next.
    package internal(set) var thin: Int
    /// Chains that run in lock-step and travel as one task.
    package let block: Int
    /// Rows and columns of the picture of samples; nil for the usual ones, and where points are no images.
    package internal(set) var grid: SheetGrid?
    /// The noise levels at which points of some chains are kept, the noisiest first; empty for none.
    package internal(set) var trace: [Int]
    /// Where the model files were when the job was read.
    package let modelPaths: [Digest: String]

    /// The SHA-256 of each file that models take numbers from, in the order of the models' names.
    package var modelDigests: [Digest] {
        var digests: [Digest] = []
        for (_, model) in models.sorted(by: { $0.key < $1.key }) {
            for digest in model.files where !digests.contains(digest) { digests.append(digest) }
        }
        return digests
    }

    /// The names of the model servers that evaluate models of it.
    package var servers: Set<String> {
        Set(models.values.compactMap { if case .server(let server) = $0 { server.name } else { nil } })
    }

    /// By the SHA-256 of each model file with a network, the first name of a model that is it.
    package var networkNames: [Digest: String] {
        var names: [Digest: String] = [:]
        for case (let name, .network(let digest, _, _)) in models { names[digest] = min(names[digest] ?? name, name) }
        return names
    }

    /// Whether the target's log density is known, not its score alone.
    package var hasEnergy: Bool {
        !target.averagesScores && target.leaves.allSatisfy { models[$0]?.hasEnergy ?? true }
    }

    /// How the picture of its samples is laid out; nil where points are no images, or a single one is too large for a picture.
    package var pictureLayout: SheetLayout? {
        if let grid { return SheetLayout(grid, shape: shape.lengths) }
        return usualPictureLayout
    }

    /// The layout where the job says nothing of it.
    var usualPictureLayout: SheetLayout? { .usual(shape: shape.lengths, count: chains * draws) }

    /// Coordinates of a point.
    package var dimension: Int { shape.dimension }

    /// Bytes in memory of the arrays that its models take from files.
    package var storedBytes: Int {
        var sizes: [Digest: Int] = [:]
        for case .analytic(let density) in models.values {
            for array in density.storedArrays { sizes[array.digest] = array.byteCount }
        }
        return sizes.values.reduce(0, +)
    }

    /// Blocks that the chains make; the last one may be padded.
    package var blocks: Int { (chains + block - 1) / block }

    /// Chains of a block that count.
    package func chains(inBlock index: Int) -> Int { min(block, chains - index * block) }

    /// The hash of the canonical text: what makes two jobs the same job.
    package var identity: Digest { SHA256.hash(of: Array(canonicalText.utf8)) }

    /// The number of noise levels.
    package var levels: Int { schedule.levels }

    /// What each block leaves beside its samples.
    package var statistics: [RunStatistic] {
        var settings = sampler
        // The pilots of a tuned job leave their step sizes, its own blocks don't.
        if !isPilot { settings.kernel = settings.kernel.stepping(by: .constant(1)) }
        return settings.statistics(
            levels: levels, lanes: block, draws: draws, thin: thin, hasEnergy: hasEnergy, trace: traceSettings)
    }

    /// Which chains keep points on their way; nil if none do.
    var traceSettings: TraceSettings? {
        guard !trace.isEmpty else { return nil }
        return TraceSettings(levels: trace, chains: min(block, chains), shape: shape.lengths)
    }

    /// The step size at each level, index = level; NaN for a sampler without steps, and where they are not known yet.
    package var stepSizes: [Double] { sampler.kernel.stepSizes(over: NoiseSchedule(schedule)) }

    /// Where models have density without noise, by name: the boxes.
    var boxes: [String: Bounds] {
        models.compactMapValues { model in
            if case .analytic(.uniformBox(let low, let high)) = model {
                Bounds(low: low.values, high: high.values)
            } else {
                nil
            }
        }
    }

    /// The boxes that the target has where draws are kept.
    var boxesOfDraws: [Bounds] { target.boxes(ofModels: sampler.refinement == nil ? [:] : boxes) }

    /// The plan that the job's blocks run by.
    ///
    /// - Parameters:
    ///   - network: loads the network of a model file; called for each model that is one.
    ///   - server: finds the server of a model that one evaluates; called for each such model.
    /// - Throws: what `network` and `server` throw; ``UnknownModel``, which a job read from a file has not.
    package func plan(
        network: (Digest) throws -> Network,
        server: (ServerModel) throws -> any ModelServer = { throw NoServer(name: $0.name) }
    ) throws -> SamplingPlan {
        var densities: [String: any Density] = [:]
        var classifiers: [String: any Classifier] = [:]
        for (name, model) in models {
            if let classifier = try model.classifier(network: network) {
                classifiers[name] = classifier
            } else {
                densities[name] = try model.density(network: network, server: server)
            }
        }
        return SamplingPlan(
            density: try target.density(models: densities, classifiers: classifiers), hasEnergy: hasEnergy,
            totalWeight: target.totalWeight, bounds: target.bounds,
            walls: sampler.refinement.flatMap { _ in target.bounds(ofModels: boxes) },
            boxes: boxesOfDraws,
            schedule: NoiseSchedule(schedule), settings: sampler, seed: seed, lanes: block, draws: draws, thin: thin,
            trace: traceSettings)
    }

    /// The largest job text, in bytes.
    private static let largestText = 16 << 20

    /// Reads a job file, or standard input for `-`, and what the model files that it names say, relative to its folder.
    /// - Throws: ``JobError``.
    package static func load(path: String) throws(JobError) -> Job {
        let file: JSONFile
        do {
            file = try JSONFile(path: path, most: largestText)
        } catch {
            let problem = JSONProblem(line: 1, pointer: "", message: error.message)
            throw JobError(code: .noInput, file: error.name, problems: [problem])
        }
        return try decode(file.text, file: file.name, ModelDecoder(folder: file.folder) { _ in nil })
    }

    /// Reads the text of a job that has travelled, which names its model files by their SHA-256.
    ///
    /// - Parameters:
    ///   - file: what messages call it.
    ///   - model: the path of the model file with a SHA-256; nil if there is none here.
    /// - Throws: ``JobError``, with the code `missingModels` if nothing else is wrong.
    package static func decode(
        _ text: [UInt8], file: String, model: @escaping (Digest) -> String? = { _ in nil }
    ) throws(JobError) -> Job {
        try decode(text, file: file, ModelDecoder(folder: nil, path: model))
    }

    private static func decode(_ text: [UInt8], file: String, _ models: ModelDecoder) throws(JobError) -> Job {
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
        var decoder = JobDecoder(models: models)
        if let job = decoder.decode(JSONField(node: root, pointer: "")), decoder.problems.isEmpty { return job }
        throw decoder.error(file: file)
    }
}

extension Job {
    /// Jobs are equal that say the same, wherever their model files are.
    package static func == (a: Job, b: Job) -> Bool { a.canonicalText == b.canonicalText }
}
