/// An array that a run records beside its samples.
public struct RunStatistic: Sendable, Equatable {
    /// What a row is of.
    public enum Rows: Sendable {
        case chains, blocks
    }

    /// Its name in `statistics.npz`.
    public let name: String
    /// What a row is of.
    public let rows: Rows
    /// The kind of its numbers; whole ones are counts, 0 or more.
    public let element: NpyElementType
    /// Numbers in a row; nil where a row is a single number, without an axis.
    public let columns: Int?

    /// Every field as given.
    public init(name: String, rows: Rows, element: NpyElementType, columns: Int?) {
        self.name = name
        self.rows = rows
        self.element = element
        self.columns = columns
    }

    /// Mean acceptance, float32 [chains, levels], index = level; NaN where no transitions ran.
    public static let acceptance = "acceptance"
    /// Log-density of each chain at the last level, in nats, float64 [chains].
    public static let logDensity = "log_density"
    /// Divergent transitions of each chain, int32 [chains].
    public static let divergences = "divergences"

    /// Where samples are selected, for each of their rows the chain that it is of, int32 [chains].
    public static let selected = "selected"

    /// Bytes of the rows of so many chains that make so many blocks.
    public func size(chains: Int, blocks: Int) -> Int {
        (rows == .chains ? chains : blocks) * (columns ?? 1) * element.size
    }

    /// The array's name while it is staged, and in the archive.
    var fileName: String { name + ".npy" }
}
