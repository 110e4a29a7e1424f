import ContentHash
import CoordinatorCore
import Dispatch
import RunFolder
import Synchronization

/// Reads the folders of finished jobs to their end, to see whether they are what they were. That may take minutes: small
/// ones don't wait behind large ones, and what was found sound once is not read again as long as no file shows a change.
final class FolderInspector: Sendable {
    /// From this size on, in bytes, a folder is large: reading it takes half a second.
    static let large = 64 << 20

    private let small = DispatchQueue(label: "inspection of finished folders")
    private let large = DispatchQueue(label: "inspection of large finished folders")
    /// What the files of jobs were like when they were found sound, by job.
    private let sound = Mutex<[Digest: [FileStamp?]]>([:])
    private let content: @Sendable (String) throws -> RunFolderContent

    /// - Parameter content: reads a folder.
    init(content: @escaping @Sendable (String) throws -> RunFolderContent = { try RunFolder.content(of: $0) }) {
        self.content = content
    }

    /// Looks at the files of a finished job, on a thread of its own.
    ///
    /// - Parameter tell: called from there with what was found.
    func inspect(_ job: Digest, folder: String, tell: @escaping @Sendable (FolderContent) -> Void) {
        guard RunFolder.hasSummary(in: folder) else { return small.async { tell(.nothing()) } }
        // Before anything is read: what changes meanwhile is looked at the next time.
        let stamps = RunFolder.ownNames.map { FileStamp(of: folder + "/" + $0) }
        // Not every run has a picture.
        let isWhole = zip(RunFolder.ownNames, stamps).allSatisfy { $1 != nil || $0 == RunFolder.pictureName }
        let isKnown = isWhole && sound.withLock { $0[job] == stamps }
        let size = stamps.reduce(0) { $0 + ($1?.size ?? 0) }
        (isKnown || size < Self.large ? small : large).async { [self] in
            let found = isKnown ? run(in: folder) : read(job, folder)
            if case .sound = found { sound.withLock { $0[job] = stamps } }
            tell(found)
        }
    }

    /// The job's files are not what they were.
    func forget(_ job: Digest) { sound.withLock { $0[job] = nil } }

    private func read(_ job: Digest, _ folder: String) -> FolderContent {
        do {
            return switch try content(folder) {
            case .finished(job.hex): run(in: folder)
            case .damaged(_, let reason): .nothing(damage: reason)
            default: .nothing(damage: "\(folder): not the files of this job")
            }
        } catch {
            return .unknown("\(error)")
        }
    }

    /// What a sound folder tells.
    private func run(in folder: String) -> FolderContent {
        .sound(FinishedRun(try? RunFolder.summary(in: folder), arithmetic: Provenance.arithmetic(ofRunIn: folder)))
    }
}
