import ContentHash
import CoordinatorCore
import ModelTransfer

/// Reads the texts that were handed in and writes the models that come with them, as the intake wants it.
///
/// The models that a text was found to need are held until the text is done with: nobody removes them meanwhile.
struct ModelReception {
    private struct Entry {
        var found: [Digest: StoredModel] = [:]
        var incoming: IncomingModel?
    }

    private let store: ModelStore
    private let reader: JobReader<Int>
    private var entries: [Int: Entry] = [:]

    /// - Parameter reader: reads into `store`; what it says of a number is for ``reading(_:of:)``.
    init(store: ModelStore, reader: JobReader<Int>) { (self.store, self.reader) = (store, reader) }

    /// Does what the intake wants. - Returns: what became of a model, if the action ended its way here.
    mutating func perform(_ action: Intake.Action) -> (number: Int, reception: Intake.Reception)? {
        do {
            switch action {
            case .read(let number, let text):
                let entry = entries[number] ?? Entry()
                entries[number] = entry
                reader.read(text, found: entry.found, ticket: number)
            case .forget(let number):
                entries[number] = nil
            case .begin(let number, let model):
                entries[number]?.incoming = try store.receive(model)
            case .write(let number, let bytes):
                try entries[number]?.incoming?.write(bytes)
            case .keep(let number):
                guard let incoming = entries[number]?.incoming else { return nil }
                entries[number]?.found[incoming.model] = try store.keep(incoming)
                entries[number]?.incoming = nil
                return (number, .kept)
            }
            return nil
        } catch {
            entries[action.number]?.incoming = nil
            return (action.number, .failed(exitStatus: error.exitStatus, reason: "\(error)"))
        }
    }

    /// What the reader has said of a text, for the intake.
    mutating func reading(_ outcome: JobReader<Int>.Outcome, of number: Int) -> Intake.Reading {
        switch outcome {
        case .job(let job, _): return .job(job)
        case .refused(let error): return .refused("\(error)")
        case .missing(let models, let found):
            // Nobody may want it any more.
            if entries[number] != nil { entries[number]?.found.merge(found) { $1 } }
            return .missing(models, found: Array(found.keys))
        }
    }
}
