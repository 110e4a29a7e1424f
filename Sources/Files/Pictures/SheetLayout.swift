/// Rows and columns of a sheet of pictures.
package struct SheetGrid: Sendable, Equatable, CustomStringConvertible {
    /// The most rows or columns that may be asked for.
    package static let most = 1_000

    /// At least 1.
    package let rows: Int
    /// At least 1.
    package let columns: Int

    /// A grid of so many rows and columns.
    package init(rows: Int, columns: Int) { (self.rows, self.columns) = (rows, columns) }

    /// Pictures on the sheet.
    package var cells: Int { rows * columns }

    /// As jobs write it: `[8, 8]`.
    package var description: String { "[\(rows), \(columns)]" }
}

/// Where the pictures of a sheet lie: all of one size, each enlarged by the same whole factor, with a margin around each.
package struct SheetLayout: Sendable, Equatable {
    /// White pixels between two pictures, and around all of them.
    static let gap = 2
    /// Pictures are enlarged as long as their longer side stays within so many pixels.
    static let enlargedSide = 128
    /// The most pixels of a sheet.
    package static let mostPixels = 1 << 24
    /// The longest side of a sheet, in pixels.
    package static let mostSide = 1 << 15
    /// Rows and columns of a sheet of which nothing else is said, at most.
    private static let usualSide = 8

    /// Rows and columns.
    package let grid: SheetGrid
    /// Of the pictures: 1, grey, or 3, red, green and blue.
    let channels: Int
    /// Of a picture as it is given.
    let height: Int
    /// Of a picture as it is given.
    let width: Int
    /// Pixels on the sheet that a pixel of a picture has along each axis.
    let scale: Int

    /// The layout of a grid of pictures [channels, height, width]; nil where they are none, or the sheet would have more than
    /// ``mostPixels`` or a side above ``mostSide``.
    package init?(_ grid: SheetGrid, shape: [Int]) {
        guard shape.count == 3, [1, 3].contains(shape[0]), 1...Self.mostSide ~= grid.rows,
            1...Self.mostSide ~= grid.columns
        else { return nil }
        self.grid = grid
        (channels, height, width) = (shape[0], shape[1], shape[2])
        let (height, width) = (height, width)
        func isPossible(_ scale: Int) -> Bool {
            // Sides are at most 2^22 and so are the lengths of shapes: no product overflows.
            let sides = [
                Self.side(grid.rows, of: height * scale), Self.side(grid.columns, of: width * scale),
            ]
            return sides.allSatisfy { $0 <= Self.mostSide } && sides[0] * sides[1] <= Self.mostPixels
        }
        guard isPossible(1) else { return nil }
        var scale = max(1, Self.enlargedSide / max(height, width))
        while !isPossible(scale) { scale -= 1 }
        self.scale = scale
    }

    /// The layout of so many pictures of which nothing else is said: as many columns as rows, up to 8, or fewer where pictures
    /// are large. Nil where they are none, or a single one is too large for a sheet.
    package static func usual(shape: [Int], count: Int) -> SheetLayout? {
        let wanted = (1...usualSide).first { $0 * $0 >= count } ?? usualSide
        for columns in (1...wanted).reversed() {
            let rows = (min(count, columns * columns) + columns - 1) / columns
            if let layout = SheetLayout(SheetGrid(rows: rows, columns: columns), shape: shape) { return layout }
        }
        return nil
    }

    /// Of a picture as it is given: [channels, height, width].
    package var shape: [Int] { [channels, height, width] }

    /// Width of the sheet in pixels.
    package var pixelWidth: Int { Self.side(grid.columns, of: width * scale) }

    /// Height of the sheet in pixels.
    package var pixelHeight: Int { Self.side(grid.rows, of: height * scale) }

    private static func side(_ count: Int, of length: Int) -> Int { count * (length + gap) + gap }
}
