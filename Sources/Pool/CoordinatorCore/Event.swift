package import ContentHash
package import JobFile
package import Messaging
package import PoolCore

extension CoordinatorCore {
    /// The time at which something happens, and what only the core's host can see then.
    package struct Moment: Sendable {
        /// By a clock that only goes forward.
        package var now: Duration
        /// Seconds since 1970, by the clock on the wall.
        package var date: Double
        /// Bytes of results and checkpoints that wait for the disk.
        package var waitingBytes: Int

        /// - Parameters:
        ///   - now: by a clock that only goes forward.
        ///   - date: seconds since 1970, by the clock on the wall.
        ///   - waitingBytes: of results and checkpoints that wait for the disk.
        package init(now: Duration, date: Double, waitingBytes: Int = 0) {
            (self.now, self.date, self.waitingBytes) = (now, date, waitingBytes)
        }
    }

    /// What happens.
    package enum Event: Sendable {
        /// A life begins: the jobs that the journal knows, its last job's number, and which of the jobs that are not over
        /// there have all their files.
        case began([PastJob], lastJob: JobNumber, complete: Set<Digest>)
        /// A message was read that ``screen(_:from:_:at:)`` lets through, or could not be; the line is nil for one that is
        /// not told from others.
        case message(Result<Message, MessagingError>, from: PeerID, over: Line?, of: Origin = Origin())
        /// Somebody connected and was not let in.
        case turnedAway(Stranger)
        /// The allow-list was read again: these are let in no more.
        case revoked(Set<Credential>)
        /// A reading of the allow-list that a peer has asked for is done: so many keys are let in, or why it failed.
        case keysRead(Result<Int, KeysUnread>, for: PeerID)
        /// A message that the core asked to send was not sent: the peer is gone, or takes nothing in for now.
        case undelivered(Message, to: PeerID, isGone: Bool)
        /// A peer has taken everything that it was sent.
        case drained(Line)
        /// Some connections were ended that took too much; the text says why.
        case connectionsEnded(String)
        /// What the reading of a job's text came to.
        case read(Int, Intake.Reading)
        /// A model that came with a job is in the store, or can't be.
        case received(Int, Intake.Reception)
        /// Whether the folder of a job holds a finished run.
        case lookedUp(Digest, hasRun: Bool, Lookup)
        /// What the folder of a job holds was looked at.
        case inspected(Digest, FolderContent)
        /// The archive has done something.
        case archived(ArchiveReply)
        /// A worker process of this host has died.
        case processDied(Int32, reason: String)
        /// There will be no workers any more.
        case poolExhausted(reason: String)
        /// The coordinator is to end.
        case dismissed
        /// Some time has gone by.
        case ticked
    }

    /// Why the allow-list can't be read; the old one holds on.
    package struct KeysUnread: Error, Sendable {
        let exitStatus: Int32
        let reason: String

        /// Both as given.
        package init(exitStatus: Int32, reason: String) { (self.exitStatus, self.reason) = (exitStatus, reason) }
    }

    /// Why a job's folder is looked up.
    package enum Lookup: Sendable {
        /// A text was handed in whose hash is the job's identity.
        case submission(HandedIn)
        /// A text was read.
        case accepted(Job, HandedIn)
    }
}

/// One connection of a peer and no later one, as the system tells them apart.
package typealias Line = Connection.Identity

/// What the folder of a job holds.
package enum FolderContent: Sendable {
    /// No finished run; or one that is damaged, for that reason, and has to go before its job runs again.
    case nothing(damage: String? = nil)
    /// A finished run, whose files are what they were.
    case sound(FinishedRun)
    /// It can't be looked at.
    case unknown(String)
}
