import CVectorMath

/// A plan with memory of its own: what one thread runs. Running allocates nothing.
package final class Execution {
    /// What is run.
    package let plan: EvaluationPlan
    private let level: Memory
    private let evaluation: Memory
    private let scratch: Memory
    private let indices: UnsafeMutablePointer<Int32>
    private let starts: UnsafeMutablePointer<UnsafeMutablePointer<Float>?>

    /// Memory for a plan; inputs and indices are 0.
    package init(_ plan: EvaluationPlan) throws(OutOfMemory) {
        self.plan = plan
        level = try Memory(count: plan.levelCount)
        evaluation = try Memory(count: plan.evaluationCount)
        scratch = try Memory(count: plan.registers * Int(RRR_STRIP))
        indices = .allocate(capacity: max(plan.indexCount, 1))
        indices.initialize(repeating: 0, count: max(plan.indexCount, 1))
        starts = Regions.starts(level: level, evaluation: evaluation, folded: plan.constants)
    }

    deinit {
        indices.deallocate()
        starts.deallocate()
    }

    /// Writes an input, by its number among the plan's inputs.
    package func setInput(_ number: Int, _ write: (inout MutableSpan<Float>) -> Void) {
        let input = plan.inputs[number]
        let numbers = UnsafeMutableBufferPointer(start: regions[input.place], count: input.count)
        var span = numbers.mutableSpan
        write(&span)
    }

    /// Sets indices, by their number among the plan's indices. - Precondition: each is a row of the tables
    /// that it gathers from.
    package func setIndices(_ number: Int, _ values: some Sequence<Int32>) {
        let input = plan.indexInputs[number]
        var count = 0
        for value in values {
            precondition(
                count < input.count && value >= 0 && Int(value) < input.limit, "index \(value) is out of range")
            indices[input.offset + count] = value
            count += 1
        }
        precondition(count == input.count, "\(count) indices for \(input.count)")
    }

    /// Computes what depends on the level alone; to be called when inputs of that rate were set.
    package func runLevel() {
        let regions = regions
        for step in plan.levelSteps { step.run(regions) }
    }

    /// Computes the rest.
    package func run() {
        let regions = regions
        for step in plan.evaluationSteps { step.run(regions) }
    }

    /// Computes the rest, unless ``ExecutionStop/current`` cuts it short; what is in memory then has no meaning.
    package func runUnlessStopped() throws(ExecutionCancelled) {
        guard let stop = ExecutionStop.current else { return run() }
        let regions = regions
        for step in plan.evaluationSteps {
            guard !stop.isRequested else { throw ExecutionCancelled() }
            step.run(regions)
        }
    }

    /// Reads an output, by its number among the plan's outputs, after ``run()``.
    package func withOutput<Result>(_ number: Int, _ read: (Span<Float>) -> Result) -> Result {
        let output = plan.outputs[number]
        return read(UnsafeBufferPointer(start: UnsafePointer(regions[output.place]), count: output.count).span)
    }

    private var regions: Regions {
        Regions(starts: starts, indices: indices, scratch: scratch.start)
    }
}
