import Glibc

/// How many files, connections among them, this process may have open.
public enum OpenFileLimit {
    /// What the system lets this process raise its limit to.
    public static var highest: Int { Int(clamping: limit.rlim_max) }

    /// What may be open now.
    static var current: Int { Int(clamping: limit.rlim_cur) }

    /// Raises the limit as far as the system lets it.
    ///
    /// - Parameters:
    ///   - needed: files that will be open at the same time.
    ///   - purpose: what they are for, as the error begins: "10000 simulated workers".
    /// - Throws: ``MessagingError`` with code `socket(EMFILE)` if that is not enough.
    public static func raise(toHold needed: Int, for purpose: String) throws(MessagingError) {
        var limit = limit
        limit.rlim_cur = limit.rlim_max
        guard Int(clamping: limit.rlim_max) >= needed, setrlimit(resource, &limit) == 0 else {
            throw MessagingError(
                code: .socket(EMFILE),
                message: "\(purpose) need \(needed) open files and this process may have \(highest); "
                    + "raise the hard limit (ulimit -Hn) or ask for fewer")
        }
    }

    private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)

    private static var limit: rlimit {
        var limit = rlimit()
        // Where the limit cannot be told nothing is promised: zero.
        _ = getrlimit(resource, &limit)
        return limit
    }
}
