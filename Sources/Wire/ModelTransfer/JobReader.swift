package import ContentHash
import Foundation
package import JobFile
import Synchronization

/// Reads jobs that have travelled, and their model files, on a thread of its own: hashing gigabytes must
/// keep no socket waiting.
package final class JobReader<Ticket: Sendable>: Sendable {
    /// What comes of a text.
    package enum Outcome: Sendable {
        /// The job, and its model files.
        case job(Job, models: [Digest: StoredModel])
        /// Some model files are not in the store; those that are.
        case missing([Digest], found: [Digest: StoredModel])
        /// The text is no job that can be run.
        case refused(JobError)
    }

    private struct Order: Sendable {
        let text: [UInt8]
        let found: [Digest: StoredModel]
        let ticket: Ticket
    }

    private let store: ModelStore
    private let queue = Mutex<[Order]>([])
    private let available = DispatchSemaphore(value: 0)
    private let deliver: @Sendable (Ticket, Outcome) -> Void

    /// - Parameter deliver: called from the thread, with what each text was given with.
    package init(store: ModelStore, deliver: @escaping @Sendable (Ticket, Outcome) -> Void) {
        self.store = store
        self.deliver = deliver
        // It ends with the process, like whoever owns this.
        Thread { self.work() }.start()
    }

    /// Reads a text, after those that were given before.
    ///
    /// - Parameter found: model files that were found before, and are held.
    package func read(_ text: [UInt8], found: [Digest: StoredModel] = [:], ticket: Ticket) {
        queue.withLock { $0.append(Order(text: text, found: found, ticket: ticket)) }
        available.signal()
    }

    private func work() {
        while true {
            available.wait()
            if let order = queue.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
                deliver(order.ticket, patientOutcome(of: order))
            }
        }
    }

    /// With too many files open nothing can be told of a job: that is waited for, like a full disk.
    private func patientOutcome(of order: Order) -> Outcome {
        var isTold = false
        while true {
            do {
                return try outcome(of: order)
            } catch {
                if !isTold { store.warn("\(error); when files are closed, it goes on by itself") }
                isTold = true
                Thread.sleep(forTimeInterval: 1)
            }
        }
    }

    private func outcome(of order: Order) throws(ModelTransferError) -> Outcome {
        var found = order.found
        var failure: ModelTransferError?
        do {
            let job = try Job.decode(order.text, file: "job") { model in
                do throws(ModelTransferError) {
                    if found[model] == nil { found[model] = try self.store.open(model) }
                } catch {
                    failure = error
                }
                return found[model]?.path
            }
            return .job(job, models: found)
        } catch {
            if let failure { throw failure }
            if case .missingModels(let missing) = error.code { return .missing(missing, found: found) }
            return .refused(error)
        }
    }
}
