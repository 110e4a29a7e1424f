import Glibc

/// How many files, connections among them, this process may have open.
package enum OpenFileLimit {
    /// How many it may have open now.
    package static var current: Int { Int(clamping: limit.rlim_cur) }

    /// What the system lets this process raise its limit to.
    package static var highest: Int { Int(clamping: limit.rlim_max) }

    /// Raises the limit as far as the system lets it: the usual one is there for programs that a large number would harm.
    ///
    /// Each command does so before anything else. Where it can't be raised it stays as it is.
    package static func raise() {
        var limit = limit
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(resource, &limit)
    }

    private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)

    private static var limit: rlimit {
        var limit = rlimit()
        // Where the limit cannot be told nothing is promised: zero.
        _ = getrlimit(resource, &limit)
        return limit
    }
}
