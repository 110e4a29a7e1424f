import Composition
package import EnergyModels
import RandomStreams
import RunFolder
import VectorMath

/// A block of chains on its way through the noise levels (science: Du et al. 2023, algorithm 1).
///
/// Chains start from a normal at the noisiest level and go down level by level: an
/// ancestral step into the level if asked for, then transitions that leave the composition at that
/// level invariant. What comes out depends on the plan and on the block's number alone; where chains are a
/// population, also on how many they are.
///
/// Call ``advance()`` until it returns false, then take ``result(chains:)``. Between two calls a block
/// can be written down by ``checkpoint()`` and taken up again elsewhere, with the same outcome.
package struct ChainBlock: RunnableBlock {
    /// The plan of the job.
    package internal(set) var plan: SamplingPlan
    /// The chains as they stand; not evaluated before the first unit.
    package private(set) var state: ChainState

    private let index: Int
    private let stream: RandomStream
    private var place: BlockPlace
    private var target: any DensityEvaluator
    private var kernel: (any TransitionKernel)?
    private var reverseStep: ReverseStep
    /// Transitions accepted at the levels left behind, the noisiest first, each [lanes].
    private var acceptedBefore: [[Int32]]
    private(set) var population: Population?
    private(set) var exchange: ReplicaExchange?
    private(set) var draws: KeptDraws
    private(set) var trace: ChainTrace?
    /// The sum of the probabilities with which proposals were accepted since it was set to zero, [lanes]; nil where
    /// nobody asks: they tell of acceptance with less noise than the decisions do.
    private var acceptanceProbabilities: [Double]?

    /// A block whose first chain is `index` times the number of lanes.
    ///
    /// - Parameter chains: how many chains count where they are a population, the others being there to pad the
    ///   block; nil for all lanes.
    package init(plan: SamplingPlan, index: Int, chains: Int? = nil) {
        precondition((1...plan.lanes).contains(chains ?? plan.lanes))
        self.plan = plan
        population = plan.settings.population.map { Population($0, chains: chains ?? plan.lanes) }
        self.index = index
        let dimension = plan.density.dimension
        stream = RandomStream(seed: plan.seed, firstChain: index * plan.lanes)
        place = BlockPlace(startOf: plan)
        target = plan.density.evaluator(lanes: plan.lanes, at: plan.schedule.levels[plan.firstLevel])
        kernel = plan.settings.kernel.transitionKernel(dimension: dimension, lanes: plan.lanes)
        reverseStep = ReverseStep(dimension: dimension, lanes: plan.lanes)
        acceptedBefore = []
        draws = KeptDraws(of: plan)
        trace = plan.trace.map { ChainTrace($0) }
        state = ChainState(dimension: dimension, lanes: plan.lanes)
        exchange = plan.settings.exchange.map { ReplicaExchange($0, dimension: dimension, lanes: plan.lanes) }
        stream.fillNormals(&state.position, purpose: .initialPosition, level: plan.firstLevel)
        state.position.scale(by: plan.startDeviation)
        stream.fillNormals(&state.momentum, purpose: .initialMomentum, level: plan.firstLevel)
        plan.bounds?.fold(&state.position, momentum: &state.momentum)
    }

    /// A block that goes on where ``checkpoint()`` of a block of the same plan, number and chains was taken.
    ///
    /// - Throws: ``BlockCheckpointError`` if the bytes are no such checkpoint, whole and undamaged.
    package init(
        plan: SamplingPlan, index: Int, chains: Int? = nil, resuming bytes: [UInt8]
    ) throws(BlockCheckpointError) {
        self.init(plan: plan, index: index, chains: chains)
        let checkpoint = try BlockCheckpoint(bytes, of: plan, index: index, population: population, exchange: exchange)
        population = checkpoint.population
        exchange = checkpoint.exchange
        place = BlockPlace(after: checkpoint.unitsDone, of: plan)
        state.position.elements = checkpoint.position
        state.momentum.elements = checkpoint.momentum
        state.accepted = checkpoint.accepted.last ?? state.accepted
        state.divergences = checkpoint.divergences
        state.evaluations = checkpoint.evaluations
        acceptedBefore = checkpoint.accepted.dropLast()
        draws = checkpoint.draws
        trace = checkpoint.trace
        guard place.unitsDone > 0 else { return }
        // A chain's evaluation depends on its point alone, not on the lane it had when it was made, so these are the
        // bits that were there; it was counted when it was made first.
        target.move(to: plan.level(at: place.level))
        do throws(EvaluationError) {
            try target.evaluate(at: state.position, into: &state.evaluation)
        } catch {
            throw .notEvaluated(error)
        }
    }

    /// The level that was entered last; one above the first before that.
    var level: Int { place.level }

    /// Transitions made at the level.
    var transitionsAtLevel: Int { place.transitions }

    /// Units of ``advance()`` done so far, of ``steps``.
    package var stepsDone: Int { place.unitsDone }

    /// How many times ``advance()`` does something: once per level that is entered, once per transition of the chains
    /// and of each of their replicas.
    package var steps: Int { plan.units }

    /// Whether the next unit begins a level or the way to another draw, or the block is finished: where a
    /// checkpoint cuts nothing in two.
    package var atLevelBoundary: Bool { place.isBoundary(of: plan) }

    /// Fraction of proposals accepted so far at the level in progress or just done, over the first
    /// `chains` chains; nil where no transition ran yet.
    package func latestAcceptance(chains: Int) -> Double? {
        guard plan.settings.kind != .reverse, place.transitions > 0 else { return nil }
        return Double(state.accepted.prefix(chains).reduce(0) { $0 + Int($1) }) / Double(place.transitions * chains)
    }

    /// Begins to count the probabilities of acceptance anew.
    mutating func countAcceptanceProbabilities() {
        acceptanceProbabilities = [Double](repeating: 0, count: plan.lanes)
    }

    /// Mean probability of acceptance at the level in progress or just done, over the first `chains` chains, of the
    /// transitions since ``countAcceptanceProbabilities()``, which were all of the level.
    func meanAcceptanceProbability(chains: Int) -> Double {
        let sum = acceptanceProbabilities?.prefix(chains).reduce(0, +) ?? 0
        return sum / Double(max(1, place.transitions) * chains)
    }

    /// Enters a level, or makes one transition of all chains or of a replica of them.
    ///
    /// - Returns: false, without doing anything, when the block is finished.
    /// - Throws: ``EvaluationError``, with the block as it was before.
    package mutating func advance() throws(EvaluationError) -> Bool {
        let before = place
        guard let unit = place.advance(in: plan) else { return false }
        do throws(EvaluationError) {
            switch unit {
            case .entry(let level): try enter(level)
            case .transition(let transition, let level):
                try place.isExchange(of: plan) ? runAndExchange(transition, at: level) : run(transition, at: level)
            case .replica(let replica, let transition): try run(transition, ofReplica: replica)
            }
        } catch {
            place = before
            throw error
        }
        trace?.keep(state.position, at: place, of: plan)
        if place.isDraw(of: plan) { keep(draw: place.draws(of: plan) - 1) }
        return true
    }

    /// All that ``init(plan:index:resuming:)`` needs to go on from here, as bytes: a few numbers per chain,
    /// one per chain and level behind, and the draws kept so far.
    package func checkpoint() -> [UInt8] {
        BlockCheckpoint(
            unitsDone: place.unitsDone, evaluations: state.evaluations, position: state.position.elements,
            momentum: state.momentum.elements, divergences: state.divergences,
            accepted: place.unitsDone > 0 ? acceptedBefore + [state.accepted] : [],
            draws: draws, population: population, exchange: exchange, trace: trace
        ).bytes(of: plan, index: index)
    }

    /// Bytes at the start of ``checkpoint()`` that no later one changes: those of the draws kept so far, if there are any.
    package var settledBytes: Int {
        BlockCheckpoint.settledBytes(
            of: plan, population: population, draws: place.draws(of: plan), drawBytes: draws.drawBytes)
    }

    private var dimension: Int { plan.density.dimension }

    private mutating func enter(_ level: Int) throws(EvaluationError) {
        let isFirst = level == plan.firstLevel
        // Until the chains have been evaluated, they stand where they stood.
        var next = state
        if !isFirst {
            for lane in next.accepted.indices { next.accepted[lane] = 0 }
            if plan.settings.reverseSteps {
                reverseStep.step(&next, from: plan.schedule.levels[level + 1], stream: stream)
                plan.bounds?.fold(&next.position, momentum: &next.momentum)
            }
            target.move(to: plan.level(at: level))
            // Where walls are new, chains are sent back behind them; those of a population lose their weight instead.
            if plan.level(at: level).noise == 0, population == nil {
                plan.walls?.fold(&next.position, momentum: &next.momentum)
            }
        }
        // What the population comes to is kept when nothing can fail any more.
        var population = population
        do throws(EvaluationError) {
            try next.evaluate(&target)
            try weigh(&population, &next, at: level)
        } catch {
            if !isFirst { target.move(to: plan.level(at: level + 1)) }
            throw error
        }
        if !isFirst {
            exchange?.leave(plan.level(at: level + 1), state, density: plan.density)
            acceptedBefore.append(state.accepted)
        }
        swap(&state, &next)
        self.population = population
    }

    /// Weights the population for a level at which `next` has just been evaluated, and resamples it there if need be;
    /// `state` is as it left the level above.
    private mutating func weigh(
        _ population: inout Population?, _ next: inout ChainState, at level: Int
    ) throws(EvaluationError) {
        guard var weighted = population else { return }
        var before = state.evaluation.logDensity
        if level == plan.firstLevel {
            before = StartDensity.logDensity(
                at: next.position, deviation: plan.startDeviation, within: plan.bounds)
        } else if weighted.mostBridges > 0 {
            before = try BridgeCrossing(plan: plan, level: level, stream: stream)
                .cross(&weighted, &next, from: state.evaluation, target: &target, kernel: &kernel)
        }
        var uniform = [0.0]
        stream.fillUniforms(&uniform, purpose: .resampling, level: level)
        let parents = weighted.enter(from: before, to: next.evaluation.logDensity, uniform: uniform[0])
        if let parents { next.resample(parents) }
        population = weighted
    }

    private mutating func run(_ transition: Int, at level: Int) throws(EvaluationError) {
        let context = context(transition, at: level)
        let info = try kernel?.transition(&state, target: &target, in: context)
        guard acceptanceProbabilities != nil, let info else { return }
        for (lane, logarithm) in info.logAcceptance.enumerated() {
            acceptanceProbabilities?[lane] += Elementary.exp(logarithm)
        }
    }

    private mutating func run(_ transition: Int, ofReplica index: Int) throws(EvaluationError) {
        let context = context(transition, at: plan.settings.exchange?.levels[index + 1] ?? plan.lastLevel)
        try exchange?.transition(of: index, by: &kernel, in: context, for: &state)
    }

    /// One transition of the chains, the last of a round, and an exchange of the replicas.
    private mutating func runAndExchange(_ transition: Int, at level: Int) throws(EvaluationError) {
        let (before, moved) = (state, exchange?.moved)
        do throws(EvaluationError) {
            try run(transition, at: level)
            let (count, transition, stream) = (exchanges - 1, place.transitions, stream)
            try exchange?.exchange(count, &state, target: &target, stream: stream, transition: transition)
        } catch {
            state = before
            if let moved { exchange?.restore(moved) }
            throw error
        }
    }

    private func context(_ transition: Int, at level: Int) -> TransitionContext {
        TransitionContext(
            level: level, transition: transition, stepSize: plan.stepSize(at: level), mass: plan.mass(at: level),
            bounds: plan.bounds(at: level), stream: stream)
    }

    private mutating func keep(draw: Int) {
        let isDenoised = plan.settings.denoise
        let points = isDenoised ? state.denoised(at: plan.level(at: place.level)) : state.position
        // The mean of data within bounds may lie outside of them.
        let rounding = DrawRounding(boxes: isDenoised ? [] : plan.boxes)
        for lane in 0..<plan.lanes {
            let start = (lane * plan.draws + draw) * dimension
            let isFinite = rounding.write(points, lane: lane, into: &draws.points.numbers, at: start)
            // What can't be denoised is counted already.
            if !isFinite, !isDenoised { state.divergences[lane] += 1 }
        }
        draws.keep(draw, of: state)
    }

    /// What the first `chains` lanes leave; the others only pad the block. Where chains are a population it is all
    /// of them that must be asked for.
    package func result(chains: Int) -> BlockResult {
        precondition(population == nil || population?.logWeights.count == chains)
        let entries = plan.statistics.map {
            StatisticRows.Entry(name: $0.array.name, bytes: $0.rows(self, chains))
        }
        return BlockResult(
            samples: draws.points.ofFirst(chains), statistics: StatisticRows(entries),
            gradientEvaluations: state.evaluations * chains)
    }

    /// The fraction of proposals accepted at some levels, those of replicas among them, [chains, levels]; NaN where none
    /// were made.
    func acceptance(at levels: [Int], chains: Int) -> [Float] {
        var fractions = [Float](repeating: .nan, count: chains * levels.count)
        let counts = acceptedBefore + [state.accepted]
        for (column, level) in levels.enumerated() {
            let proposed = plan.proposals(at: level)
            guard proposed > 0, counts.indices.contains(plan.firstLevel - level) else { continue }
            let own = counts[plan.firstLevel - level]
            let replica = exchange?.replicas.first { $0.level.index == level }?.state.accepted
            for chain in 0..<chains {
                let accepted = Int(own[chain]) + Int(replica?[chain] ?? 0)
                fractions[chain * levels.count + column] = Float(Double(accepted) / Double(proposed))
            }
        }
        return fractions
    }

    /// Exchanges of replicas so far.
    var exchanges: Int { place.exchanges(of: plan) }

    /// A number of the population for every level of the schedule, `missing` where it wasn't; none without one.
    func perLevel<Number>(_ missing: Number, _ number: (Population.Level) -> Number) -> [Number] {
        guard let population else { return [] }
        var numbers = [Number](repeating: missing, count: plan.schedule.levels.count)
        for (offset, level) in population.levels.prefix(plan.firstLevel + 1).enumerated() {
            numbers[plan.firstLevel - offset] = number(level)
        }
        return numbers
    }
}
