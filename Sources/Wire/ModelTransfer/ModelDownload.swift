package import ContentHash
package import Messaging

/// A model file on its way into a store, as long as its sender can be asked for it.
package struct ModelDownload {
    private let file: IncomingModel
    private let store: ModelStore
    private var window: PieceWindow

    /// Begins with nothing. - Throws: ``ModelTransferError`` if the store cannot be written.
    package init(_ model: Digest, into store: ModelStore, at now: Duration) throws(ModelTransferError) {
        file = try store.receive(model)
        self.store = store
        window = PieceWindow(length: ModelChunk.longest, at: now)
    }

    /// The SHA-256 of the file.
    package var model: Digest { file.model }

    /// What to ask the sender for now; to be called often.
    package mutating func requests(at now: Duration) -> [Message] {
        window.requests(at: now).map {
            .modelRequest(ModelRequest(model: model, offset: $0, length: ModelChunk.longest))
        }
    }

    /// Asks again for what is missing: the sender has started anew.
    package mutating func startAnew() { window.startAnew() }

    /// Takes in a piece of the file.
    ///
    /// - Returns: the file when this was its last piece.
    /// - Throws: ``ModelTransferError``, after which the download is over.
    package mutating func take(_ chunk: ModelChunk, at now: Duration) throws(ModelTransferError) -> StoredModel? {
        guard chunk.total <= ModelStore.largestModel else {
            throw ModelTransferError(
                .wrongContent, model, "has \(chunk.total) bytes; at most \(ModelStore.largestModel) are taken in")
        }
        switch window.take(offset: chunk.offset, count: chunk.data.count, total: chunk.total, at: now) {
        case .passedOver: return nil
        case .contradiction: throw ModelTransferError(.wrongContent, model, "changed its size on the way")
        case .taken: break
        }
        try file.write(chunk.data)
        return window.isComplete ? try store.keep(file) : nil
    }
}
