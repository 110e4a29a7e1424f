/// A file that is written under a hidden name, `.NAME.partial`, and takes its own name when it is whole.
///
/// One that is dropped without being published leaves nothing behind, unless it was suspended; a killed process leaves
/// the hidden name alone, which the next run in that folder replaces or takes up again.
struct StagedFile: ~Copyable {
    let folder: String
    let name: String
    let file: File
    private var isPending = true

    /// Creates the hidden file, empty; what a killed process left under that name goes first.
    init(folder: String, name: String) throws(RunFolderError) {
        let hidden = Folder.path(folder, StagedFile.hiddenName(of: name))
        try Folder.removeFile(hidden)
        let file: File
        do throws(RunFolderError) {
            file = try File(hidden, for: .creating)
        } catch {
            // The user knows the file by its name.
            throw RunFolderError(error.code, path: Folder.path(folder, name), reason: error.reason)
        }
        self.folder = folder
        self.name = name
        self.file = file
    }

    /// Takes up the hidden file that a process left under that name, its content as it is; `.missing` if there is none.
    init(resuming name: String, folder: String) throws(RunFolderError) {
        let hidden = Folder.path(folder, StagedFile.hiddenName(of: name))
        let file = try File(hidden, for: .resuming)
        self.folder = folder
        self.name = name
        self.file = file
        // Until its content proves to be what the caller expects, it is not ours to remove.
        isPending = false
    }

    deinit {
        if isPending { try? Folder.removeFile(file.path) }
    }

    /// The name that stands in for `name` until its content is whole.
    static func hiddenName(of name: String) -> String { ".\(name).partial" }

    /// Whether a name is such a one.
    static func isHidden(_ name: String) -> Bool { name.hasPrefix(".") && name.hasSuffix(".partial") }

    /// Gives the file its name. Sync its content before, and the folder afterwards.
    mutating func publish() throws(RunFolderError) {
        guard isPending else { return }
        try Folder.rename(file.path, to: Folder.path(folder, name))
        isPending = false
    }

    /// From now on the hidden file goes with its owner, like one that was created.
    mutating func own() {
        isPending = true
    }

    /// Leaves the hidden file where it is, for whoever takes it up again.
    mutating func suspend() {
        isPending = false
    }

    /// Removes the hidden file, unless it has been published.
    mutating func discard() throws(RunFolderError) {
        guard isPending else { return }
        isPending = false
        try Folder.removeFile(file.path)
    }
}

/// A file of which a reader sees all or nothing, whatever happens to the writer. It is written piece by piece: beside its
/// name first, then to the disk, then under its name. One that is dropped before ``finish()`` leaves the old file.
package struct AtomicFile: ~Copyable {
    private var staged: StagedFile
    private var size = 0

    /// Begins a file. The folder must be there. Throws `.cannotCreate`.
    package init(path: String) throws(RunFolderError) {
        staged = try StagedFile(folder: Folder.parent(of: path), name: Folder.name(of: path))
    }

    /// Adds bytes at the end. Throws `.inputOutput` or `.full`.
    package mutating func append(_ bytes: [UInt8]) throws(RunFolderError) {
        try staged.file.write(bytes, at: size)
        size += bytes.count
    }

    /// Gives the file its name. Throws `.inputOutput` or `.full`, and then the old file stands.
    package consuming func finish() throws(RunFolderError) {
        try staged.file.sync()
        try staged.publish()
        try Folder.sync(staged.folder)
    }

    /// Writes `bytes` to `path`. Throws as the file does piece by piece.
    package static func write(_ bytes: [UInt8], to path: String) throws(RunFolderError) {
        var file = try AtomicFile(path: path)
        try file.append(bytes)
        try file.finish()
    }
}
