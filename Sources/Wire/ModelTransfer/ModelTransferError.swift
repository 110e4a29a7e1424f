import ContentHash

/// Why a model file could not be had or kept.
package struct ModelTransferError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of failure it is.
    package enum Code: Sendable {
        /// What was sent is not the file that its SHA-256 names, or is larger than any may be: exit status 65.
        case wrongContent
        /// The other side does not have it: exit status 66.
        case unavailable
        /// The folder cannot be made or written: exit status 73.
        case cannotCreate
        /// Writing failed: exit status 74.
        case inputOutput
        /// The process, or the machine, has too many files open: exit status 75.
        case tooManyFiles
    }

    /// What kind of failure it is.
    package let code: Code
    package let description: String

    /// An error in words that name file or folder.
    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    init(_ code: Code, _ model: Digest, _ reason: String) {
        self.init(code, "the model file with the SHA-256 \(model.hex) \(reason)")
    }

    /// The exit status of a command that ends with this error.
    package var exitStatus: Int32 {
        switch code {
        case .wrongContent: 65
        case .unavailable: 66
        case .cannotCreate: 73
        case .inputOutput: 74
        case .tooManyFiles: 75
        }
    }
}
