package import ContentHash
package import Logging
package import Messaging

extension CoordinatorCore {
    /// What is to be done.
    package enum Action: Sendable {
        /// Of messages to one peer, none is sent after one that could not be.
        case send(Message, to: PeerID)
        /// Part of a file of a job's folder is to be sent: at most so many bytes from an offset on.
        case sendFile(Digest, name: String, offset: Int, length: Int, to: PeerID)
        /// Part of a model's file is to be sent.
        case sendModel(ModelRequest, to: PeerID)
        /// A peer that reads nothing is to be cut off.
        case end(Line)
        /// The connection goes by which the message at hand has come.
        case hangUp
        /// The allow-list is to be read again, for this peer.
        case readKeys(for: PeerID)
        case ask(ArchiveRequest)
        /// The folder of a job is to be compared with what it was, beside everything else.
        case inspect(Digest)
        /// Whether the folder of a job holds a finished run is to be told at once.
        case lookUp(Digest, Lookup)
        /// What is in a job's folder is of no use: it is no finished run any more.
        case removeSummary(Digest)
        /// What is staged of a job goes.
        case discardStaging(Digest)
        case receive(Intake.Action)
        /// A model goes that came with a job which was not accepted.
        case removeModel(Digest)
        /// The least recently used models go that no job needs, as far as they take more than so many bytes.
        case trimModels(within: Int)
        case log(Logger.Level, String)
    }
}
