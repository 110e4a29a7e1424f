package import Composition
import EnergyModels
import RandomStreams
import Sampling
import StrictJSON

/// A job that has to be run before another can be, for numbers that the other lacks.
package struct PreliminaryJob: Sendable, Equatable {
    /// What is looked for.
    package enum Purpose: Sendable, Equatable {
        /// Step sizes: the job is a pilot.
        case stepSizes
        /// The normaliser of a component of a mixture at every level: the job is a population of it.
        case logNormalizer(of: TargetExpression)
    }

    /// What is looked for.
    package let purpose: Purpose
    /// What is to be run.
    package let job: Job

    /// The component whose normaliser is looked for, as jobs write it; nil if none is.
    package var componentText: String? {
        guard case .logNormalizer(let component) = purpose else { return nil }
        return component.canonical.canonical
    }
}

/// A preliminary job that came to its end without the numbers that it was run for.
package struct MissingNumbers: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong and what to do, in one line.
    package let description: String
}

extension Job {
    /// What has to be run first; nil if the job's own blocks can run. Once that has been run, ``resolved(_:stepSizes:logNormalizers:)``
    /// gives the job with the numbers in it, of which the same can be asked again.
    ///
    /// It depends on the job alone, and not on its number of chains.
    package var preliminary: PreliminaryJob? {
        if let component = target.componentToEstimate {
            return PreliminaryJob(purpose: .logNormalizer(of: component), job: population(of: component))
        }
        return sampler.tuning == nil || isPilot ? nil : PreliminaryJob(purpose: .stepSizes, job: pilot)
    }

    /// The job with the numbers that a preliminary job found.
    ///
    /// - Parameters:
    ///   - stepSizes: of the summary, index = level; nil where there are none.
    ///   - logNormalizers: of the summary, index = level; nil where there are none.
    /// - Throws: ``MissingNumbers``.
    package func resolved(
        _ preliminary: PreliminaryJob, stepSizes: [Double?], logNormalizers: [Double?]
    ) throws(MissingNumbers) -> Job {
        var job = self
        switch preliminary.purpose {
        case .stepSizes:
            let levels = sampler.levels
            guard stepSizes.count == self.levels, levels.allSatisfy({ stepSizes[$0] != nil }) else {
                throw MissingNumbers(description: "the pilot found no step size for some level; give step sizes")
            }
            // Where no transitions run any number will do.
            let table = Self.filled(stepSizes, from: levels)
            job.sampler.kernel = sampler.kernel.stepping(by: .perLevel(table))
        case .logNormalizer(let component):
            let levels = preliminary.job.sampler.levels
            guard logNormalizers.count == self.levels, levels.allSatisfy({ logNormalizers[$0] != nil }) else {
                throw MissingNumbers(
                    description: "no normaliser was found for a component of a mixture: at some level none of the "
                        + "chains that were to find it is where the component has density; give \"log_normalizers\"")
            }
            job.target = target.estimating(component, logNormalizers: Self.filled(logNormalizers, from: levels))
        }
        return job
    }

    /// Numbers for all levels, beyond those that have some the nearest one.
    private static func filled(_ numbers: [Double?], from levels: ClosedRange<Int>) -> [Double] {
        numbers.indices.map { numbers[min(max($0, levels.lowerBound), levels.upperBound)] ?? 0 }
    }

    /// Why a job can't be run that has to be run first; nil if all can, or there is none.
    var preliminaryProblem: String? {
        var job = self
        while let preliminary = job.preliminary {
            let first = preliminary.job
            if !allowsUnnormalized, let problem = first.normalizationProblem {
                return "a component of a mixture, whose normaliser is to be estimated, \(problem)"
            }
            for (key, problem) in [("chains", first.weightedChainsProblem), ("block", first.blockSizeProblem)] {
                guard let problem else { continue }
                return "what is looked for first takes a job that is too large, by its \(key): \(problem)"
            }
            // Any numbers will do to see what comes next.
            let numbers = [Double?](repeating: 1, count: levels)
            guard let next = try? job.resolved(preliminary, stepSizes: numbers, logNormalizers: numbers) else {
                return nil
            }
            job = next
        }
        return nil
    }

    /// Few chains do for what is looked for, whatever the number of the job's own.
    private static let populations = 32

    /// The job with a single draw a chain, as it stands after annealing.
    private var annealing: Job {
        var job = self
        (job.draws, job.thin, job.grid, job.trace) = (1, 1, nil, [])
        (job.sampler.exchange, job.sampler.refinement, job.sampler.denoise) = (nil, nil, false)
        return job
    }

    private var pilot: Job {
        var pilot = annealing
        pilot.name = preliminaryName("pilot")
        pilot.seed = preliminarySeed(of: .stepSizes)
        pilot.isPilot = true
        pilot.chains = (sampler.tuning?.pilots ?? 1) * block
        return pilot
    }

    /// Steps that are to be tuned are tuned by the very blocks that estimate, as they go.
    private func population(of component: TargetExpression) -> Job {
        var job = annealing
        job.name = preliminaryName("normalizer")
        job.seed = preliminarySeed(of: .logNormalizer(of: component))
        job.target = component
        job.models = models.filter { component.leaves.contains($0.key) }
        // What a window shows is smaller than the canvas.
        job.shape = job.models.values.first.map { component.shape(ofModels: $0.shape) } ?? shape
        job.sampler.kernel = sampler.kernel.exact
        if sampler.reverseSteps { job.sampler.levels = 0...levels - 1 }
        job.sampler.reverseSteps = false
        job.sampler.population = sampler.population ?? PopulationSettings(threshold: 0.5)
        if !(component.totalWeight > 0) { job.sampler.start = .normal }
        job.isPilot = sampler.tuning != nil
        job.chains = Self.populations * block
        return job
    }

    private func preliminaryName(_ suffix: String) -> String { name.prefix(63 - suffix.utf8.count) + "-" + suffix }

    /// Another seed than the job's, so that what is found does not depend on its chains.
    private func preliminarySeed(of purpose: PreliminaryJob.Purpose) -> UInt64 {
        var uniform = [0.0]
        RandomStream(seed: seed, firstChain: 0)
            .fillUniforms(&uniform, purpose: .preliminarySeed, level: purpose == .stepSizes ? 0 : 1)
        return UInt64(uniform[0] * 0x1p52)
    }
}
