/// Pictures side by side, on white.
package struct PictureSheet: Sendable {
    private let layout: SheetLayout
    private var bytes: [UInt8]

    /// A sheet without pictures.
    package init(_ layout: SheetLayout) {
        self.layout = layout
        bytes = [UInt8](repeating: 255, count: layout.pixelWidth * layout.pixelHeight * layout.channels)
    }

    /// Paints a picture into a cell.
    ///
    /// - Parameters:
    ///   - picture: [channels, height, width], from -1, black, to 1; numbers beyond count as the nearer one of these, and what is
    ///     no number as -1.
    ///   - cell: counted along the rows, from 0 to below the grid's cells.
    package mutating func paint(_ picture: ArraySlice<Float>, cell: Int) {
        let (channels, height, width) = (layout.channels, layout.height, layout.width)
        precondition(picture.count == channels * height * width && 0..<layout.grid.cells ~= cell)
        let (row, column) = cell.quotientAndRemainder(dividingBy: layout.grid.columns)
        let (scale, gap, line) = (layout.scale, SheetLayout.gap, layout.pixelWidth * channels)
        let top = gap + row * (height * scale + gap)
        let left = gap + column * (width * scale + gap)
        for y in 0..<height {
            var place = (top + y * scale) * line + left * channels
            let first = place
            for x in 0..<width {
                for _ in 0..<scale {
                    for channel in 0..<channels {
                        bytes[place] = Self.tone(picture[picture.startIndex + (channel * height + y) * width + x])
                        place += 1
                    }
                }
            }
            // A copy, so that what follows does not copy the whole sheet.
            let painted = Array(bytes[first..<place])
            for copy in 1..<scale {
                bytes.replaceSubrange(first + copy * line..<place + copy * line, with: painted)
            }
        }
    }

    /// The sheet as it is now.
    package var image: PNGImage {
        PNGImage(width: layout.pixelWidth, height: layout.pixelHeight, channels: layout.channels, bytes: bytes)
    }

    /// -1 is 0 and 1 is 255, and bytes that were made numbers, b / 127.5 - 1, are themselves again.
    static func tone(_ value: Float) -> UInt8 {
        guard value > -1 else { return 0 }
        return value < 1 ? UInt8(((value + 1) * 127.5).rounded()) : 255
    }
}
