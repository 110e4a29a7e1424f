import EnergyModels
import VectorMath

/// The two-dimensional distributions of Du et al. 2023, by name.
enum NamedDistributions {
    /// Name and density, in the order in which messages list them.
    static let all: [(name: String, density: ModelDescription)] = [
        ("eight_gaussians", eightGaussians),
        ("bar", .uniformBox(low: [-0.2, -1], high: [0.2, 1])),
        ("left_bar", .uniformBox(low: [-0.3, -1], high: [-0.1, 1])),
        ("right_bar", .uniformBox(low: [0.1, -1], high: [0.3, 1])),
        ("large_box", .uniformBox(low: [-0.7, -0.7], high: [0.7, 0.7])),
        ("small_box", .uniformBox(low: [-0.3, -0.3], high: [0.3, 0.3])),
    ]

    /// Centres 0.5 (cos 2 pi i / 8, sin 2 pi i / 8), standard deviation 0.03.
    private static let eightGaussians = {
        let centres = (0..<8).map { i in
            // A quarter turn back, the cosine is the sine.
            [i, (i + 6) % 8].map { 0.5 * Elementary.cosine(ofTurns: Double($0) / 8) }
        }
        return ModelDescription.gaussianMixture(
            means: centres.map { PointArray($0) }, standardDeviations: centres.map { _ in [0.03, 0.03] },
            weights: centres.map { _ in 1 })
    }()
}
