/// Counts the draws of a samples file of which a coordinate is not finite, as the file passes by in pieces.
struct NonFiniteDraws {
    /// Of the draws so far.
    private(set) var count = 0
    private let dimension: Int
    /// Bytes of the header that are still to come.
    private var skipped: Int
    /// Coordinates of the draw at hand that have passed, and whether one of them was not finite.
    private var place = 0
    private var isSpoilt = false

    /// - Parameters:
    ///   - dataOffset: where the numbers begin, float32; a multiple of 4.
    ///   - dimension: numbers in one draw.
    init(dataOffset: Int, dimension: Int) {
        skipped = dataOffset
        self.dimension = dimension
    }

    /// Takes in the next piece, a multiple of 4 bytes.
    mutating func update(_ piece: [UInt8]) {
        let header = min(skipped, piece.count)
        skipped -= header
        let words = [Int32](littleEndian: header == 0 ? piece : Array(piece[header...]))
        // All ones in the exponent: infinite, or not a number. Nearly always there are none.
        let mask: Int32 = 0x7F80_0000
        var least = mask
        for word in words { least = min(least, ~word & mask) }
        if least != 0, !isSpoilt {
            place = (place + words.count) % dimension
            return
        }
        for word in words {
            if ~word & mask == 0 { isSpoilt = true }
            place += 1
            if place == dimension {
                count += isSpoilt ? 1 : 0
                (place, isSpoilt) = (0, false)
            }
        }
    }
}
