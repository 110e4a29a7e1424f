/// How many bytes may be under way at a coordinator.
package struct MemoryLimits: Sendable {
    /// A peer that has not read this much gets nothing more.
    package var unreadOfPeer = 8 << 20
    /// The same of a worker: texts of jobs are on their way to it.
    package var unreadOfWorker = 32 << 20
    /// A worker that has not read this much gets no more pieces of states.
    package var unreadOfStates = 2 << 20
    /// When more waits for all peers together, those that have not read for longest are cut off.
    package var unreadOfAll = 128 << 20
    /// Smaller messages are not counted: how many of them wait is bounded.
    package var smallestCounted = 16 << 10
    /// More results and checkpoints that wait for the disk hold up new grants.
    package var unwritten = 256 << 20
    /// States that are begun and not ended, of all workers: they take room on the disk. One alone may be longer.
    package var unfinishedStates = 8 << 30

    /// As shipped.
    package init() {}
}
