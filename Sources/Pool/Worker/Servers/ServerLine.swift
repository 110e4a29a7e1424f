import EnergyModels
import Messaging

/// The line of one thread to a model server.
final class ServerLine: ModelServerLine {
    private let server: SupervisedServer
    private var connection: (life: Int, socket: ServerConnection)?
    private var calls: UInt64 = 0
    /// How long is waited before somebody's wish to stop is looked for.
    private static let patience = Duration.milliseconds(20)

    init(to server: SupervisedServer) { self.server = server }

    func evaluate(_ rows: ServedRows) throws(EvaluationError) -> ServedEvaluation {
        let standing = server.standing
        guard let life = standing.life else {
            throw .sourceAbsent("the model server \"\(server.name)\" is not there: \(standing.reason)")
        }
        do {
            return try evaluate(rows, by: life)
        } catch {
            // Whatever comes by it still belongs to nothing.
            connection = nil
            if let error = error as? EvaluationError { throw error }
            throw failure("\(error)")
        }
    }

    private func failure(_ reason: String) -> EvaluationError {
        .sourceFailed("the model server \"\(server.name)\" has failed: \(reason)")
    }

    private func evaluate(_ rows: ServedRows, by life: SupervisedServer.Life) throws -> ServedEvaluation {
        if connection?.life != life.number {
            connection = (life.number, try ServerConnection(server.context, connectingTo: life.endpoint))
        }
        guard let socket = connection?.socket else { throw failure("there is no connection") }
        calls += 1
        let request = ServerRequest(
            call: calls,
            .evaluate(
                level: rows.level.index, original: rows.level.original, signalVariance: rows.level.signalVariance,
                conditions: rows.conditions, conditionOfRow: rows.conditionOfRow))
        let deadline = ContinuousClock.now + server.limits.evaluation
        var isSent = false
        while true {
            try EvaluationError.throwIfCancelled()
            if !isSent { isSent = try socket.send(request, points: rows.points) }
            while let answer = try socket.receive() {
                if answer.reply.call == calls { return try read(answer, of: rows, from: life) }
            }
            let standing = server.standing
            guard standing.life?.number == life.number else { throw failure(standing.reason) }
            guard ContinuousClock.now < deadline else {
                let reason = "an evaluation was not answered within \(server.limits.evaluation)"
                server.condemn(life, reason)
                throw failure(reason)
            }
            try socket.wait(atMost: Self.patience)
        }
    }

    private func read(
        _ answer: ServerConnection.Answer, of rows: ServedRows, from life: SupervisedServer.Life
    ) throws -> ServedEvaluation {
        switch answer.reply.body {
        case .problem(let text, let traceback):
            server.log(traceback: traceback)
            throw failure(text)
        case .description:
            throw failure("it described itself in place of an evaluation")
        case .evaluated(_, let fingerprint):
            guard fingerprint == life.description.fingerprint else {
                let reason = "another one has taken its place, with the fingerprint \(fingerprint)"
                server.condemn(life, reason)
                throw failure(reason)
            }
            let energies = life.description.givesEnergy ? rows.count : 0
            guard answer.energies.count == energies, answer.gradients.count == rows.points.count else {
                throw failure(
                    "it gave \(answer.energies.count) energies and \(answer.gradients.count) components of gradients, and "
                        + "\(energies) and \(rows.points.count) were asked for")
            }
            return ServedEvaluation(energies: answer.energies, gradients: answer.gradients)
        }
    }
}
