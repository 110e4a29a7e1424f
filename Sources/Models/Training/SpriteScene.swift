import RandomStreams
import VectorMath

/// A picture of one to five sprites, each in a cell of its own of a grid of 4 x 4, on grey: pictures of which it is known
/// how often each composition of labels comes.
struct SpriteScene: Sendable, Equatable {
    /// Channels, rows and columns of a picture, whose numbers are from -1 to 1.
    static let shape = PictureShape(channels: 3, height: 32, width: 32)
    /// Labels: the cell of an object, 0 to 15; its form, from 16 on; its colour, from 19 on.
    static let classes = 16 + forms + colours.count
    /// Circle, square and triangle.
    private static let forms = 3
    /// Red, green, blue and yellow.
    private static let colours = [[0.9, -0.7, -0.7], [-0.7, 0.8, -0.6], [-0.6, -0.4, 0.95], [0.9, 0.8, -0.7]]
    private static let (cells, cellsInRow, pixelsOfCell) = (16, 4, 8)
    private static let mostSprites = 5

    /// Lengths of a picture's axes.
    struct PictureShape: Sendable {
        let channels: Int
        let height: Int
        let width: Int
        var lengths: [Int] { [channels, height, width] }
    }

    /// One object.
    struct Sprite: Sendable, Equatable {
        /// From left to right, then from the top down.
        var cell: Int
        /// From the cell's centre, in pixels, to the right and down.
        var offset: SIMD2<Double>
        /// In pixels.
        var radius: Double
        /// 0 circle, 1 square, 2 triangle.
        var form: Int
        /// Its place among the colours.
        var colour: Int
    }

    /// One is painted over the other.
    var sprites: [Sprite]
    /// Of the ground.
    var grey: Double
    /// What one of the objects is called by.
    var label: Int
}

extension SpriteScene {
    /// The scenes of consecutive rows of a batch; each depends on its row's numbers alone.
    static func draw(_ random: RandomStream, iteration: Int, count: Int) -> [SpriteScene] {
        var place = 0
        /// The next number of each scene, in (0, 1].
        func next() -> [Double] {
            defer { place += 1 }
            return random.uniforms(.dataPoint, iteration, level: place, lanes: count)
        }
        let (counts, grey, picked, kind) = (next(), next(), next(), next())
        let objects = (0..<mostSprites).map { _ in (0..<6).map { _ in next() } }
        return (0..<count).map { row in
            // Any order of distinct cells is as probable as any other, so that the order of painting is too.
            var free = Array(0..<cells)
            let sprites = objects.prefix(1 + below(mostSprites, counts[row])).map { numbers in
                Sprite(
                    cell: free.remove(at: below(free.count, numbers[0][row])),
                    offset: SIMD2(between(-1, 1, numbers[1][row]), between(-1, 1, numbers[2][row])),
                    radius: between(2.2, 3, numbers[3][row]), form: below(forms, numbers[4][row]),
                    colour: below(colours.count, numbers[5][row]))
            }
            let sprite = sprites[below(sprites.count, picked[row])]
            let label =
                switch kind[row] {
                case ...0.7: sprite.cell
                case ...0.85: cells + sprite.form
                default: cells + forms + sprite.colour
                }
            return SpriteScene(sprites: sprites, grey: between(-0.5, -0.3, grey[row]), label: label)
        }
    }

    private static func below(_ count: Int, _ uniform: Double) -> Int { Int((1 - uniform) * Double(count)) }

    private static func between(_ low: Double, _ high: Double, _ uniform: Double) -> Double {
        low + (high - low) * uniform
    }

    /// Paints the picture. - Parameter picture: [3 x 32 x 32][lanes], of which `lane` is set.
    func paint(_ picture: inout LaneMatrix, lane: Int) {
        let shape = Self.shape
        for place in 0..<picture.rows { picture[place, lane] = grey }
        for sprite in sprites {
            let (row, column) = sprite.cell.quotientAndRemainder(dividingBy: Self.cellsInRow)
            let centre = (Double(Self.pixelsOfCell) * (SIMD2(Double(column), Double(row)) + 0.5)) + sprite.offset
            // None reaches further than its radius and half a pixel.
            let reach = (sprite.radius + 0.5).rounded(.up)
            func pixels(_ centre: Double, _ length: Int) -> Range<Int> {
                max(0, Int(centre - reach) - 1)..<min(length, Int(centre + reach) + 1)
            }
            for y in pixels(centre.y, shape.height) {
                for x in pixels(centre.x, shape.width) {
                    let distance = sprite.distance(SIMD2(Double(x), Double(y)) + 0.5 - centre)
                    let coverage = min(max(0.5 - distance, 0), 1)
                    for (channel, tone) in Self.colours[sprite.colour].enumerated() {
                        let place = (channel * shape.height + y) * shape.width + x
                        picture[place, lane] = (1 - coverage) * picture[place, lane] + coverage * tone
                    }
                }
            }
        }
    }
}

extension SpriteScene.Sprite {
    /// How far a place, given from its centre, lies outside; below zero inside.
    fileprivate func distance(_ p: SIMD2<Double>) -> Double {
        switch form {
        case 0: (p * p).sum().squareRoot() - radius
        case 1: max(p.x.magnitude, p.y.magnitude) - 0.88 * radius
        default: max(0.8660254 * p.x.magnitude - p.y / 2, p.y) - 0.6 * radius
        }
    }
}
