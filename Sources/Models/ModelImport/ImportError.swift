import RunFolder
import Safetensors
import StrictJSON

/// Why another program's network could not be taken over.
package struct ImportError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The exit status of a command that ends with this error, from sysexits.
    package let exitStatus: Int32
    /// The file or the option, what is wrong and what to do.
    package let description: String

    /// Names inside the message come from files: it loses their control characters and its length is bounded.
    private init(exitStatus: Int32, _ description: String) {
        self.exitStatus = exitStatus
        self.description = JSONProblem.printable(description)
    }

    /// The content of a file is wrong, or is nothing that is understood.
    static func badData(_ file: String, _ message: String) -> ImportError {
        ImportError(exitStatus: 65, "\(file): \(message)")
    }

    /// A place in a JSON file is wrong.
    static func badData(_ file: String, _ problem: JSONProblem) -> ImportError { badData(file, problem.description) }

    /// There is no such file, or it can't be read.
    static func noInput(_ file: String, _ message: String) -> ImportError {
        ImportError(exitStatus: 66, "\(file): \(message)")
    }

    /// The model file can't be made.
    static func cannotCreate(_ file: String, _ message: String) -> ImportError {
        ImportError(exitStatus: 73, "\(file): \(message)")
    }

    /// An option is missing, or contradicts a file.
    static func usage(_ message: String) -> ImportError { ImportError(exitStatus: 64, message) }

    init(_ error: SafetensorsError) { self.init(exitStatus: error.exitStatus, error.description) }
    init(_ error: RunFolderError) { self.init(exitStatus: error.exitStatus, error.description) }
    init(_ error: JSONFile.Unreadable) { self.init(exitStatus: 66, "\(error.name): \(error.message)") }
}
