extension ChainDraws {
    /// R-hat, the larger of that of the bulk and that of the spread: each compares the variance between halves of chains
    /// with that within them, of normal scores, of the draws and of their distances from the median.
    ///
    /// 1 for chains that agree; infinite for chains that each stand still, at different places. Nil where it is not
    /// defined: draws that are too few, not finite, or all the same. A single chain's halves are compared too.
    package var rHat: Double? {
        guard isDiagnosable, !halves.isConstant else { return nil }
        let halves = halves
        return halves.rHat(scores: halves.normalScores)
    }

    /// That of halves of chains, which are not all the same, with their normal scores.
    func rHat(scores: ChainDraws) -> Double {
        let bulk = scores.varianceRatio
        let spread = folded.normalScores.varianceRatio
        // The distances from the median may all be one, as those of two values are.
        return spread.isNaN ? bulk : max(bulk, spread)
    }

    /// sqrt((B / W + n - 1) / n) of n draws a chain, B n times the variance of the chains' means and W the mean of their
    /// variances.
    var varianceRatio: Double {
        let count = Double(draws)
        let between = count * chainMeans.variance
        let within = (0..<chains).map { chain($0).variance }.mean
        return ((between / within + count - 1) / count).squareRoot()
    }
}
