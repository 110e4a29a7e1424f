import EnergyModels
import VectorMath

/// A block of chains between two units, as it is written down.
///
/// All numbers are little-endian. First comes what no later checkpoint of the block changes, so that it need be stored
/// only once: `rrrblock`, the version (UInt32), seed, block and shape of the plan (UInt64 each), and the draws kept until
/// then, one after the other: for each the points [lanes][dimension] (Float32) and, if it is told of draws, their log
/// densities and energies (Float64) and the divergences until then (Int32), each [lanes].
///
/// Then come evaluations (UInt64) and arrays without lengths, since those follow from the plan and the units done:
/// position and momentum [dimension][lanes] (Float64), divergences [lanes] and accepted transitions [levels
/// entered][lanes] (Int32). A population, if there is one, follows: the logarithms of the weights [chains] and
/// the part of the normaliser collected so far (Float64), ancestors [chains] (Int32), and for each level entered
/// the effective size (Float32), the numbers of ancestors and parents (Int32) and the logarithm of the normaliser
/// (Float64), and where bridges are allowed their number (Int32). Where replicas are exchanged there follow for each one
/// set off, ascending, position and momentum [dimension][lanes] (Float64) and accepted transitions [lanes] (Int32); then
/// swaps [pairs][lanes], the walkers' phases [levels][lanes] and round trips [lanes] (Int32). Where points are kept on the way
/// those follow, [levels done][chains][dimension] (Float32). At the end stand the units done (UInt64) and the checksum of
/// all before it (UInt64). Log density and score are left out: they can be computed again.
struct BlockCheckpoint {
    var unitsDone: Int
    /// Evaluations of the composition so far.
    var evaluations: Int
    /// [dimension][lanes].
    var position: [Double]
    /// [dimension][lanes].
    var momentum: [Double]
    /// [lanes].
    var divergences: [Int32]
    /// Transitions accepted at each level entered, the noisiest first, each [lanes].
    var accepted: [[Int32]]
    /// Those kept so far; the others are zero.
    var draws: KeptDraws
    /// The chains as a population; nil if they are none.
    var population: Population?
    /// The replicas of the chains; nil if they have none.
    var exchange: ReplicaExchange?
    /// The points kept on the way; nil if none are.
    var trace: ChainTrace?

    private static let magic = Array("rrrblock".utf8)
    static let version: UInt32 = 5

    /// What must be the same in a checkpoint and in the block that takes it up.
    private static func header(
        of plan: SamplingPlan, index: Int, population: Population?
    ) -> [(name: String, value: UInt64)] {
        let settings = plan.settings
        let kind = SamplerSettings.Kind.allCases.firstIndex(of: settings.kind) ?? 0
        let numbers: [(String, Int)] = [
            ("block", index), ("lanes", plan.lanes), ("dimension", plan.density.dimension), ("draws", plan.draws),
            ("thin", plan.thin), ("noise levels", plan.schedule.levels.count), ("first level", plan.firstLevel),
            ("last level", max(plan.lastLevel, 0)), ("sampler kind", kind), ("transitions", settings.transitions),
            ("lowest level with transitions", settings.levels.lowerBound),
            ("highest level with transitions", settings.levels.upperBound),
            ("chains of the population", population?.logWeights.count ?? 0),
            ("denoising of draws", settings.denoise ? 1 : 0),
            ("levels of refinement", plan.refinement.count),
            ("transitions of refinement", settings.refinement?.transitions ?? 0),
            ("rounds between exchanges", settings.exchange?.every ?? 0), ("replicas", plan.replicas),
        ]
        let levels = settings.exchange?.levels.map { ("level of a replica", $0) } ?? []
        // Only where there are some, as what follows from them.
        let bridges = [population?.mostBridges ?? 0].filter { $0 > 0 }
        let traced = plan.trace.map { trace in
            [("chains with a trace", trace.chains)] + trace.levels.map { ("level of a trace", $0) }
        }
        return [("seed", plan.seed)] + (numbers + levels + (traced ?? [])).map { ($0, UInt64($1)) }
            + [("bits of the population's threshold", population?.threshold.bitPattern ?? 0)]
            + bridges.map { ("most bridges", UInt64($0)) }
    }
}

extension BlockCheckpoint {
    /// Bytes at the start of a checkpoint of the plan, with so many draws kept, that no later one of the block changes;
    /// 0 as long as there are no draws.
    static func settledBytes(of plan: SamplingPlan, population: Population?, draws: Int, drawBytes: Int) -> Int {
        guard draws > 0 else { return 0 }
        let header = header(of: plan, index: 0, population: population)
        return magic.count + 4 + 8 * header.count + draws * plan.lanes * drawBytes
    }

    /// As bytes, for block `index` of the plan.
    func bytes(of plan: SamplingPlan, index: Int) -> [UInt8] {
        let kept = BlockPlace(after: unitsDone, of: plan).draws(of: plan)
        var bytes = Self.magic
        bytes.reserveCapacity(
            256 + 16 * position.count + (4 * (accepted.count + 1) + kept * draws.drawBytes) * divergences.count)
        func append(_ number: some FixedWidthInteger) {
            withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
        }
        append(Self.version)
        for field in Self.header(of: plan, index: index, population: population) { append(field.value) }
        for draw in 0..<kept {
            bytes.append(littleEndian: draws.points.of(draw: draw))
            for array in [draws.logDensity, draws.energy] { bytes.append(littleEndian: array.of(draw: draw)) }
            bytes.append(littleEndian: draws.divergences.of(draw: draw))
        }
        append(UInt64(evaluations))
        for array in [position, momentum] { bytes.append(littleEndian: array) }
        for counts in [divergences] + accepted { bytes.append(littleEndian: counts) }
        if let population {
            bytes.append(littleEndian: population.logWeights + [population.logCollected])
            bytes.append(littleEndian: population.ancestors)
            for level in population.levels {
                append(level.effectiveSize.bitPattern)
                append(level.ancestors)
                append(level.parents)
                append(level.logNormalizer.bitPattern)
                if population.mostBridges > 0 { append(level.bridges) }
            }
        }
        if let exchange {
            for replica in exchange.replicas {
                for array in [replica.state.position, replica.state.momentum] {
                    bytes.append(littleEndian: array.elements)
                }
                bytes.append(littleEndian: replica.state.accepted)
            }
            let phases = exchange.phases.map { $0.map { Int32($0.rawValue) } }
            for counts in exchange.swaps + phases + [exchange.roundTrips] { bytes.append(littleEndian: counts) }
        }
        if let trace { bytes.append(littleEndian: trace.points) }
        append(UInt64(unitsDone))
        append(Self.checksum(of: bytes[...]))
        return bytes
    }

    /// Reads what ``bytes(of:index:)`` wrote for the same block of the same plan, whose chains start as `population`
    /// and have their replicas in `exchange`.
    ///
    /// Memory is taken only after the number of bytes has been found to be what the plan asks for, but for what a block of
    /// the plan has anyway.
    init(
        _ bytes: [UInt8], of plan: SamplingPlan, index: Int, population: Population? = nil,
        exchange: ReplicaExchange? = nil
    ) throws(BlockCheckpointError) {
        let header = Self.header(of: plan, index: index, population: population)
        let front = Self.magic.count + 4
        guard bytes.starts(with: Self.magic), bytes.count >= front else { throw .noCheckpoint }
        var reader = Reader(bytes: bytes, next: Self.magic.count)
        let version: UInt32 = reader.number()
        guard version == Self.version else { throw .otherVersion(version) }
        // Before the units done and the checksum.
        let end = bytes.count - 16
        guard end >= front + 8 * (header.count + 1) else { throw .damaged }
        var trailer = Reader(bytes: bytes, next: end + 8)
        guard trailer.number() == Self.checksum(of: bytes[..<(end + 8)]) else { throw .damaged }

        for field in header {
            let found: UInt64 = reader.number()
            guard found == field.value else {
                throw .otherBlock(field: field.name, found: found, expected: field.value)
            }
        }
        trailer.next = end
        unitsDone = try trailer.count("units done", atMost: plan.units)
        let place = BlockPlace(after: unitsDone, of: plan)
        // Evaluations of exchanges so far, at most.
        let ofExchanges = place.exchanges(of: plan) * (plan.settings.exchange?.mostEvaluations ?? 0)
        let entered = plan.firstLevel + 1 - place.level
        let (lanes, dimension) = (plan.lanes, plan.density.dimension)
        let kept = place.draws(of: plan)
        let ofPopulation =
            population.map {
                8 + 12 * $0.logWeights.count + ($0.mostBridges > 0 ? 24 : 20) * entered
            } ?? 0
        draws = KeptDraws(of: plan)
        let ofLanes = lanes * (16 * dimension + 4 * (1 + entered) + kept * draws.drawBytes)
        let setOff = exchange?.settings.levels.filter { $0 > place.level } ?? []
        let ofReplicas = setOff.count * lanes * (16 * dimension + 4)
        let ofSwaps = exchange.map { 4 * lanes * (2 * $0.settings.pairs + 2) } ?? 0
        let traced = plan.trace.map { $0.levelsDone(at: place, of: plan) * $0.numbersPerLevel } ?? 0
        guard end - reader.next == 8 + ofLanes + ofPopulation + ofReplicas + ofSwaps + 4 * traced else {
            throw .damaged
        }

        let mostDivergences =
            unitsDone + ofExchanges + kept + entered * plan.settings.mostTransitionsOnBridges
        for draw in 0..<kept {
            draws.points.take(reader.floats(lanes * dimension), ofDraw: draw)
            draws.logDensity.take(reader.doubles(lanes * draws.logDensity.width), ofDraw: draw)
            draws.energy.take(reader.doubles(lanes * draws.energy.width), ofDraw: draw)
            let divergences = try reader.counts(
                lanes * draws.divergences.width, "divergences of draws", atMost: mostDivergences)
            draws.divergences.take(divergences, ofDraw: draw)
        }
        let ofBridges = entered * plan.settings.mostEvaluationsOnBridges
        let most = unitsDone * max(1, plan.settings.evaluationsPerTransition) + ofExchanges + ofBridges
        evaluations = try reader.count("evaluations", atMost: most)
        position = reader.doubles(lanes * dimension)
        momentum = reader.doubles(lanes * dimension)
        divergences = try reader.counts(lanes, "divergences", atMost: mostDivergences)
        accepted = []
        for level in (place.level..<plan.firstLevel + 1).reversed() {
            let made = level > place.level ? plan.transitions(at: level) : place.transitions
            accepted.append(try reader.counts(lanes, "accepted at level \(level)", atMost: made))
        }
        self.population = try population.map { (start) throws(BlockCheckpointError) in
            try reader.population(start, levels: entered)
        }
        self.exchange = try exchange.map { (start) throws(BlockCheckpointError) in
            try reader.exchange(start, levels: setOff, place: place, plan: plan)
        }
        trace = plan.trace.map { ChainTrace($0, points: reader.floats(traced)) }
    }

    /// FNV-1a of 64 bits (Fowler, Noll, Vo): every change of a single byte changes it.
    static func checksum(of bytes: ArraySlice<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return hash
    }
}

/// Takes numbers from bytes, one after the other; that there are enough has been checked.
private struct Reader {
    let bytes: [UInt8]
    var next: Int

    mutating func number<Number: FixedWidthInteger & UnsignedInteger>() -> Number {
        var number: Number = 0
        let size = Number.bitWidth / 8
        for offset in 0..<size { number |= Number(bytes[next + offset]) << Number(8 * offset) }
        next += size
        return number
    }

    mutating func count(_ name: String, atMost most: Int) throws(BlockCheckpointError) -> Int {
        let found: UInt64 = number()
        guard found <= UInt64(most) else { throw .outOfRange(field: name, found: found, most: most) }
        return Int(found)
    }

    mutating func counts(_ count: Int, _ name: String, atMost most: Int) throws(BlockCheckpointError) -> [Int32] {
        let most = min(most, Int(Int32.max))
        var counts: [Int32] = []
        counts.reserveCapacity(count)
        for _ in 0..<count {
            let found: UInt32 = number()
            guard found <= UInt32(most) else { throw .outOfRange(field: name, found: UInt64(found), most: most) }
            counts.append(Int32(found))
        }
        return counts
    }

    /// A population of as many chains as `start`, on so many levels.
    mutating func population(_ start: Population, levels: Int) throws(BlockCheckpointError) -> Population {
        var population = start
        let chains = start.logWeights.count
        population.logWeights = doubles(chains)
        population.logCollected = doubles(1)[0]
        population.ancestors = try counts(chains, "ancestor", atMost: chains - 1)
        for _ in 0..<levels {
            let size = floats(1)[0]
            let numbers = try counts(2, "ancestors and parents", atMost: chains)
            let logNormalizer = doubles(1)[0]
            let most = start.mostBridges
            population.levels.append(
                Population.Level(
                    effectiveSize: size, ancestors: numbers[0], parents: numbers[1], logNormalizer: logNormalizer,
                    bridges: most > 0 ? try counts(1, "bridges", atMost: most)[0] : 0))
        }
        return population
    }

    /// The replicas at the levels, evaluated anew, and what they have behind them at a place.
    mutating func exchange(
        _ start: ReplicaExchange, levels: [Int], place: BlockPlace, plan: SamplingPlan
    ) throws(BlockCheckpointError) -> ReplicaExchange {
        var exchange = start
        let (lanes, count) = (plan.lanes, plan.lanes * plan.density.dimension)
        for level in levels {
            let noise = plan.schedule.levels[level]
            var replica = Replica(
                level: noise, state: ChainState(dimension: plan.density.dimension, lanes: lanes),
                target: plan.density.evaluator(lanes: lanes, at: noise))
            replica.state.position.elements = doubles(count)
            replica.state.momentum.elements = doubles(count)
            replica.state.accepted = try counts(
                lanes, "accepted by the replica at level \(level)", atMost: place.transitions + 1)
            do throws(EvaluationError) {
                try replica.target.evaluate(at: replica.state.position, into: &replica.state.evaluation)
            } catch {
                throw .notEvaluated(error)
            }
            exchange.replicas.append(replica)
        }
        let exchanges = place.exchanges(of: plan)
        for pair in exchange.swaps.indices {
            let attempts = exchange.settings.attempts(of: pair, in: exchanges)
            exchange.swaps[pair] = try counts(lanes, "swaps of pair \(pair)", atMost: attempts)
        }
        for index in exchange.phases.indices {
            exchange.phases[index] = try counts(lanes, "phase of a walker", atMost: 2)
                .map { ReplicaExchange.Phase(rawValue: UInt8($0)) ?? .unmarked }
        }
        exchange.roundTrips = try counts(lanes, "round trips", atMost: exchanges)
        return exchange
    }

    mutating func doubles(_ count: Int) -> [Double] { numbers([Double](repeating: 0, count: count)) }

    mutating func floats(_ count: Int) -> [Float] { numbers([Float](repeating: 0, count: count)) }

    /// As many numbers as there are in `zeros`. States are large, so they are taken all at once: this machine's numbers are
    /// little-endian, as all that it is built for.
    private mutating func numbers<Number: BitwiseCopyable>(_ zeros: [Number]) -> [Number] {
        var numbers = zeros
        numbers.withUnsafeMutableBytes { memory in
            memory.copyBytes(from: bytes[next..<next + memory.count])
            next += memory.count
        }
        return numbers
    }
}

extension [UInt8] {
    /// Adds the bytes of numbers, the least significant first, as they lie in memory.
    fileprivate mutating func append(littleEndian numbers: [some BitwiseCopyable]) {
        numbers.withUnsafeBytes { append(contentsOf: $0) }
    }
}
