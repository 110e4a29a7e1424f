import Composition
import EnergyModels
import RunFolder
import Sampling
import Testing

/// The block after so many units.
private func block(_ plan: SamplingPlan, units: Int, index: Int = 2) throws -> ChainBlock {
    var block = ChainBlock(plan: plan, index: index)
    for _ in 0..<units { _ = try block.advance() }
    return block
}

/// The result of going on to the end; a population's chains are all that there are.
private func end(_ block: ChainBlock) throws -> BlockResult {
    var block = block
    while try block.advance() {}
    return block.result(chains: block.plan.settings.population == nil ? 7 : block.plan.lanes)
}

/// A checkpoint whose bytes from `offset` on are others, with the checksum (FNV-1a) to match.
private func changed(_ bytes: [UInt8], at offset: Int, to new: [UInt8]) -> [UInt8] {
    var body = Array(bytes.dropLast(8))
    body.replaceSubrange(offset..<offset + new.count, with: new)
    let hash = body.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    return body + (0..<8).map { UInt8(truncatingIfNeeded: hash >> (8 * $0)) }
}

private func word(_ number: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }

/// Where things are in a checkpoint of 8 lanes and 2 dimensions with one draw, of which all is told.
private enum Place {
    static let version = 8
    static let seed = 12
    static let draw = seed + 20 * 8
    static let told = draw + 8 * 2 * 4
    static let evaluations = told + 8 * (8 + 8 + 4)
    static let momentum = evaluations + 8 + 8 * 8 * 2
    static let divergences = momentum + 8 * 8 * 2
    static let accepted = divergences + 4 * 8
    /// From the end.
    static let unitsDone = 16
}

private func refusal(_ bytes: [UInt8], of plan: SamplingPlan, index: Int = 2) -> BlockCheckpointError? {
    do throws(BlockCheckpointError) {
        _ = try ChainBlock(plan: plan, index: index, resuming: bytes)
        return nil
    } catch {
        return error
    }
}

@Suite("Checkpoints of blocks")
struct BlockCheckpointTests {
    @Test("A block stopped after any unit and taken up again ends with the same bits", arguments: CheckpointCase.all)
    func resumed(example: CheckpointCase) throws {
        let plan = example.plan
        let undisturbed = try end(block(plan, units: 0))
        for units in try 0...block(plan, units: 0).steps {
            let stopped = try block(plan, units: units)
            let resumed = try ChainBlock(plan: plan, index: 2, resuming: stopped.checkpoint())
            #expect(resumed.state == stopped.state)
            #expect(resumed.stepsDone == units)
            #expect(resumed.atLevelBoundary == stopped.atLevelBoundary)
            #expect(resumed.latestAcceptance(chains: 5) == stopped.latestAcceptance(chains: 5))
            #expect(resumed.checkpoint() == stopped.checkpoint())
            #expect(try sameBits(end(resumed), undisturbed), "after \(units) units")
        }
    }

    @Test("A block that moves on after every single unit ends with the same bits", arguments: CheckpointCase.all)
    func handedOn(example: CheckpointCase) throws {
        var bytes = try block(example.plan, units: 0).checkpoint()
        while true {
            var next = try ChainBlock(plan: example.plan, index: 2, resuming: bytes)
            guard try next.advance() else {
                #expect(try sameBits(end(next), end(block(example.plan, units: 0))))
                break
            }
            bytes = next.checkpoint()
        }
    }

    @Test("A short block's population is taken up again by one of as many chains alone")
    func shortPopulation() throws {
        let plan = CheckpointCase("", .leaf("mixture"), .hmc, threshold: 0.9).plan
        func finish(_ block: ChainBlock) throws -> BlockResult {
            var block = block
            while try block.advance() {}
            return block.result(chains: 5)
        }
        let undisturbed = try finish(ChainBlock(plan: plan, index: 2, chains: 5))
        var stopped = ChainBlock(plan: plan, index: 2, chains: 5)
        repeat {
            let bytes = stopped.checkpoint()
            let resumed = try ChainBlock(plan: plan, index: 2, chains: 5, resuming: bytes)
            #expect(resumed.checkpoint() == bytes)
            #expect(try sameBits(finish(resumed), undisturbed))
            #expect(
                refusal(bytes, of: plan) == .otherBlock(field: "chains of the population", found: 5, expected: 8))
        } while try stopped.advance()
        let other = CheckpointCase("", .leaf("mixture"), .hmc, threshold: 0.8).plan
        let off = CheckpointCase("", .leaf("mixture"), .hmc).plan
        let bytes = try block(plan, units: 9).checkpoint()
        #expect(refusal(bytes, of: plan) == nil)
        for (plan, field) in [(other, "bits of the population's threshold"), (off, "chains of the population")] {
            guard case .otherBlock(field, _, _) = refusal(bytes, of: plan) else {
                Issue.record("taken up by a block with another \(field)")
                continue
            }
        }
        // The last level's counts, and before the levels' numbers the ancestors.
        let end = bytes.count - Place.unitsDone
        #expect(
            refusal(changed(bytes, at: end - 12, to: [9, 0, 0, 0]), of: plan)
                == .outOfRange(field: "ancestors and parents", found: 9, most: 8))
        #expect(
            refusal(changed(bytes, at: end - 3 * 20 - 4, to: [8, 0, 0, 0]), of: plan)
                == .outOfRange(field: "ancestor", found: 8, most: 7))
    }

    @Test("Replicas are taken up by a block that has them alone, with counts that can be")
    func replicas() throws {
        let plan = CheckpointCase("", .leaf("mixture"), .hmc, draws: 4, exchange: [0, 2, 4]).plan
        let whole = try block(plan, units: 6 * (1 + 3) + 2 * 3)
        let bytes = whole.checkpoint()
        let plain = CheckpointCase("", .leaf("mixture"), .hmc, draws: 4).plan
        func name(_ levels: [Int], every: Int = 1) -> String? {
            let other = CheckpointCase("", .leaf("mixture"), .hmc, draws: 4, exchange: levels, every: every).plan
            guard case .otherBlock(let field, _, _) = refusal(bytes, of: other) else { return nil }
            return field
        }
        #expect(name([0, 2, 4]) == nil)
        #expect(name([0, 2]) == "replicas")
        #expect(name([0, 2, 5]) == "level of a replica")
        #expect(name([0, 2, 4], every: 2) == "rounds between exchanges")
        guard case .otherBlock("rounds between exchanges", _, _) = refusal(bytes, of: plain) else {
            Issue.record("taken up by a block without replicas")
            return
        }
        // At the end 8 lanes each: swaps of two pairs, phases at three levels, round trips; before them what a replica
        // accepted. There were two exchanges, one for each pair.
        let end = bytes.count - Place.unitsDone
        for (row, value, field, most) in [
            (1, 3, "round trips", 2), (2, 3, "phase of a walker", 2), (5, 2, "swaps of pair 1", 1),
            (6, 2, "swaps of pair 0", 1), (7, 7, "accepted by the replica at level 4", 6),
        ] as [(Int, UInt8, String, Int)] {
            let wrong = changed(bytes, at: end - 32 * row, to: [value, 0, 0, 0])
            #expect(refusal(wrong, of: plan) == .outOfRange(field: field, found: UInt64(value), most: most))
        }
        // Before the chains came to level 4 there was no replica, before level 2 one.
        func size(_ units: Int) throws -> Int { try block(plan, units: units).checkpoint().count }
        let ofReplica = 8 * (2 * 2 * 8 + 4)
        #expect(try size(9) - size(8) == ofReplica + 4 * 8)
        #expect(try size(17) - size(16) == ofReplica + 4 * 8)
        #expect(try size(13) - size(12) == 4 * 8)
    }

    @Test("A checkpoint can be taken of a block without disturbing it")
    func undisturbed() throws {
        let plan = CheckpointCase.hamiltonian.plan
        var watched = try block(plan, units: 0)
        repeat { _ = watched.checkpoint() } while try watched.advance()
        #expect(try sameBits(watched.result(chains: 7), end(block(plan, units: 0))))
    }

    @Test("A checkpoint holds the draws kept so far and no room for others")
    func size() throws {
        let plan = CheckpointCase("many draws", .leaf("mixture"), .mala, draws: 100_000).plan
        let annealing = 6 * (1 + 3)
        func size(_ units: Int) throws -> Int { try block(plan, units: units).checkpoint().count }
        #expect(try size(0) < 600)
        #expect(try size(annealing) == size(annealing - 1) + 8 * 2 * 4)
        #expect(try size(annealing + 10) == size(annealing) + 10 * 8 * 2 * 4)
    }

    @Test("What is settled in a checkpoint stands in all later ones, whoever takes them", arguments: CheckpointCase.all)
    func settled(example: CheckpointCase) throws {
        var running = try block(example.plan, units: 0)
        var settled: [UInt8] = []
        repeat {
            let bytes = running.checkpoint()
            #expect(running.settledBytes >= settled.count && running.settledBytes < bytes.count)
            #expect(bytes.starts(with: settled))
            settled = Array(bytes.prefix(running.settledBytes))
            running = try ChainBlock(plan: example.plan, index: 2, resuming: bytes)
            #expect(running.settledBytes == settled.count)
        } while try running.advance()
        #expect(settled.count > 0)
    }

    @Test("A momentum, accepted counts, divergences or draws that are lost change the result")
    func lost() throws {
        let plan = CheckpointCase.hamiltonian.plan
        // In the middle of the last level, one draw kept.
        let bytes = try block(plan, units: 6 * (1 + 3) + 1).checkpoint()
        let undisturbed = try end(block(plan, units: 0))
        #expect(try sameBits(end(try ChainBlock(plan: plan, index: 2, resuming: bytes)), undisturbed))
        let zeros = [UInt8](repeating: 0, count: 8 * 8 * 2)
        #expect(bytes.count == Place.accepted + 6 * 4 * 8 + 16)
        func altered(_ offset: Int, _ new: [UInt8]) throws -> BlockResult {
            try end(try ChainBlock(plan: plan, index: 2, resuming: changed(bytes, at: offset, to: new)))
        }
        let momentum = try altered(Place.momentum, zeros)
        #expect(momentum.samples != undisturbed.samples)
        let counts = try altered(Place.accepted, Array(zeros.prefix(4)))
        #expect(counts.samples == undisturbed.samples && counts.acceptance != undisturbed.acceptance)
        let divergences = try altered(Place.divergences, [1, 0, 0, 0])
        #expect(divergences.divergences != undisturbed.divergences)
        let evaluations = try altered(Place.evaluations, word(5))
        #expect(evaluations.gradientEvaluations < undisturbed.gradientEvaluations)
        let draws = try altered(Place.draw, Array(zeros.prefix(8)))
        #expect(draws.samples.prefix(2) == [0, 0] && draws.samples.dropFirst(2) == undisturbed.samples.dropFirst(2))
        for (name, place, new) in [
            ("lp", Place.told, word(0)), ("energy", Place.told + 8 * 8, word(0)),
            ("diverging", Place.told + 8 * 16, [1, 0, 0, 0]),
        ] {
            let told = try altered(place, new)
            let others = told.statistics.entries.filter { undisturbed.statistics[$0.name] != $0.bytes }
            #expect(others.map(\.name) == [name])
        }
    }
}

@Suite("Checkpoints that are refused")
struct RefusedCheckpointTests {
    private let plan = CheckpointCase.hamiltonian.plan
    private let bytes: [UInt8]

    init() throws { bytes = try block(plan, units: 6 * (1 + 3) + 1).checkpoint() }

    @Test("A checkpoint that is cut anywhere, or goes on after its end, is refused")
    func truncated() {
        for count in bytes.indices { #expect(refusal(Array(bytes.prefix(count)), of: plan) != nil) }
        #expect(refusal(bytes + [0], of: plan) == .damaged)
        // What is there too much, and too little, before the number of units.
        let (front, back) = (bytes.dropLast(Place.unitsDone), bytes.suffix(Place.unitsDone))
        #expect(refusal(changed(front + [0] + back, at: 0, to: []), of: plan) == .damaged)
        #expect(refusal(changed(front.dropLast(4) + back, at: 0, to: []), of: plan) == .damaged)
        #expect(refusal([], of: plan) == .noCheckpoint)
        #expect(refusal(bytes, of: plan) == nil)
    }

    @Test("A checkpoint with any bit turned over is refused")
    func flipped() {
        var damaged = bytes
        for index in bytes.indices {
            for bit in 0..<8 {
                damaged[index] ^= 1 << bit
                #expect(refusal(damaged, of: plan) != nil, "byte \(index)")
                damaged[index] ^= 1 << bit
            }
        }
    }

    @Test("Bytes of other kinds and other versions are told apart")
    func kinds() {
        #expect(refusal(Array("rrrblok".utf8) + bytes, of: plan) == .noCheckpoint)
        for version in [1, 2, 3, 4] as [UInt8] {
            let other = changed(bytes, at: Place.version, to: [version, 0, 0, 0])
            #expect(refusal(other, of: plan) == .otherVersion(UInt32(version)))
        }
        #expect(
            BlockCheckpointError.otherVersion(2).description
                == "the checkpoint's format is version 2, not 5; run the block from its start")
    }

    @Test("A checkpoint of another block, seed or shape is refused by the name of what differs")
    func otherBlocks() {
        func name(_ other: CheckpointCase, index: Int = 2) -> String? {
            guard case .otherBlock(let field, _, _) = refusal(bytes, of: other.plan, index: index) else { return nil }
            return field
        }
        func hmc(
            _ kind: SamplerSettings.Kind = .hmc, reverseSteps: Bool = false, levels: ClosedRange<Int> = 0...5,
            draws: Int = 3, thin: Int = 2, seed: UInt64 = 3, lanes: Int = 8, transitions: Int = 3,
            denoise: Bool = false, exchange: [Int]? = nil, refinement: Int? = nil
        ) -> CheckpointCase {
            CheckpointCase(
                "", .leaf("mixture"), kind, reverseSteps: reverseSteps, levels: levels, draws: draws, thin: thin,
                seed: seed, lanes: lanes, transitions: transitions, denoise: denoise, exchange: exchange,
                refinement: refinement)
        }
        #expect(name(hmc()) == nil)
        #expect(name(hmc(), index: 3) == "block")
        #expect(name(hmc(seed: 4)) == "seed")
        #expect(name(hmc(lanes: 16)) == "lanes")
        #expect(name(hmc(draws: 4)) == "draws")
        #expect(name(hmc(thin: 1)) == "thin")
        #expect(name(hmc(levels: 0...4)) == "first level")
        #expect(name(hmc(levels: 1...5)) == "last level")
        #expect(name(hmc(reverseSteps: true, levels: 1...5)) == "lowest level with transitions")
        #expect(name(hmc(reverseSteps: true, levels: 0...4)) == "highest level with transitions")
        #expect(name(hmc(.uhmc)) == "sampler kind")
        #expect(name(hmc(transitions: 4)) == "transitions")
        #expect(name(hmc(denoise: true)) == "denoising of draws")
        #expect(name(hmc(refinement: 2)) == "levels of refinement")
        #expect(name(hmc(exchange: [0, 3])) == "rounds between exchanges")
    }

    @Test("Counts that can't be are refused although the checksum is right")
    func counts() {
        func field(_ offset: Int, _ new: [UInt8]) -> String? {
            guard case .outOfRange(let field, _, _) = refusal(changed(bytes, at: offset, to: new), of: plan) else {
                return nil
            }
            return field
        }
        #expect(field(bytes.count - Place.unitsDone, word(29)) == "units done")
        #expect(field(bytes.count - Place.unitsDone, word(.max)) == "units done")
        #expect(field(Place.evaluations, word(1 << 63)) == "evaluations")
        #expect(field(Place.evaluations, word(51)) == "evaluations")
        #expect(field(Place.divergences, [27, 0, 0, 0]) == "divergences")
        #expect(field(Place.told + 8 * 20 - 4, [27, 0, 0, 0]) == "divergences of draws")
        #expect(field(Place.accepted, [4, 0, 0, 0]) == "accepted at level 5")
        #expect(field(Place.accepted, [255, 255, 255, 255]) == "accepted at level 5")
        #expect(field(Place.accepted + 5 * 4 * 8, [5, 0, 0, 0]) == "accepted at level 0")
        // Another number of units asks for another number of bytes.
        #expect(refusal(changed(bytes, at: bytes.count - Place.unitsDone, to: word(26)), of: plan) == .damaged)
    }
}
