import VectorMath

/// The noise levels of a diffusion: x_t = sqrt(abar_t) x_0 + sigma_t eps with
/// abar_t the product of (1 - beta) up to t and sigma_t = sqrt(1 - abar_t).
///
/// - cosine: 1 - beta_t = f(t + 1) / f(t) with f(u) = cos^2((u / T + 0.008) / 1.008 pi / 2),
///   beta clipped to at most 0.999 (Nichol and Dhariwal 2021);
/// - linear: beta from s 1e-4 to s 0.02 with s = 1000 / T (Ho et al. 2020), or between given ends, clipped likewise;
/// - scaled linear: sqrt(beta) between the roots of the same ends (Rombach et al. 2022);
/// - table: abar_t as given.
///
/// A spaced schedule has n of the T levels, the round(i (T - 1) / (n - 1))-th for i from 0 on, halves rounded up: the
/// first, the last, and evenly between them. Its abar are theirs, and beta_t = 1 - abar_t / abar_(t-1) follows from them.
package struct NoiseSchedule: Sendable, Equatable {
    /// The levels, least noisy first; index = level t.
    package let levels: [NoiseLevel]

    /// The schedule that a description names; levels must be 1 to 65 535.
    package init(_ description: ScheduleDescription) {
        precondition((1...65_535).contains(description.trainedLevels))
        let all = Self.levels(description)
        guard let spaced = description.spaced else {
            levels = all
            return
        }
        var before = 1.0
        levels = (0..<spaced).map { index in
            let (steps, gaps) = (2 * index * (all.count - 1), 2 * (spaced - 1))
            let level = all[gaps > 0 ? (steps + spaced - 1) / gaps : 0]
            defer { before = level.signalVariance }
            return NoiseLevel(
                index: index, original: level.index, beta: 1 - level.signalVariance / before,
                signalVariance: level.signalVariance)
        }
    }

    /// Those of the formula.
    private static func levels(_ description: ScheduleDescription) -> [NoiseLevel] {
        var signal = 1.0
        if case .table(let signals) = description.kind {
            return signals.enumerated().map { index, next in
                defer { signal = next }
                return NoiseLevel(index: index, original: index, beta: 1 - next / signal, signalVariance: next)
            }
        }
        return betas(description).enumerated().map { index, beta in
            signal *= 1 - beta
            return NoiseLevel(index: index, original: index, beta: beta, signalVariance: signal)
        }
    }

    /// Levels below level 0, index -1 and down, on which the variance of the noise goes down to none: a quarter of it
    /// is left at each, the standard deviation halved, and nothing at the last.
    ///
    /// - Parameter count: how many; with more than about 20 the last ones have no noise that numbers could tell.
    package func refinement(levels count: Int) -> [NoiseLevel] {
        var variances = [levels[0].noiseVariance]
        for _ in 1..<max(count, 1) { variances.append(variances[variances.count - 1] / 4) }
        let signals = variances.dropFirst().map { 1 - $0 } + [1]
        return (0..<count).map { step in
            let next = step + 1 < count ? signals[step + 1] : 1
            return NoiseLevel(
                index: -1 - step, original: -1 - step, beta: 1 - signals[step] / next, signalVariance: signals[step])
        }
    }

    private static func betas(_ description: ScheduleDescription) -> [Double] {
        let count = description.trainedLevels
        let total = Double(count)
        switch description.kind {
        case .cosine:
            let squares = (0...count).map { u in
                let c = Elementary.cosine(ofTurns: (Double(u) / total + 0.008) / 1.008 / 4)
                return c * c
            }
            return (0..<count).map { min(max(1 - squares[$0 + 1] / squares[$0], 0), 0.999) }
        case .linear(let first, let last):
            return line(from: first, to: last, count) { $0 }.map { min($0, 0.999) }
        case .scaledLinear(let first, let last):
            return line(from: first, to: last, count) { $0.squareRoot() }.map { min($0 * $0, 0.999) }
        case .table: return []
        }
    }

    /// Numbers in a line between the images of two ends; the usual ends where there are none.
    private static func line(
        from first: Double?, to last: Double?, _ count: Int, _ image: (Double) -> Double
    ) -> [Double] {
        let total = Double(count)
        let first = image(first ?? 1000 / total * 1e-4)
        let last = image(last ?? 1000 / total * 0.02)
        let spacing = count > 1 ? (last - first) / (total - 1) : 0
        return (0..<count).map { first + Double($0) * spacing }
    }
}

/// One noise level t of a schedule.
package struct NoiseLevel: Sendable, Equatable {
    /// t, 0 for the least noisy of a schedule; below zero for a level of refinement.
    package let index: Int
    /// The level as networks know it, which were trained on all: the index in the schedule of which this one may have a
    /// part of the levels.
    package let original: Int
    /// The variance added by the step into this level from the one below; 0 where there is no noise.
    package let beta: Double
    /// abar_t, the part of the variance of the data that is left.
    package let signalVariance: Double
    /// sqrt(abar_t), by which the data are scaled.
    package var signal: Double { signalVariance.squareRoot() }
    /// sigma_t^2 = 1 - abar_t.
    package var noiseVariance: Double { 1 - signalVariance }
    /// sigma_t, the standard deviation of the noise.
    package var noise: Double { noiseVariance.squareRoot() }
}
