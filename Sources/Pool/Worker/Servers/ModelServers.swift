import EnergyModels
import JobFile
import Logging
import Messaging

/// The model servers beside this worker.
final class ModelServers: Sendable {
    private let servers: [SupervisedServer]
    private let folder: ServerFolder?

    /// Begins to look after all of them.
    ///
    /// - Parameter changed: called, from other threads, when ``offered`` may have changed.
    /// - Throws: what Foundation says if there is no place for their sockets.
    init(
        _ offers: [ServerOffer], limits: ServerLimits, logger: Logger, changed: @escaping @Sendable () -> Void
    ) throws {
        guard !offers.isEmpty else {
            (servers, folder) = ([], nil)
            return
        }
        let (context, folder) = (MessagingContext(), try ServerFolder())
        self.folder = folder
        servers = offers.map {
            SupervisedServer($0, limits: limits, context: context, folder: folder, logger: logger, changed: changed)
        }
    }

    /// Those that are ready, in the order of their names.
    var offered: [OfferedServer] {
        servers.compactMap { server in
            server.standing.life.map { OfferedServer(name: server.name, fingerprint: $0.description.fingerprint) }
        }.sorted { $0.name < $1.name }
    }

    /// Ends all of them.
    func end() {
        for server in servers { server.beginToEnd() }
        for server in servers { server.waitForEnd() }
        folder?.remove()
    }

    /// Why a model of a job can't be evaluated.
    struct Refusal: Error, Equatable, CustomStringConvertible {
        let description: String
        /// Whether the server is not there, which is this worker's own trouble, and not of another kind than the job says.
        let isAbsence: Bool
    }

    /// The server of a job's model, which has to be what the job says of it.
    func server(for model: ServerModel, of job: Job) throws(Refusal) -> any ModelServer {
        guard let server = servers.first(where: { $0.name == model.name }), let found = server.description else {
            throw Refusal(description: "there is no model server \"\(model.name)\" here, or not yet", isAbsence: true)
        }
        func refusal(_ problem: String) -> Refusal {
            Refusal(description: "the model server \"\(model.name)\" \(problem)", isAbsence: false)
        }
        guard found.shape == model.shape.lengths else {
            throw refusal("has points of the shape \(found.shape), but the job's have \(model.shape)")
        }
        guard found.givesEnergy == (model.gives == .energy) else {
            throw refusal(
                "gives \(found.givesEnergy ? "an energy" : "a score alone"), but the job says \"gives\": "
                    + "\"\(model.gives.rawValue)\"")
        }
        if let unknown = model.conditionNames.first(where: { !found.conditions.contains($0) }) {
            throw refusal("knows no condition \"\(unknown)\"; it knows \(found.conditions)")
        }
        guard !found.signalVariances.isEmpty else { return server }
        let levels = NoiseSchedule(job.schedule.unspaced).levels.map(\.signalVariance)
        let isSame =
            levels.count == found.signalVariances.count
            && zip(levels, found.signalVariances).allSatisfy { abs($0 - $1) <= 1e-5 }
        guard isSame else {
            throw refusal(
                "was trained on another schedule, of \(found.signalVariances.count) levels; write \"schedule\": "
                    + "{\"kind\": \"table\", \"abar\": […]} with its levels")
        }
        return server
    }
}
