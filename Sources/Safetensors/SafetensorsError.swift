/// Why a file of tensors was refused, or could not be read or written.
public struct SafetensorsError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of failure it is.
    public enum Code: Sendable {
        /// The content is wrong: exit status 65.
        case badData
        /// There is no such file, or it can't be read: exit status 66.
        case noInput
        /// The file can't be written: exit status 73 or 74.
        case cannotCreate, inputOutput
    }

    /// What to end with.
    public let code: Code
    /// The exit status of a command that ends with this error, from sysexits.
    public var exitStatus: Int32 {
        switch code {
        case .badData: 65
        case .noInput: 66
        case .cannotCreate: 73
        case .inputOutput: 74
        }
    }
    /// As the user named it.
    public let file: String
    /// What is wrong, with the tensor's name where there is one, and what to do.
    public let message: String

    public init(_ code: Code, file: String, _ message: String) {
        self.code = code
        self.file = file
        self.message = message
    }

    public var description: String { "\(file): \(message)" }
}
