import EnergyModels
import RandomStreams
import VectorMath

/// Some consecutive rows of a batch: noised points and what a network, or a classifier, shall say of them.
///
/// Row r of the batch of an iteration is the same whatever shard it falls into.
struct TrainingShard: Sendable {
    /// x_t = sqrt(abar_t) x_0 + sigma_t eps, [rows][d].
    private(set) var points: [Float]
    /// eps, [rows][d].
    private(set) var noise: [Float]
    /// t, [rows].
    private(set) var levels: [Int32]
    /// [rows]; classes where the point has no label, or where it is hidden, which a classifier's never are.
    private(set) var labels: [Int32]

    private let data: TrainingData
    private let seed: UInt64
    private let schedule: NoiseSchedule
    private let labelDropout: Double
    private let noLabel: Int32
    private var clean: LaneMatrix
    private var normals: LaneMatrix
    private var uniforms: [Double]

    /// Buffers for shards of the spec's size.
    init(_ spec: TrainingSpec, data: TrainingData) {
        self.data = data
        seed = spec.seed
        schedule = NoiseSchedule(spec.network.schedule)
        labelDropout = spec.labelDropout
        noLabel = Int32(spec.network.architecture.classes ?? 0)
        clean = LaneMatrix(rows: data.dimension, lanes: spec.shard)
        normals = clean
        uniforms = [Double](repeating: 0, count: spec.shard)
        points = [Float](repeating: 0, count: spec.shard * data.dimension)
        noise = points
        levels = [Int32](repeating: 0, count: spec.shard)
        labels = levels
    }

    /// Draws the rows from `index` times the shard's size on.
    mutating func draw(index: Int, iteration: Int) {
        let rows = levels.count
        let random = RandomStream(seed: seed, firstChain: index * rows)
        data.draw(random, iteration: iteration, points: &clean, labels: &labels)
        random.fillUniforms(&uniforms, purpose: .labelDropout, level: 0, transition: iteration)
        for row in 0..<rows where uniforms[row] <= labelDropout { labels[row] = noLabel }
        random.fillUniforms(&uniforms, purpose: .trainingLevel, level: 0, transition: iteration)
        random.fillNormals(&normals, purpose: .trainingNoise, level: 0, transition: iteration)
        for row in 0..<rows {
            let level = schedule.levels[Int((1 - uniforms[row]) * Double(schedule.levels.count))]
            levels[row] = Int32(level.index)
            let (signal, sigma) = (level.signal, level.noise)
            for i in 0..<data.dimension {
                points[row * data.dimension + i] = Float(signal * clean[i, row] + sigma * normals[i, row])
                noise[row * data.dimension + i] = Float(normals[i, row])
            }
        }
    }
}
