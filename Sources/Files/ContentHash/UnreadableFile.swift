import Foundation

/// A file that was to be hashed could not be read.
public struct UnreadableFile: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file's path as it was given.
    public let path: String

    /// Why it could not be read, in the system's words.
    public let reason: String

    /// The file and what is wrong with it, in one line.
    public var description: String { "\(path): cannot be read: \(reason)" }

    init(path: String, underlying error: any Error) {
        self.path = path
        let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? any Error
        reason = ((cause ?? error) as NSError).localizedDescription
    }
}
