/// How much a coordinator takes on, and takes from one peer.
package struct PeerLimits: Sendable, Equatable {
    /// Jobs that are not over, of all submitters; as many may wait to be read.
    package var jobs = 1_000
    /// Chains of all jobs that are not over.
    package var chains = 1 << 33
    /// Bytes of the texts of all jobs that are not over, and of the arrays in files that they name.
    package var textBytes = 256 << 20
    /// Bytes of texts that were handed in and are not read yet, or wait for models.
    package var waitingTextBytes = 64 << 20
    /// Bytes of the models that are kept beyond those which unfinished jobs need.
    package var modelBytes = 64 << 30
    /// Questions and registrations of one peer in a second; all connections of one key are one peer.
    package var requestsPerSecond = 2_000
    /// Messages of one connection in a minute that are unreadable, or not for it to say; with one more it is ended.
    package var errorsPerMinute = 100

    /// As shipped.
    package init() {}
}
