import ContentHash
import EnergyModels
import Foundation
import RunFolder
import Safetensors
import StrictJSON

/// One run of the command that trains: from the spec, or from a checkpoint, to the model file.
package struct TrainingSession {
    /// What becomes of files that are there already.
    package enum Start: Sendable {
        /// They are refused: nothing is lost by mistake.
        case fresh
        /// The checkpoint, if there is one, is gone on from.
        case resume
        /// They are replaced.
        case force
    }

    /// How a session ended.
    package enum Ending: Sendable {
        /// The model file is there; the checkpoint is gone.
        case finished(TrainingResult)
        /// After so many steps, before the last one, a checkpoint was written.
        case stopped(steps: Int)
    }

    private let spec: TrainingSpec
    private let output: String
    private let checkpoint: String
    private let identity: JSONText
    private let firstStep: Int
    private let claim: FileClaim
    /// What is worth knowing before the first step.
    private let notes: [String]
    private var run: TrainingRun
    private var history: LossHistory?
    private var heldOutLoss: Double?

    /// Gets everything ready and tries the output by writing the first checkpoint, `output`.checkpoint.
    ///
    /// - Parameters:
    ///   - threads: how many compute side by side; the result does not depend on it.
    ///   - history: a file for the losses on the way, `step,loss,held_out_loss,seconds`; nil for none.
    /// - Throws: ``TrainingError``: 65 for data or a checkpoint that does not fit the spec, 66 for data files that are
    ///   not there, 73 for files in the way or an output that cannot be written, 75 while another training writes it.
    package init(_ spec: TrainingSpec, output: String, threads: Int, history: String? = nil, start: Start)
        throws(TrainingError)
    {
        self.spec = spec
        self.output = output
        checkpoint = output + ".checkpoint"
        for path in [output, checkpoint, history].compactMap(\.self) { try Self.refuseUnlessFile(path) }
        try Self.createFolder(of: output)
        do throws(RunFolderError) {
            claim = try FileClaim(output)
        } catch {
            throw TrainingError(error)
        }
        let hasCheckpoint = FileManager.default.fileExists(atPath: checkpoint)
        if start != .force {
            if FileManager.default.fileExists(atPath: output) {
                throw TrainingError(exitStatus: 73, "\(output): is there already; add --force to replace it")
            }
            if start == .fresh, hasCheckpoint {
                throw TrainingError(
                    exitStatus: 73,
                    "\(checkpoint): an interrupted training left this; add --resume to go on or --force to begin again")
            }
        }
        try TrainingMemory(spec, threads: threads).check()
        let data = try TrainingData(spec)
        notes = TrainingAdvice.atStart(spec, data: data, threads: threads)
        let model = try StartingModel.load(of: spec)
        identity = spec.identity(files: data.files, start: model?.digest)
        guard start == .resume, hasCheckpoint else {
            run = try TrainingRun(spec, data: data, threads: threads, start: model?.parameters)
            firstStep = 0
            self.history = try history.map { path throws(TrainingError) in
                if start == .fresh, FileManager.default.fileExists(atPath: path) {
                    throw TrainingError(exitStatus: 73, "\(path): is there already; add --force to replace it")
                }
                return try LossHistory(path: path, after: 0)
            }
            try save()
            return
        }
        let saved = try Checkpoint(
            path: checkpoint, identity: identity, iterations: spec.iterations,
            count: spec.network.architecture.parameterCount)
        run = try TrainingRun(spec, data: data, threads: threads, optimizer: saved.optimizer, losses: saved.losses)
        firstStep = run.steps
        let reached = firstStep
        self.history = try history.map { path throws(TrainingError) in try LossHistory(path: path, after: reached) }
    }

    /// A folder would stop the finished model from getting its name, and a device or a pipe would be replaced by it.
    private static func refuseUnlessFile(_ path: String) throws(TrainingError) {
        var status = stat()
        guard !path.isEmpty, !path.hasSuffix("/") else {
            throw TrainingError(exitStatus: 73, "\"\(path)\": is not the name of a file; give one for the model")
        }
        guard stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return }
        throw TrainingError(exitStatus: 73, "\(path): is there and is not a file; it can't be replaced")
    }

    private static func createFolder(of output: String) throws(TrainingError) {
        let folder = URL(fileURLWithPath: output).deletingLastPathComponent()
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw TrainingError(
                exitStatus: 73, "\(folder.path): can't create the folder: \(error.localizedDescription)")
        }
    }

    private func save() throws(TrainingError) {
        try Checkpoint(optimizer: run.optimizer, losses: run.losses).write(to: checkpoint, identity: identity)
    }

    /// Trains to the end, or until it shall stop.
    ///
    /// - Parameters:
    ///   - shouldStop: asked before every step.
    ///   - note: called with what is worth knowing, at the start and after the first step.
    ///   - report: called before every step.
    /// - Throws: ``TrainingError``: 2 if the training diverged, with the last checkpoint left; 73 or 74 if a file
    ///   can't be written.
    package mutating func train(
        shouldStop: () -> Bool, note: (String) -> Void = { _ in }, report: (TrainingProgress) -> Void
    ) throws(TrainingError) -> Ending {
        let clock = ContinuousClock()
        let begin = clock.now
        var saved = run.steps
        func progress() -> TrainingProgress {
            TrainingProgress(
                steps: run.steps, iterations: spec.iterations, loss: run.meanLoss, heldOutLoss: heldOutLoss,
                secondsElapsed: (clock.now - begin) / .seconds(1), stepsElapsed: run.steps - firstStep)
        }
        notes.forEach(note)
        while run.steps < spec.iterations {
            report(progress())
            if shouldStop() {
                if run.steps > saved, run.optimizer.isFinite { try save() }
                return .stopped(steps: run.steps)
            }
            do throws(TrainingError) {
                try run.step()
            } catch {
                throw TrainingError(
                    exitStatus: error.exitStatus,
                    "\(error); the checkpoint of iteration \(saved) stays at \(checkpoint)")
            }
            if run.steps == 1, let advice = TrainingAdvice.afterFirstStep(loss: run.meanLoss, spec) { note(advice) }
            if run.steps.isMultiple(of: spec.reportEvery) || run.steps == spec.iterations {
                heldOutLoss = run.heldOutLoss()
                let reached = progress()
                try history?.append(reached)
            }
            // The last one too: the model file may meet a full disk.
            if run.steps.isMultiple(of: spec.checkpointEvery) || run.steps == spec.iterations {
                guard run.optimizer.isFinite else {
                    throw TrainingError(
                        exitStatus: 2,
                        "iteration \(run.steps): the parameters are not finite; try a lower \"learning_rate\"; "
                            + "the checkpoint of iteration \(saved) stays at \(checkpoint)")
                }
                try save()
                saved = run.steps
            }
        }
        return .finished(try writeModel(progress()))
    }

    private func writeModel(_ progress: TrainingProgress) throws(TrainingError) -> TrainingResult {
        var rest = run.optimizer.average[...]
        let parameters = spec.network.architecture.parameters.map { parameter in
            let count = parameter.shape.reduce(1, *)
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        do {
            try NetworkFile.write(
                description: spec.network, parameters: parameters, as: spec.weights, to: output)
            try FileManager.default.removeItem(atPath: checkpoint)
            return TrainingResult(
                output: output, sha256: try SHA256.hash(ofFile: output).hex, progress: progress)
        } catch let error as SafetensorsError {
            throw TrainingError(error)
        } catch {
            throw TrainingError(exitStatus: 74, "\(checkpoint): can't be removed: \(error.localizedDescription)")
        }
    }
}
