extension LevelZero {
    /// The distance in total variation between samples and this density over the cells of a 16 x 16 grid; all that
    /// is beyond the grid is one more cell, where the density has nothing.
    ///
    /// - Returns: from 0 to 1, and how many samples are beyond the grid.
    func totalVariation(of samples: [Point]) -> (distance: Double, beyond: Int) {
        var counts = [Int](repeating: 0, count: cellMasses.count)
        var beyond = 0
        for sample in samples {
            if let cell = Self.cell(of: sample) { counts[cell] += 1 } else { beyond += 1 }
        }
        let count = Double(samples.count)
        let within = zip(counts, cellMasses).reduce(0) { $0 + (Double($1.0) / count - $1.1).magnitude }
        return ((within + Double(beyond) / count) / 2, beyond)
    }

    /// The total variation to another density, or to this one, that so many independent samples of this one have: mean
    /// and standard deviation over seeds. No sampler of this one can be expected to come closer.
    func ceiling(of count: Int, to other: LevelZero, seeds: Int = 100) -> (mean: Double, deviation: Double) {
        let distances = (1...UInt64(seeds)).map {
            other.totalVariation(of: samples(count, seed: $0)).distance
        }
        let mean = distances.reduce(0, +) / Double(seeds)
        let squares = distances.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (mean, (squares / Double(max(1, seeds - 1))).squareRoot())
    }

    /// The cell that a point is in, row by row from the lower left; nil beyond the grid, as is what is not a number.
    private static func cell(of point: Point) -> Int? {
        func index(_ x: Double) -> Int? {
            let place = (x + reach) / (2 * reach) * Double(cells)
            return place >= 0 && place < Double(cells) ? Int(place) : nil
        }
        guard let column = index(point.x), let row = index(point.y) else { return nil }
        return row * cells + column
    }
}
