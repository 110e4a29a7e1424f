import Foundation
import Journal
import RunFolder

/// The hidden folder of an output folder in which a local pool keeps a job that is not done.
package struct PoolState: Sendable {
    private static let prefix = ".pool-"

    /// Where it is.
    package let path: String
    private let folder: String

    /// That of the job with this hash. Jobs that are sent into one folder must not meet.
    package init(ofJob hash: String, in folder: String) {
        self.init(named: Self.prefix + hash.prefix(8), in: folder)
    }

    /// Whether it is there.
    package var exists: Bool { FileManager.default.fileExists(atPath: path) }

    /// Whether something of a job is done, so that it can go on from there: a finished block or a checkpoint. What can't
    /// be read may hold something. Only when no coordinator serves it.
    package var holdsWork: Bool {
        guard exists else { return false }
        do {
            var isUnreadable = false
            let jobs = try Journal(folder: path, durability: .process).recover { _ in isUnreadable = true }
            return isUnreadable
                || jobs.contains {
                    $0.outcome == .finished || !$0.finishedBlocks.isEmpty || !$0.checkpoints.isEmpty || $0.damage != nil
                }
        } catch {
            return true
        }
    }

    /// Removes it.
    package func remove() { try? FileManager.default.removeItem(atPath: path) }

    /// Removes the states of other jobs in the same folder that nothing can go on from: that of the job whose result is
    /// there, and those in which nothing is done. Only under the claim to the folder.
    ///
    /// - Returns: the others, in the order of their names.
    package func removeSpentNeighbours() -> [PoolState] {
        let finished = (try? RunFolder.summary(in: folder))?.jobHash
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let others = names.filter { $0.hasPrefix(Self.prefix) && "\(folder)/\($0)" != path }.sorted()
        return others.compactMap { name in
            let state = PoolState(named: name, in: folder)
            let isFinished = finished.map { PoolState(ofJob: $0, in: folder).path == state.path } ?? false
            if !isFinished, state.holdsWork { return state }
            state.remove()
            return nil
        }
    }

    private init(named name: String, in folder: String) {
        self.folder = folder
        path = "\(folder)/\(name)"
    }
}
