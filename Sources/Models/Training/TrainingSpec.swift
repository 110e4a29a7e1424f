package import EnergyModels

/// A training, complete and valid: what its spec says, with the defaults filled in.
package struct TrainingSpec: Sendable, Equatable {
    /// The key of every random number.
    package var seed: UInt64
    /// The network to be trained.
    package var network: NetworkDescription
    /// The model file whose weights it starts from; nil for new ones.
    package var from: String?
    /// Where points come from.
    package var data: DataDescription
    /// Optimizer steps in all.
    package var iterations: Int
    /// Points of one step; a multiple of ``shard``.
    package var batch: Int
    /// Points whose loss is evaluated together. Part of the spec, so that results never depend on the cores.
    package var shard: Int
    /// How gradients move the parameters.
    package var optimizer: OptimizerSettings
    /// How much of the averaged parameters a step keeps, from 0 (no averaging) to below 1.
    package var ema: Double
    /// The probability that a point's label is hidden, which trains the network without a condition.
    package var labelDropout: Double
    /// Steps from one report of the losses to the next.
    package var reportEvery: Int
    /// Steps from one checkpoint to the next.
    package var checkpointEvery: Int
    /// The type of the numbers in the model file.
    package var weights: NetworkFile.Storage

    /// Shards of one batch.
    package var shards: Int { batch / shard }
}

/// Where the points of a training come from.
package enum DataDescription: Sendable, Equatable {
    /// Fresh samples of an analytic density; labelled by its components, if it is a mixture and they are wanted.
    case density(ModelDescription, labelledByComponent: Bool)
    /// The rows of an array file [n, d], or images [n, channels, height, width], drawn with replacement, and their
    /// labels [n], if there are any. Half of the images are mirrored where they shall be flipped, and so many of the
    /// last rows are held out.
    case arrays(points: String, labels: String?, flipped: Bool = false, heldOut: Int = 0)
    /// The PNG files of a folder, labelled by its sub-folders if that is wanted, the rest as for arrays.
    case pictures(folder: String, labelled: Bool, flipped: Bool = false, heldOut: Int = 0)
    /// Fresh pictures of sprites, each labelled by one of them.
    case sprites
}

/// Adam (Kingma and Ba 2015) with a learning rate that may warm up and decay.
package struct OptimizerSettings: Sendable, Equatable {
    /// What becomes of the learning rate after its warm-up.
    package enum Decay: String, Sendable, CaseIterable {
        /// It stays.
        case constant
        /// It falls to ``OptimizerSettings/finalLearningRate`` along half a cosine.
        case cosine
    }

    /// The largest learning rate.
    package var learningRate: Double
    /// What a decay ends at.
    package var finalLearningRate: Double
    /// The decay.
    package var decay: Decay
    /// Steps over which the learning rate grows linearly to its largest.
    package var warmup: Int
    /// How much of the mean gradient a step keeps.
    package var beta1: Double
    /// How much of the mean squared gradient a step keeps.
    package var beta2: Double
    /// Added to the root of the mean squared gradient.
    package var epsilon: Double
    /// Gradients of a larger norm are scaled down to it; nil leaves them as they are.
    package var clipNorm: Double?
}
