import CVectorMath
package import VectorMath

/// Random numbers of a job or a training, each with an address instead of a place in a queue.
///
/// An address names the chain, the noise level, the transition and the purpose; so a block of
/// chains that is run again, elsewhere or in another order, meets the same numbers.
package struct RandomStream: Sendable, Equatable {
    /// What a number is for. Two purposes never share a counter.
    package enum Purpose: UInt8, Sendable, CaseIterable {
        /// Where a chain starts.
        case initialPosition = 1
        /// The momentum that a chain starts with.
        case initialMomentum = 2
        /// The noise of an ancestral step.
        case reverseStep = 3
        /// The noise of a Langevin proposal.
        case proposal = 4
        /// The fresh part of a momentum.
        case momentum = 5
        /// The uniform that a Metropolis step compares with.
        case acceptance = 6
        /// The uniform that resamples a block's chains; the chain is the block's first.
        case resampling = 13
        /// The uniform that selects among the chains of all blocks.
        case selection = 14
        /// The seed of a job that is run before another, to find numbers that it lacks; the level says which.
        case preliminarySeed = 15
        /// The uniform that decides on a swap of two replicas; the level is the lower one's.
        case exchange = 16
        /// A coordinate of a direction that points are projected on, for diagnostics; the chain is the direction.
        case projection = 32
        // Training: the chain is the row of a batch, the transition the iteration.
        /// A weight at the start of training; the chain is its place in the parameter, the level the parameter.
        case initialWeight = 7
        /// Which row of a data file, or which component of a mixture, a point comes from.
        case dataRow = 8
        /// The coordinates of a point within its distribution.
        case dataPoint = 9
        /// The noise level that a point is trained at.
        case trainingLevel = 10
        /// The noise that is added to a point.
        case trainingNoise = 11
        /// Whether a point's label is hidden.
        case labelDropout = 12
    }

    /// The chains that an address can tell apart.
    package static let chainLimit = 1 << 48
    /// The noise levels that an address can tell apart.
    package static let levelLimit = 1 << 16
    /// The coordinates that one address can fill with normals.
    package static let dimensionLimit = 1 << 25

    /// The job's seed: the key.
    package let seed: UInt64
    /// The chain in lane 0; lane i belongs to chain firstChain + i.
    package let firstChain: Int

    /// The stream of the block that begins with chain `firstChain`, below ``chainLimit``.
    package init(seed: UInt64, firstChain: Int) {
        precondition(firstChain >= 0 && firstChain < Self.chainLimit)
        self.seed = seed
        self.firstChain = firstChain
    }

    /// Fills [rows][lanes] with standard normals (Box and Muller, two coordinates from one counter).
    ///
    /// - Parameters:
    ///   - level: below ``levelLimit``. One below zero, -j, has the address of ``levelLimit`` - j.
    ///   - transition: counted from 0 within the level, below 2^32.
    package func fillNormals(_ x: inout LaneMatrix, purpose: Purpose, level: Int, transition: Int = 0) {
        precondition(x.rows <= Self.dimensionLimit)
        let address = address(purpose, level, transition)
        let (rows, lanes) = (x.rows, x.lanes)
        x.elements.withUnsafeMutableBufferPointer {
            rrr_fill_normals(rows, lanes, address, $0.baseAddress)
        }
    }

    /// Fills [lanes] with uniforms in (0, 1], multiples of 2^-52.
    package func fillUniforms(_ x: inout [Double], purpose: Purpose, level: Int, transition: Int = 0) {
        let address = address(purpose, level, transition)
        x.withUnsafeMutableBufferPointer { rrr_fill_uniforms($0.count, address, $0.baseAddress) }
    }

    private func address(_ purpose: Purpose, _ level: Int, _ transition: Int) -> rrr_random_address {
        rrr_random_address(
            seed: seed, first_chain: UInt64(firstChain), level: UInt16(level < 0 ? level + Self.levelLimit : level),
            transition: UInt32(transition), purpose: purpose.rawValue)
    }
}
