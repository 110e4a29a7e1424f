import RandomStreams
import Testing
import VectorMath

@testable import Training

@Suite("Sprites")
struct SpriteSceneTests {
    private func scenes(_ count: Int, iteration: Int = 0) -> [SpriteScene] {
        SpriteScene.draw(RandomStream(seed: 4, firstChain: 0), iteration: iteration, count: count)
    }

    private func picture(_ scene: SpriteScene) -> LaneMatrix {
        var picture = LaneMatrix(rows: 3 * 32 * 32, lanes: 1)
        scene.paint(&picture, lane: 0)
        return picture
    }

    @Test("The colours of a picture tell which cells are occupied, without an error")
    func detector() {
        for scene in scenes(400) {
            let picture = picture(scene)
            let occupied = (0..<16).filter { cell in
                var sum = 0.0
                for y in 2..<6 {
                    for x in 2..<6 {
                        let place = (8 * (cell / 4) + y) * 32 + 8 * (cell % 4) + x
                        let tones = (0..<3).map { picture[1024 * $0 + place, 0] }
                        sum += (tones.max() ?? 0) - (tones.min() ?? 0)
                    }
                }
                return sum / 16 > 0.45
            }
            #expect(Set(scene.sprites.map(\.cell)) == Set(occupied))
            #expect(scene.sprites.count == occupied.count)
        }
    }

    @Test("Numbers of objects, cells, forms, colours and labels come as often as they should")
    func frequencies() {
        let scenes = scenes(20_000)
        /// Five standard errors of a binomial fraction: probability 6e-7 a comparison, of which there are some fifty.
        func expect(_ found: Int, _ fraction: Double, of count: Int) {
            let error: Double = (fraction * (1 - fraction) / Double(count)).squareRoot()
            #expect((Double(found) / Double(count) - fraction).magnitude < 5 * error)
        }
        for number in 1...5 { expect(scenes.count { $0.sprites.count == number }, 0.2, of: scenes.count) }
        let sprites = scenes.flatMap(\.sprites)
        for cell in 0..<16 { expect(sprites.count { $0.cell == cell }, 1 / 16, of: sprites.count) }
        for form in 0..<3 { expect(sprites.count { $0.form == form }, 1 / 3, of: sprites.count) }
        for colour in 0..<4 { expect(sprites.count { $0.colour == colour }, 1 / 4, of: sprites.count) }
        for cell in 0..<16 { expect(scenes.count { $0.label == cell }, 0.7 / 16, of: scenes.count) }
        for form in 16..<19 { expect(scenes.count { $0.label == form }, 0.15 / 3, of: scenes.count) }
        for colour in 19..<23 { expect(scenes.count { $0.label == colour }, 0.15 / 4, of: scenes.count) }
        for scene in scenes {
            #expect(
                scene.sprites.contains { [$0.cell, 16 + $0.form, 19 + $0.colour].contains(scene.label) })
        }
        #expect(sprites.allSatisfy { 2.2...3 ~= $0.radius && -1...1 ~= $0.offset.x && -1...1 ~= $0.offset.y })
        #expect(scenes.allSatisfy { -0.5 ... -0.3 ~= $0.grey })
    }

    @Test("Circles, squares and triangles have their areas, whole, wherever they stand in their cells")
    func areas() {
        for (form, area) in [(0, Double.pi), (1, 1.76 * 1.76), (2, 3 * 3.0.squareRoot() * 0.36)] {
            for offset in [SIMD2(0.0, 0), SIMD2(1, -1), SIMD2(-0.3, 0.7)] {
                let sprite = SpriteScene.Sprite(cell: 6, offset: offset, radius: 3, form: form, colour: 0)
                let picture = picture(SpriteScene(sprites: [sprite], grey: -0.4, label: 0))
                // Red is 0.9 where the object is and -0.4 elsewhere.
                let covered: Double = (0..<1024).map { (picture[$0, 0] + 0.4) / 1.3 }.reduce(0, +)
                // At corners coverage spills over by a fraction of a pixel.
                #expect((covered / (9 * area) - 1).magnitude < 0.05, "\(form): \(covered) for \(9 * area)")
            }
        }
    }

    @Test("A row's picture depends on its place in the batch and the iteration alone")
    func addressed() {
        let whole = scenes(12, iteration: 3)
        let part = SpriteScene.draw(RandomStream(seed: 4, firstChain: 8), iteration: 3, count: 4)
        #expect(part == Array(whole[8...]))
        #expect(scenes(12, iteration: 4) != whole)
    }
}
