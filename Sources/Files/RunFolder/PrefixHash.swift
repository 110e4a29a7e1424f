import ContentHash
import Dispatch
import Synchronization

/// What has to be known of the whole of a file that is being written: its SHA-256, and of samples how many of the draws are
/// not finite. It is taken in from the beginning on, on a thread of its own: at the end of a run of gigabytes little of
/// it is left to do.
final class PrefixHash: Sendable {
    private struct State {
        var hash = SHA256()
        var draws: NonFiniteDraws?
        var done = 0
    }

    private let path: String
    private let state: Mutex<State>
    private let queue = DispatchQueue(label: "hash of a growing file")

    /// - Parameter draws: what counts those of samples; nil for another file.
    init(ofFile path: String, draws: NonFiniteDraws? = nil) {
        self.path = path
        state = Mutex(State(draws: draws))
    }

    /// The first `size` bytes of the file will not change any more: takes them in when there is time.
    func advance(to size: Int) {
        queue.async { [self] in
            // What fails here is done, and told, at the end.
            try? read(upTo: size)
        }
    }

    /// The hash of the whole file of `size` bytes, and the draws in it that are not finite.
    ///
    /// Throws `.inputOutput`, or `.missing` when the file is not there.
    func finish(size: Int) throws(RunFolderError) -> (hash: Digest, nonFiniteDraws: Int) {
        // After what was begun before.
        queue.sync {}
        try read(upTo: size)
        return state.withLock { ($0.hash.finalize(), $0.draws?.count ?? 0) }
    }

    private func read(upTo size: Int) throws(RunFolderError) {
        let file = try File(path, for: .reading)
        while true {
            let done = state.withLock { $0.done }
            guard done < size else { return }
            let piece: [UInt8] = try file.read(count: min(File.pieceSize, size - done), at: done)
            state.withLock { state in
                state.hash.update(piece)
                state.draws?.update(piece)
                state.done += piece.count
            }
        }
    }
}
