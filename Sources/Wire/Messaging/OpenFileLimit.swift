import Glibc
package import OpenFiles

extension OpenFileLimit {
    /// Raises the limit as far as the system lets it.
    ///
    /// - Parameters:
    ///   - needed: files that will be open at the same time.
    ///   - purpose: what they are for, as the error begins: "10000 simulated workers".
    /// - Throws: ``MessagingError`` with code `socket(EMFILE)` if that is not enough.
    package static func raise(toHold needed: Int, for purpose: String) throws(MessagingError) {
        raise()
        guard current >= needed else {
            throw MessagingError(
                code: .socket(EMFILE),
                message: "\(purpose) need \(needed) open files and this process may have \(highest); "
                    + "raise the hard limit (ulimit -Hn) or ask for fewer")
        }
    }
}
