import Foundation

/// A file that was to be hashed could not be read.
package struct UnreadableFile: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file's path as it was given.
    package let path: String

    /// Why it could not be read, in the system's words.
    package let reason: String

    /// The file and what is wrong with it, in one line.
    package var description: String { "\(path): cannot be read: \(reason)" }

    init(path: String, underlying error: any Error) {
        self.path = path
        let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? any Error
        reason = ((cause ?? error) as NSError).localizedDescription
    }
}
