import ContentHash
import Dispatch
import Synchronization

/// The SHA-256 of a file that is being written, from its beginning on, computed on a thread of its own: at the end of a
/// run of gigabytes little of it is left to do.
final class PrefixHash: Sendable {
    private struct State {
        var hash = SHA256()
        var done = 0
    }

    private let path: String
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "hash of a growing file")

    init(ofFile path: String) {
        self.path = path
    }

    /// The first `size` bytes of the file will not change any more: hashes them when there is time.
    func advance(to size: Int) {
        queue.async { [self] in
            // What fails here is done, and told, at the end.
            try? hash(upTo: size)
        }
    }

    /// The hash of the whole file of `size` bytes.
    ///
    /// Throws `.inputOutput`, or `.missing` when the file is not there.
    func finish(size: Int) throws(RunFolderError) -> Digest {
        // After what was begun before.
        queue.sync {}
        try hash(upTo: size)
        return state.withLock { $0.hash.finalize() }
    }

    private func hash(upTo size: Int) throws(RunFolderError) {
        let file = try File(path, for: .reading)
        while true {
            let done = state.withLock { $0.done }
            guard done < size else { return }
            let piece: [UInt8] = try file.read(count: min(File.pieceSize, size - done), at: done)
            state.withLock { state in
                state.hash.update(piece)
                state.done += piece.count
            }
        }
    }
}
