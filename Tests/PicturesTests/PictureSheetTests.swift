import Testing

@testable import Pictures

@Suite("Sheets of pictures")
struct PictureSheetTests {
    @Test("Numbers from -1 to 1 become bytes, those beyond the nearer end, and bytes come back as they were")
    func tones() {
        #expect(PictureSheet.tone(-1) == 0 && PictureSheet.tone(1) == 255 && PictureSheet.tone(0) == 128)
        #expect(PictureSheet.tone(-7) == 0 && PictureSheet.tone(.infinity) == 255 && PictureSheet.tone(.nan) == 0)
        for byte in UInt8.min...UInt8.max { #expect(PictureSheet.tone(Float(Double(byte) / 127.5 - 1)) == byte) }
    }

    @Test("Each pixel of a picture stands where it belongs, as large as the factor says, on white")
    func pixels() throws {
        // 60 x 43: enlarged twice. Two rows of three, of which the last cell stays empty.
        let (height, width, scale) = (43, 60, 2)
        let layout = try #require(SheetLayout(SheetGrid(rows: 2, columns: 3), shape: [3, height, width]))
        #expect(layout.pixelWidth == 3 * (2 * width + 2) + 2 && layout.pixelHeight == 2 * (2 * height + 2) + 2)
        func byte(_ cell: Int, _ channel: Int, _ y: Int, _ x: Int) -> UInt8 {
            UInt8(truncatingIfNeeded: cell * 101 + channel * 57 + y * 13 + x * 7)
        }
        var sheet = PictureSheet(layout)
        for cell in 0..<5 {
            // Behind something else: places are counted from where a slice begins.
            var numbers: [Float] = [9, 9]
            for channel in 0..<3 {
                for y in 0..<height {
                    for x in 0..<width { numbers.append(Float(Double(byte(cell, channel, y, x)) / 127.5 - 1)) }
                }
            }
            sheet.paint(numbers[2...], cell: cell)
        }
        let image = sheet.image
        var wrong = 0
        for y in 0..<image.height {
            for x in 0..<image.width {
                let (row, column) = ((y - 2) / (scale * height + 2), (x - 2) / (scale * width + 2))
                let (dy, dx) = (y - 2 - row * (scale * height + 2), x - 2 - column * (scale * width + 2))
                let isPicture = dy >= 0 && dx >= 0 && dy < scale * height && dx < scale * width && row * 3 + column < 5
                for channel in 0..<3 {
                    let expected =
                        isPicture ? byte(row * 3 + column, channel, dy / scale, dx / scale) : 255
                    if image.bytes[(y * image.width + x) * 3 + channel] != expected { wrong += 1 }
                }
            }
        }
        #expect(wrong == 0)
    }

    @Test("A sheet of which nothing is said has up to 8 x 8 pictures, enlarged to 128 pixels")
    func usual() throws {
        func size(_ shape: [Int], _ count: Int) -> [Int]? {
            SheetLayout.usual(shape: shape, count: count).map { [$0.grid.rows, $0.grid.columns, $0.scale] }
        }
        #expect(size([3, 32, 32], 2000) == [8, 8, 4])
        #expect(size([1, 8, 8], 64) == [8, 8, 16])
        #expect(size([3, 64, 30], 10) == [3, 4, 2])
        #expect(size([1, 200, 200], 1) == [1, 1, 1])
        #expect(size([1, 1, 1], 3) == [2, 2, 128])
        // 8 x 8 of these would have 67 million pixels.
        #expect(size([3, 1024, 1024], 2000) == [3, 3, 1])
    }

    @Test("What is no picture, or too large, has no layout")
    func none() {
        for shape in [[2], [3, 32], [2, 32, 32], [4, 32, 32], [1, 3, 32, 32], [1, 1, 1 << 22], [1, 1 << 16, 64]] {
            #expect(SheetLayout.usual(shape: shape, count: 64) == nil, "\(shape)")
        }
        #expect(SheetLayout(SheetGrid(rows: 1000, columns: 1000), shape: [3, 32, 32]) == nil)
        #expect(SheetLayout(SheetGrid(rows: 0, columns: 1), shape: [3, 32, 32]) == nil)
        #expect(SheetLayout(SheetGrid(rows: SheetLayout.mostSide + 1, columns: 1), shape: [1, 1, 1]) == nil)
        #expect(SheetLayout(SheetGrid(rows: 100, columns: 100), shape: [3, 32, 32])?.scale == 1)
    }
}
