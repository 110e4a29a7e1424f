import CProtobufC
import CWireMessages

/// What a worker asks a model server.
package struct ServerRequest: Sendable {
    /// The version of the protocol that this side speaks.
    package static let protocolVersion: UInt32 = 1

    /// What is asked.
    package enum Body: Sendable {
        /// What it is.
        case describe
        /// The energies and gradients of rows of points at a noise level.
        ///
        /// - Parameters:
        ///   - level: its index in the job's schedule.
        ///   - original: its index among the levels that models are trained on.
        ///   - signalVariance: abar of the level.
        ///   - conditions: JSON objects.
        ///   - conditionOfRow: by row, which of them holds for it.
        case evaluate(
            level: Int, original: Int, signalVariance: Double, conditions: [String], conditionOfRow: [Int])
    }

    /// Comes back with the answer.
    package let call: UInt64
    /// What is asked.
    package let body: Body

    /// Both as given.
    package init(call: UInt64, _ body: Body) {
        self.call = call
        self.body = body
    }

    /// As the first frame of a message.
    func encoded() -> [UInt8] {
        var arena = EncodingArena()
        var request = Rrr__Server__Request()
        rrr__server__request__init(&request)
        (request.protocol_version, request.call) = (Self.protocolVersion, call)
        switch body {
        case .describe:
            request.body_case = RRR__SERVER__REQUEST__BODY_DESCRIBE
            request.describe = arena.fields(rrr__server__describe__init)
        case .evaluate(let level, let original, let signalVariance, let conditions, let conditionOfRow):
            let place = arena.fields(rrr__server__level__init)
            place.pointee.index = Int32(clamping: level)
            place.pointee.original = Int32(clamping: original)
            place.pointee.signal_variance = signalVariance
            let evaluate = arena.fields(rrr__server__evaluate__init)
            evaluate.pointee.level = place
            evaluate.pointee.rows = UInt32(clamping: conditionOfRow.count)
            let texts = arena.array(of: UnsafeMutablePointer<CChar>?.none, count: conditions.count)
            for (index, condition) in conditions.enumerated() { texts[index] = arena.text(condition) }
            (evaluate.pointee.n_conditions, evaluate.pointee.conditions) = (conditions.count, texts)
            let places = arena.array(of: UInt32(0), count: conditionOfRow.count)
            for (row, condition) in conditionOfRow.enumerated() { places[row] = UInt32(clamping: condition) }
            (evaluate.pointee.n_condition_of_row, evaluate.pointee.condition_of_row) = (conditionOfRow.count, places)
            request.body_case = RRR__SERVER__REQUEST__BODY_EVALUATE
            request.evaluate = evaluate
        }
        return [UInt8](unsafeUninitializedCapacity: rrr__server__request__get_packed_size(&request)) { buffer, count in
            count = rrr__server__request__pack(&request, buffer.baseAddress)
        }
    }
}

/// What a model server says that it is.
package struct ServerDescription: Sendable, Equatable {
    /// What it calls itself.
    package var name: String
    /// Whether it gives energies, not scores alone.
    package var givesEnergy: Bool
    /// The lengths of a point's axes.
    package var shape: [Int]
    /// The most rows of one evaluation.
    package var rows: Int
    /// abar of each level that its model was trained on; empty if it takes any.
    package var signalVariances: [Double]
    /// The keys that a condition may have.
    package var conditions: [String]
    /// Such as "torch 2.4.1, cpu", and a hash of the weights.
    package var machinery: String
    /// Of its arithmetic: equal ones give equal bytes.
    package var fingerprint: String
}

/// What a model server answers.
package struct ServerReply: Sendable {
    /// The kinds of answers that a worker asks for.
    package enum Body: Sendable {
        case description(ServerDescription)
        /// With the fingerprint of whoever evaluated so many rows.
        case evaluated(rows: Int, fingerprint: String)
        /// Why there is no other answer, and the traceback of an exception.
        case problem(String, traceback: String)
    }

    /// The request's.
    package let call: UInt64
    /// What is answered.
    package let body: Body

    /// Reads the first frame of a message. - Throws: ``MessagingError`` with code `malformed` or `version`.
    package init(_ bytes: [UInt8]) throws(MessagingError) {
        let limits = DecodingLimits()
        let result: Result<ServerReply?, MessagingError> = bytes.withUnsafeBufferPointer { buffer in
            do throws(MessagingError) {
                return .success(
                    try UnpackingBudget(bytes: limits.unpackedBytes).unpacking(
                        buffer, with: rrr__server__reply__unpack, free: rrr__server__reply__free_unpacked
                    ) { reply throws(MessagingError) in try ServerReply(reading: reply, limits) })
            } catch {
                return .failure(error)
            }
        }
        guard let reply = try result.get() else { throw .malformed("\(bytes.count) bytes that are no reply") }
        self = reply
    }

    private init(reading reply: Rrr__Server__Reply, _ limits: DecodingLimits) throws(MessagingError) {
        call = reply.call
        // A problem is told in any version: it may be that of the versions.
        if reply.body_case == RRR__SERVER__REPLY__BODY_PROBLEM, let problem = reply.problem?.pointee {
            body = .problem(
                Self.text(problem.text, 4_096), traceback: Self.text(problem.traceback, 65_536, lines: true))
            return
        }
        guard reply.protocol_version == ServerRequest.protocolVersion else {
            throw MessagingError(
                code: .version(reply.protocol_version),
                message: "it speaks version \(reply.protocol_version) of the servers' protocol, and this worker "
                    + "\(ServerRequest.protocolVersion)")
        }
        if reply.body_case == RRR__SERVER__REPLY__BODY_DESCRIPTION, let description = reply.description?.pointee {
            body = .description(try ServerDescription(reading: description))
        } else if reply.body_case == RRR__SERVER__REPLY__BODY_EVALUATED, let evaluated = reply.evaluated?.pointee {
            body = .evaluated(rows: Int(evaluated.rows), fingerprint: Self.text(evaluated.fingerprint, 64))
        } else {
            throw .malformed("a reply of a kind that was not asked for")
        }
    }

    /// A text without anything that a terminal obeys.
    fileprivate static func text(_ start: UnsafeMutablePointer<CChar>?, _ bytes: Int, lines: Bool = false) -> String {
        PeerText.shown(start.map { String(cString: $0) } ?? "", atMost: bytes, keepsLines: lines)
    }
}

extension ServerDescription {
    fileprivate init(reading m: Rrr__Server__Description) throws(MessagingError) {
        func array<Number>(_ start: UnsafeMutablePointer<Number>?, _ count: Int) -> [Number] {
            Array(UnsafeBufferPointer(start: start, count: start == nil ? 0 : count))
        }
        let fingerprint = ServerReply.text(m.fingerprint, 256)
        guard OfferedServer.isFingerprint(fingerprint) else {
            throw .malformed("the fingerprint \"\(fingerprint)\", which is none")
        }
        guard m.gives == RRR__SERVER__GIVES__GIVES_ENERGY || m.gives == RRR__SERVER__GIVES__GIVES_SCORE else {
            throw .malformed("a model that gives neither energy nor score")
        }
        let hash = ServerReply.text(m.weights, 64)
        let parts = [ServerReply.text(m.framework, 256), ServerReply.text(m.device, 256)]
        self.init(
            name: ServerReply.text(m.name, 256), givesEnergy: m.gives == RRR__SERVER__GIVES__GIVES_ENERGY,
            shape: array(m.shape, m.n_shape).map { Int($0) }, rows: Int(m.rows),
            signalVariances: array(m.signal_variances, m.n_signal_variances),
            conditions: array(m.conditions, m.n_conditions).map { ServerReply.text($0, 256) },
            machinery: (parts + (hash.isEmpty ? [] : ["weights \(hash.prefix(8))"])).joined(separator: ", "),
            fingerprint: fingerprint)
    }
}
