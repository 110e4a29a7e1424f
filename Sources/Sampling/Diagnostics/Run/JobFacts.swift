import StrictJSON

/// What of a canonical job the checks of its run depend on. A job's model files need not be there.
struct JobFacts {
    /// The kernel's name.
    let kind: String
    /// Whether proposals are accepted or rejected by a Metropolis rule.
    var isAdjusted: Bool { kind == "hmc" || kind == "mala" }
    /// The part of a Hamiltonian kernel's momentum that is left from one draw to the next; nil for another kernel.
    let keptMomentum: Double?
    /// Whether samples are where the log density was evaluated no more.
    let isDenoised: Bool
    /// Levels with replicas, the last one first; none without exchange.
    let replicas: [Int]
    /// Levels below 0.
    let refinedLevels: Int
    /// What a chain and its replicas propose, all told.
    let proposalsPerChain: Double

    /// - Parameter canonical: the text of a run's `job.json`.
    /// - Throws: `JSONParseError` or `JSONProblem` where it is not that of a job.
    init(canonical: [UInt8]) throws {
        let job = try JSONField(node: try JSONParser.parse(canonical), pointer: "").members("a job")
        let sampler = try job.required("sampler", "a sampler").members("a sampler")
        let draws = try job.required("draws", "a number").integer(1...Int.max)
        let thin = try job.required("thin", "a number").integer(1...Int.max)
        kind = try sampler.required("kind", "a kernel").string("a kernel")
        let damping = try sampler["damping"]?.number()
        keptMomentum = damping.map { damping in (0..<min(thin, 64)).reduce(1) { kept, _ in kept * damping } }
        isDenoised = try sampler["denoise"]?.bool() ?? false
        replicas = try sampler["exchange"]?.members("an object")["levels"].map(Self.numbers) ?? []
        let below = try sampler["refine"]?.members("an object")
        refinedLevels = try below?.required("levels", "a number").integer(1...Int.max) ?? 0
        guard kind != "reverse" else {
            proposalsPerChain = 0
            return
        }
        let transitions = try sampler.required("transitions", "a number").integer(1...Int.max)
        let levels = try Self.numbers(sampler.required("levels", "two levels"))
        // Numbers of a file may be so large that only floating point has their products.
        var proposals = (Double(levels.last ?? 0) - Double(levels.first ?? 0) + 1) * Double(transitions)
        if let below {
            let ofLevel = try below.required("transitions", "a number").integer(1...Int.max)
            proposals += Double(refinedLevels) * Double(ofLevel)
        }
        proposalsPerChain = proposals + Double(draws - 1) * Double(thin) * Double(max(1, replicas.count))
    }

    private static func numbers(_ field: JSONField) throws -> [Int] {
        try field.array("levels").map { try $0.integer(0...Int.max) }
    }
}
