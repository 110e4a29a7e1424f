import EnergyModels
import RunFolder
import VectorMath

/// What a block keeps of the draws of its chains.
struct KeptDraws: Sendable, Equatable {
    /// As they are written, [lanes, draws, dimension].
    var points: DrawArray<Float>
    /// Log densities, [lanes, draws].
    var logDensity: DrawArray<Double>
    /// H = |v|^2 / (2 M^2) - l, of chains with a momentum, [lanes, draws].
    var energy: DrawArray<Double>
    /// Divergences until the draw, its own included, [lanes, draws].
    var divergences: DrawArray<Int32>

    /// Room for what the plan's statistics tell of draws.
    init(of plan: SamplingPlan) {
        let names = Set(plan.statistics.map(\.array.name))
        func array<Number>(_ name: String) -> DrawArray<Number> {
            DrawArray(lanes: plan.lanes, draws: plan.draws, width: names.contains(name) ? 1 : 0)
        }
        points = DrawArray(lanes: plan.lanes, draws: plan.draws, width: plan.density.dimension)
        logDensity = array(RunStatistic.ofDraws.logDensity)
        energy = array(RunStatistic.ofDraws.energy)
        divergences = array(RunStatistic.ofDraws.divergences)
    }

    /// Bytes of a draw of one chain.
    var drawBytes: Int { 4 * points.width + 8 * (logDensity.width + energy.width) + 4 * divergences.width }

    /// Keeps what is told of a draw beside its point: of where the chains stand.
    mutating func keep(_ draw: Int, of state: ChainState) {
        logDensity.keep(draw, state.evaluation.logDensity)
        divergences.keep(draw, state.divergences)
        guard energy.width > 0 else { return }
        var energies = [Double](repeating: 0, count: state.position.lanes)
        state.momentum.squaredNorms(into: &energies)
        for lane in energies.indices { energies[lane] = energies[lane] / 2 - state.evaluation.logDensity[lane] }
        energy.keep(draw, energies)
    }
}

/// Some numbers of each draw of the chains of a block, [lanes, draws, width].
struct DrawArray<Number: NpyElement & Equatable>: Sendable, Equatable {
    /// Draws of a chain.
    let draws: Int
    /// Numbers of a draw; 0 if they are not kept.
    let width: Int
    /// Those of draws that are not made yet are zero.
    var numbers: [Number]

    init(lanes: Int, draws: Int, width: Int) {
        self.draws = draws
        self.width = width
        numbers = [Number](repeating: .zero, count: lanes * draws * width)
    }

    /// Takes a number of each chain, [lanes], if one is kept.
    mutating func keep(_ draw: Int, _ values: [Number]) {
        guard width == 1 else { return }
        for lane in values.indices { numbers[lane * draws + draw] = values[lane] }
    }

    /// Those of the first chains, [chains, draws, width].
    func ofFirst(_ chains: Int) -> [Number] { Array(numbers.prefix(chains * draws * width)) }

    /// By how much each number of the first chains is more than that of the draw before, [chains, draws].
    func increments(ofFirst chains: Int) -> [Number] {
        (0..<chains * draws).map { $0 % draws == 0 ? numbers[$0] : numbers[$0] - numbers[$0 - 1] }
    }

    /// Those of one draw, [lanes, width].
    func of(draw: Int) -> [Number] {
        guard width > 0 else { return [] }
        return stride(from: draw * width, to: numbers.count, by: draws * width).flatMap { numbers[$0..<$0 + width] }
    }

    /// Takes back what ``of(draw:)`` gave.
    mutating func take(_ values: [Number], ofDraw draw: Int) {
        for (lane, start) in stride(from: 0, to: values.count, by: max(1, width)).enumerated() {
            let place = (lane * draws + draw) * width
            numbers.replaceSubrange(place..<place + width, with: values[start..<start + width])
        }
    }
}
