/// An array that a run records beside its samples: a column of the table that each block brings its rows of.
public struct RunStatistic: Sendable, Equatable {
    /// What a row is of.
    public enum Rows: Sendable {
        case chains, blocks
    }

    /// What the numbers of a row are of, and how many there are.
    public enum Axis: Sendable, Equatable {
        /// The noise levels; index = level.
        case levels(Int)
        /// The levels below 0, going down.
        case refinedLevels(Int)
        /// Pairs of neighbouring replicas, the one at the last level first.
        case pairs(Int)
        /// The draws of a chain.
        case draws(Int)

        /// How many.
        public var count: Int {
            switch self {
            case .levels(let count), .refinedLevels(let count), .pairs(let count), .draws(let count): count
            }
        }
    }

    /// Its name in `statistics.npz`.
    public let name: String
    /// What a row is of.
    public let rows: Rows
    /// The kind of its numbers; whole ones are counts, 0 or more.
    public let element: NpyElementType
    /// What the numbers of a row are of; nil where a row is a single number, without an axis.
    public let axis: Axis?
    /// What its numbers can be.
    public let limits: StatisticLimits

    /// Every field as given.
    public init(
        name: String, rows: Rows = .chains, element: NpyElementType, axis: Axis? = nil, limits: StatisticLimits = .none
    ) {
        self.name = name
        self.rows = rows
        self.element = element
        self.axis = axis
        self.limits = limits
    }

    /// Mean acceptance, float32 [chains, levels], index = level; NaN where no transitions ran.
    public static let acceptance = "acceptance"
    /// Log-density of each chain at the last level, in nats, float64 [chains].
    public static let logDensity = "log_density"
    /// Divergent transitions of each chain, int32 [chains].
    public static let divergences = "divergences"

    /// Of each draw the log-density, in nats, float64 [chains, draws].
    public static let logDensityOfDraws = "lp"
    /// Of each draw of a Hamiltonian kernel the energy, float64 [chains, draws].
    public static let energyOfDraws = "energy"
    /// Of replicas: the part of the decisions on a swap that were swaps, float32 [chains, pairs].
    public static let swapAcceptance = "swap_acceptance"
    /// Mean acceptance at the levels below 0, float32 [chains, levels below 0].
    public static let refinementAcceptance = "refinement_acceptance"

    /// Where samples are selected, for each of their rows the chain that it is of, int32 [chains].
    public static let selected = "selected"

    /// Bytes of a row.
    public var rowBytes: Int { (axis?.count ?? 1) * element.size }

    /// Bytes of the rows of so many chains that make so many blocks.
    public func size(chains: Int, blocks: Int) -> Int { (rows == .chains ? chains : blocks) * rowBytes }

    /// The array's name while it is staged, and in the archive.
    var fileName: String { name + ".npy" }
}
