/// A matrix [rows][lanes] of doubles, row after row: a row is a coordinate, a lane is a chain.
///
/// The chains of a block sit side by side in a row, so that one instruction moves several of them.
package struct LaneMatrix: Sendable, Equatable {
    /// The number of coordinates.
    package let rows: Int
    /// The number of chains side by side.
    package let lanes: Int
    /// `elements[row * lanes + lane]`.
    package var elements: [Double]

    /// A matrix with every element `value`.
    package init(rows: Int, lanes: Int, repeating value: Double = 0) {
        self.rows = rows
        self.lanes = lanes
        elements = [Double](repeating: value, count: rows * lanes)
    }

    /// The element of one coordinate and one chain.
    package subscript(row: Int, lane: Int) -> Double {
        get { elements[row * lanes + lane] }
        set { elements[row * lanes + lane] = newValue }
    }
}
