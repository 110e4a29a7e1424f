import JobFile
import Messaging
import SampleMessages

@testable import Sampling

/// Decoders of what comes over the network.
extension FuzzedDecoder {
    static let message = FuzzedDecoder("message") {
        Samples.all.map { $0.encoded() }
    } takes: { bytes in
        guard let message = try? Message.decode(bytes) else { return false }
        let encoded = message.encoded()
        // Numbers that are none differ from themselves, their bytes do not.
        let again = try? Message.decode(encoded)
        try expect(again?.encoded() == encoded, "\(message) comes back as another message")
        return true
    }

    static let serverReply = FuzzedDecoder("server-reply") {
        Seeds.serverReplies
    } takes: { bytes in
        (try? ServerReply(bytes)) != nil
    }

    static let blockState = FuzzedDecoder("block-state") {
        try Blocks.plans.get().enumerated().flatMap { number, plan in
            try [0, 1, 5, 12].map { [UInt8(number)] + (try Blocks.state(of: plan, after: $0)) }
        }
    } takes: { input in
        // Of which block; then its state, with the checksum that anybody can make.
        let plans = try Blocks.plans.get()
        guard let number = input.first, number < plans.count else { return false }
        let plan = plans[Int(number)]
        var bytes = Array(input.dropFirst())
        if bytes.count > 8 {
            let checksum = BlockCheckpoint.checksum(of: bytes.dropLast(8))
            bytes.replaceSubrange(
                bytes.count - 8..<bytes.count, with: (0..<8).map { UInt8(truncatingIfNeeded: checksum >> (8 * $0)) })
        }
        guard var block = try? plan.block(index: 1, chains: Blocks.chains, resuming: bytes) else { return false }
        try expect(block.checkpoint() == bytes, "the state of a block is written as another")
        // Whoever goes on from it has to come through, whatever the numbers are.
        while (try? block.advance()) == true {}
        _ = block.latestAcceptance(chains: Blocks.chains)
        _ = block.result(chains: Blocks.chains)
        return true
    }
}

/// Blocks whose states are read.
enum Blocks {
    /// Of each block.
    static let chains = 2

    /// One of each form that states have.
    static let plans = Result {
        let samplers = [
            #"{"kind": "hmc", "step_size": 0.1, "transitions": 2}, "draws": 2"#,
            #"{"kind": "ula", "step_size": 0.1, "reverse_steps": true}, "output": {"trace": [2, 0]}"#,
            #"{"kind": "mala", "step_size": 0.1, "population": {"bridges": 2}}"#,
            #"{"kind": "mala", "step_size": 0.1, "transitions": 2, "exchange": {"replicas": 2}}, "draws": 3"#,
            #"{"kind": "hmc", "step_size": "tuned"}, "pilot": true"#,
            #"{"kind": "reverse"}"#,
            #"{"kind": "hmc", "step_size": 0.1, "reverse_steps": true, "denoise": true}"#,
        ]
        return try samplers.map { sampler in
            // Of the last one the chains are folded into a box.
            let target = sampler == samplers.last ? #"{"bounded": {"of": "a", "low": -1, "high": 1}}"# : #""a""#
            let text = """
                {"rrr": 1, "name": "small", "chains": 4, "block": \(chains),
                 "models": {"a": {"kind": "gaussian", "mean": [0, 0], "std": 1}}, "target": \(target),
                 "schedule": {"kind": "cosine", "levels": 4}, "sampler": \(sampler)}
                """
            return try Job.decode(Array(text.utf8), file: "small").plan(network: { _ in throw NoNetwork() })
        }
    }

    private struct NoNetwork: Error {}

    /// That of a block after so many steps, or at its end.
    static func state(of plan: SamplingPlan, after steps: Int) throws -> [UInt8] {
        var block = plan.block(index: 1, chains: chains)
        for _ in 0..<steps where try !block.advance() { break }
        return block.checkpoint()
    }
}
