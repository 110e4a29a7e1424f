/// What a run's numbers are compared with; docs/diagnostics.md gives the reasons.
enum Limits {
    /// Of the draws that are not finite: none may be.
    static let nonFiniteShare = 0.0
    /// Of the proposals that diverge.
    static let divergentShare = 0.01
    /// Mean acceptance at any level, of a kernel with a Metropolis step.
    static let acceptance = 0.05
    /// Of the chains whose log density is not finite at the end.
    static let withoutLogDensityShare = 0.01
    /// The log density's standard deviation over chains in nats, in so many dimensions: a sample of one density has about
    /// sqrt(d / 2).
    static func logDensityDeviation(dimension: Int) -> Double { 100 + 10 * Double(dimension) }
    /// Of the samples, those that lie where there are more than `localFactor` times as many as the target's density gives reason
    /// for, beside the others. Of a thousand samples of the target itself up to 0.02 do where a thread two thousand times as long as
    /// wide is mixed with something wide, and 0.002 elsewhere.
    static let localExcess = 0.05
    /// See ``localExcess``.
    static let localFactor = 50.0
    /// Samples that are compared, at least and at most.
    static let localSamples = 1_000...4_000
    /// Coordinates of points among which neighbours are near enough.
    static let localDimensions = 2
    /// Of a population's chains: what its effective size, and the distinct chains among the samples, should be.
    static let populationShare = 0.1
    /// Chains of the start from which a population's samples should descend, or half of the chains where those are few.
    static let ancestors = 20
    /// How often neighbouring replicas should swap.
    static let swapAcceptance = 0.01
    /// The standard error of an estimated normaliser in nats: it moves a mixture's weight by a factor of its exponential.
    static let normalizerError = 0.5
    /// Draws of a chain from which they are a series: in halves of fewer than ten, correlations can't be seen.
    static let seriesDraws = 20
    /// R-hat, of chains that have to explore the target themselves: 1.01, and what an accident adds less than once in ten
    /// thousand times. Of independent draws, in M halves of n, n (R^2 - 1) + 1 is F-distributed with M - 1 and M (n - 1)
    /// degrees of freedom; four of its standard deviations are let pass.
    static func rHat(chains: Int, draws: Int) -> Double {
        let (halves, length) = (Double(2 * chains), Double(draws / 2))
        let deviation = (2 / (halves - 1) + 2 / (halves * (length - 1))).squareRoot()
        return (1.01 * 1.01 + 4 * deviation / length).squareRoot()
    }
    /// Effective size, of bulk and tail: so many a chain, up to a total that serves for any number of chains.
    static let effectiveSize = (perChain: 100, total: 400)
    /// The mean difference between the first draws of chains and the last ones, in standard deviations: half of it, by which
    /// the mean of all may be off, is the standard error of a hundred independent draws.
    static let drift = 0.2
    /// E-BFMI, of each chain.
    static let energyFraction = 0.3
    /// Draws of a chain from which its E-BFMI is known well enough.
    static let energyDraws = 100
    /// The part of its momentum that a draw may have from the draw before, for its E-BFMI to mean what it should.
    static let keptMomentum = 0.5
    /// Standard errors that lie between means of chains of one law by an accident of less than one in a hundred million.
    static let standardErrors = 6.0
    /// Chains that it takes to say so.
    static let comparableChains = 100
}
