import RunFolder

/// Keys can't be read, made or trusted. What is said of it names the file and never a key.
package struct KeyError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What a command should end with, as sysexits.h has it: 77 for keys that others may have read or changed.
    package let exitStatus: Int32
    /// The file or folder, what is wrong with it, and what to do.
    package let description: String

    init(exitStatus: Int32, path: String, _ problem: String) {
        (self.exitStatus, description) = (exitStatus, "\(path): \(problem)")
    }

    init(_ error: RunFolderError) { (exitStatus, description) = (error.exitStatus, error.description) }
}

/// Runs what works on files. - Throws: ``KeyError`` for what it throws.
func keyFiles<Value>(_ work: () throws(RunFolderError) -> Value) throws(KeyError) -> Value {
    do throws(RunFolderError) {
        return try work()
    } catch {
        throw KeyError(error)
    }
}
