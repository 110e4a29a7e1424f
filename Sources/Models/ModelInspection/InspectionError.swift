import ContentHash
import RunFolder
import Safetensors

/// Why a model could not be looked into.
package struct InspectionError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The exit status of a command that ends with this error.
    package let exitStatus: Int32
    /// The file, what is wrong and what to do.
    package let description: String

    init(exitStatus: Int32, _ description: String) {
        self.exitStatus = exitStatus
        self.description = description
    }

    /// Whatever a file may lead to.
    init(_ error: any Error) {
        switch error {
        case let error as InspectionError: self = error
        case let error as SafetensorsError: self.init(exitStatus: error.exitStatus, error.description)
        case let error as RunFolderError: self.init(exitStatus: error.exitStatus, error.description)
        case let error as UnreadableFile: self.init(exitStatus: 66, error.description)
        default: self.init(exitStatus: 70, "\(error)")
        }
    }
}
