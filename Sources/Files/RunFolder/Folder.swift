import Glibc

/// The calls on names in the file system that an output folder needs.
package enum Folder {
    /// Makes `path` and the folders above it, as far as they are not there yet.
    ///
    /// - Returns: the folders that got a new name in them; the new names last once these are synced.
    @discardableResult
    package static func create(_ path: String) throws(RunFolderError) -> [String] {
        if isFolder(path) { return [] }
        let parent = parent(of: path)
        let changed = parent != path ? try create(parent) : []
        guard mkdir(path, 0o777) != 0 else { return changed + [parent] }
        let number = errno
        // Somebody else may have made it in the meantime.
        guard !(number == EEXIST && isFolder(path)) else { return changed }
        // The system's word for a file in the way, "exists", would leave the reader wondering.
        throw .system(
            .cannotCreate, path: path, doing: "create the folder", number: number == EEXIST ? ENOTDIR : number)
    }

    /// Whether `path` is a folder.
    package static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Whether `path` is a file.
    static func isFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// The names in `path`, in no order. A folder that is not there is `.missing`, a file `.cannotCreate`.
    package static func names(in path: String) throws(RunFolderError) -> [String] {
        guard let folder = opendir(path) else {
            let number = errno
            let code: RunFolderError.Code =
                switch number {
                case ENOENT: .missing
                case ENOTDIR: .cannotCreate
                default: .inputOutput
                }
            throw .system(code, path: path, doing: "list the folder", number: number)
        }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            names.append(
                withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names
    }

    /// Gives a file a new name in one step, replacing what had that name.
    static func rename(_ old: String, to new: String) throws(RunFolderError) {
        guard Glibc.rename(old, new) == 0 else {
            throw .system(.cannotCreate, path: new, doing: "move the finished file to its name", number: errno)
        }
    }

    /// Removes a file's name; one that is not there is no error.
    static func removeFile(_ path: String) throws(RunFolderError) {
        guard unlink(path) != 0, errno != ENOENT else { return }
        throw .system(.inputOutput, path: path, doing: "remove the file", number: errno)
    }

    /// Returns when the names in the folder have reached the disk.
    package static func sync(_ path: String) throws(RunFolderError) {
        try File(path, for: .folder).sync()
    }

    /// The path of `name` in `folder`.
    package static func path(_ folder: String, _ name: String) -> String {
        folder.hasSuffix("/") ? folder + name : folder + "/" + name
    }

    /// The folder that holds the last component of `path`.
    static func parent(of path: String) -> String {
        var rest = Substring(path)
        while rest.count > 1 && rest.hasSuffix("/") { rest.removeLast() }
        guard let slash = rest.lastIndex(of: "/") else { return "." }
        return slash == rest.startIndex ? "/" : String(rest[..<slash])
    }

    /// The last component of `path`.
    static func name(of path: String) -> String {
        var rest = Substring(path)
        while rest.count > 1 && rest.hasSuffix("/") { rest.removeLast() }
        return String(rest.split(separator: "/").last ?? rest)
    }
}
