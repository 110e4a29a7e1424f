import PoolCore
import RunFolder

/// The staged files of the jobs that are under way. Those in use are open, but never more than a part of the files that
/// the process may have open: a job that waits holds none.
struct RunShelf {
    private struct Entry {
        let folder: String
        let description: RunDescription
        var files: Files
        var lastUse = 0

        var run: RunStaging? { if case .open(let run) = files { run } else { nil } }
    }

    private enum Files {
        case open(RunStaging)
        case closed(SuspendedRun)
    }

    /// Files that a run of the largest kind has open, and files that are left to connections and the like.
    private static let filesARun = 16
    private static let otherFiles = 64
    private static let mostOpenEver = 64

    private let mostOpen: Int
    private var entries: [JobNumber: Entry] = [:]
    private var uses = 0

    /// - Parameter fileLimit: files that the process may have open.
    init(fileLimit: Int) {
        mostOpen = min(Self.mostOpenEver, max(1, (fileLimit - Self.otherFiles) / Self.filesARun))
    }

    func contains(_ job: JobNumber) -> Bool { entries.keys.contains(job) }

    /// Makes a job's files, in which nothing is recorded, whatever was there before.
    ///
    /// - Parameter isDurable: whether the folder's name is to reach the disk.
    mutating func create(
        _ job: JobNumber, folder: String, _ description: RunDescription, isDurable: Bool
    ) throws(RunFolderError) {
        // Its lock on the folder goes. What is known of it stays until the new files are there.
        closeFiles(of: job)
        let suspended = try makingRoom { () throws(RunFolderError) in
            let changed = try Folder.create(folder)
            if isDurable { for folder in changed { try Folder.sync(folder) } }
            return try RunStaging(folder: folder, description: description).suspend()
        }
        entries[job] = Entry(folder: folder, description: description, files: .closed(suspended))
    }

    /// Takes a job's files as an earlier process left them; ``open(_:)`` throws if they are not there.
    mutating func take(
        _ job: JobNumber, folder: String, _ description: RunDescription, as suspended: SuspendedRun
    ) {
        remove(job, keepsFiles: true)
        entries[job] = Entry(folder: folder, description: description, files: .closed(suspended))
    }

    /// The run of a job that is here, its files open and in their places.
    ///
    /// Throws as `RunStaging.init(resuming:)` does; `.missing` or `.malformed` when they are not what they were.
    mutating func open(_ job: JobNumber) throws(RunFolderError) -> RunStaging {
        guard let entry = entries[job] else {
            throw RunFolderError(.missing, path: "job \(job)", reason: "no files of it are open")
        }
        uses += 1
        entries[job]?.lastUse = uses
        switch entry.files {
        case .open(let run):
            try run.expectFilesInPlace()
            return run
        case .closed(let suspended):
            while entries.values.count(where: { $0.run != nil }) >= mostOpen { closeOldest() }
            let run = try makingRoom { () throws(RunFolderError) in
                try RunStaging(resuming: entry.folder, description: entry.description, from: suspended)
            }
            entries[job]?.files = .open(run)
            return run
        }
    }

    /// Chains that are recorded in a job's files, runs of neighbours in order.
    func recorded(in job: JobNumber) -> [Range<Int>] {
        switch entries[job]?.files {
        case .open(let run): run.recordedRanges
        case .closed(let suspended): suspended.recordedRanges
        case nil: []
        }
    }

    /// The folder of a job that is here, and what its run is.
    func place(of job: JobNumber) -> (folder: String, description: RunDescription)? {
        entries[job].map { ($0.folder, $0.description) }
    }

    /// Lets go of a job's files, or removes them.
    mutating func remove(_ job: JobNumber, keepsFiles: Bool) {
        guard let entry = entries.removeValue(forKey: job) else { return }
        if keepsFiles {
            entry.run?.suspend()
        } else if let run = entry.run {
            try? run.discard()
        } else {
            try? RunStaging.discard(in: entry.folder)
        }
    }

    /// Closes all files; they stay for the next life.
    mutating func close() {
        for job in entries.keys { remove(job, keepsFiles: true) }
    }

    /// Tries a second time, with the files of the other jobs closed, what fails for want of something.
    private mutating func makingRoom<Value>(
        _ body: () throws(RunFolderError) -> Value
    ) throws(RunFolderError) -> Value {
        do {
            return try body()
        } catch {
            guard error.code == .full, entries.values.contains(where: { $0.run != nil }) else { throw error }
        }
        while entries.values.contains(where: { $0.run != nil }) { closeOldest() }
        return try body()
    }

    private mutating func closeOldest() {
        let open = entries.filter { $0.value.run != nil }
        if let oldest = open.min(by: { $0.value.lastUse < $1.value.lastUse }) { closeFiles(of: oldest.key) }
    }

    /// Closes a job's files; they are opened again when they are needed.
    mutating func closeFiles(of job: JobNumber) {
        guard let run = entries[job]?.run else { return }
        entries[job]?.files = .closed(run.suspend())
    }
}
