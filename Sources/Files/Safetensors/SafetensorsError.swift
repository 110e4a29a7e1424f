import RunFolder
import StrictJSON

/// Why a file of tensors was refused, or could not be read or written.
package struct SafetensorsError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of failure it is.
    package enum Code: Int32, Sendable {
        /// The content is wrong.
        case badData = 65
        /// There is no such file, or it can't be read.
        case noInput = 66
        /// The file can't be made.
        case cannotCreate = 73
        /// Writing failed.
        case inputOutput = 74
    }

    /// What kind it is; its raw value is the exit status of a command that ends with it.
    package let code: Code
    /// The exit status of a command that ends with this error, from sysexits.
    package var exitStatus: Int32 {
        switch code {
        case .badData: 65
        case .noInput: 66
        case .cannotCreate: 73
        case .inputOutput: 74
        }
    }
    /// As the user named it.
    package let file: String
    /// What is wrong, with the tensor's name where there is one, and what to do.
    package let message: String

    /// Names inside the message come from files: it loses their control characters and its length is bounded.
    package init(_ code: Code, file: String, _ message: String) {
        self.code = code
        self.file = file
        self.message = JSONProblem.printable(message)
    }

    /// What stopped the reading of a file.
    init(reading error: RunFolderError) {
        self.init(error.code == .malformed ? .badData : .noInput, file: error.path, error.reason)
    }

    /// The file and what is wrong with it, in one line.
    package var description: String { "\(file): \(message)" }
}
