/// An array that a run records beside its samples: a column of the table that each block brings its rows of.
package struct RunStatistic: Sendable, Equatable {
    /// What a row is of.
    package enum Rows: Sendable {
        case chains, blocks
    }

    /// What the numbers of a row are of, and how many there are.
    package enum Axis: Sendable, Equatable {
        /// The noise levels; index = level.
        case levels(Int)
        /// The levels below 0, going down.
        case refinedLevels(Int)
        /// Pairs of neighbouring replicas, the one at the last level first.
        case pairs(Int)
        /// The draws of a chain.
        case draws(Int)
        /// The points, of a shape, of the first chains of a block at some levels, the noisiest first.
        case trace(chains: Int, levels: Int, shape: [Int])

        /// The lengths of the axes of a row.
        package var lengths: [Int] {
            switch self {
            case .levels(let count), .refinedLevels(let count), .pairs(let count), .draws(let count): [count]
            case .trace(let chains, let levels, let shape): [chains, levels] + shape
            }
        }

        /// How many.
        package var count: Int { lengths.reduce(1, *) }
    }

    /// Its name in `statistics.npz`.
    package let name: String
    /// What a row is of.
    package let rows: Rows
    /// The kind of its numbers; whole ones are counts, 0 or more.
    package let element: NpyElementType
    /// What the numbers of a row are of; nil where a row is a single number, without an axis.
    package let axis: Axis?
    /// What its numbers can be.
    package let limits: StatisticLimits

    /// Every field as given.
    package init(
        name: String, rows: Rows = .chains, element: NpyElementType, axis: Axis? = nil, limits: StatisticLimits = .none
    ) {
        self.name = name
        self.rows = rows
        self.element = element
        self.axis = axis
        self.limits = limits
    }

    /// Mean acceptance, float32 [chains, levels], index = level; NaN where no transitions ran.
    package static let acceptance = "acceptance"
    /// Log-density of each chain at the last level, in nats, float64 [chains].
    package static let logDensity = "log_density"
    /// Divergent transitions of each chain, int32 [chains].
    package static let divergences = "divergences"

    /// Of each draw the log-density, in nats, float64 [chains, draws].
    package static let logDensityOfDraws = "lp"
    /// Of each draw of a Hamiltonian kernel the energy, float64 [chains, draws].
    package static let energyOfDraws = "energy"
    /// Of replicas: the part of the decisions on a swap that were swaps, float32 [chains, pairs].
    package static let swapAcceptance = "swap_acceptance"
    /// Mean acceptance at the levels below 0, float32 [chains, levels below 0].
    package static let refinementAcceptance = "refinement_acceptance"

    /// Points of some chains on their way, float32 [blocks, chains, levels, ...shape].
    package static let trace = "trace"

    /// Where samples are selected, for each of their rows the chain that it is of, int32 [chains].
    package static let selected = "selected"

    /// Bytes of a row.
    package var rowBytes: Int { (axis?.count ?? 1) * element.size }

    /// Bytes of the rows of so many chains that make so many blocks.
    package func size(chains: Int, blocks: Int) -> Int { (rows == .chains ? chains : blocks) * rowBytes }

    /// The array's name while it is staged, and in the archive.
    var fileName: String { name + ".npy" }
}
