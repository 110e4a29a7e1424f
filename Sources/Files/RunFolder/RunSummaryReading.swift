import StrictJSON

extension RunSummary {
    /// Reads the text of a `summary.json`; `path` is the file named in errors.
    ///
    /// Names that are not known are passed over: a later version of the program may write more, and an earlier one has
    /// written fewer.
    ///
    /// Throws `.malformed`, with the line and the JSON pointer, when the text is not JSON, a name is missing, a value is
    /// of the wrong kind or the format has a later version than ``version``, and when the text is not what was written.
    package init(json bytes: [UInt8], path: String = RunFolder.summaryName) throws(RunFolderError) {
        let root: JSONNode
        do {
            root = try JSONParser.parse(bytes)
        } catch {
            throw RunFolderError(
                .malformed, path: path, reason: "line \(error.line), column \(error.column): \(error.message)")
        }
        let summary = try SummaryNode(root, path: path)
        try summary.expectNames(
            [
                "job", "name", "chains", "draws", "shape", "acceptance", "step_size", "gradient_evaluations",
                "divergences", "log_density", "samples_sha256",
            ])
        try Self.checkVersion(summary)
        try Self.checkSeal(of: bytes, summary)
        let acceptance = try summary.member("acceptance")
        try acceptance.expectNames(["mean", "per_level"])
        let density = try summary.member("log_density")
        try density.expectNames(["mean", "standard_deviation"])
        let normalizer = try Self.logNormalizer(summary)
        var population: PopulationWorth?
        if summary.has("population") {
            let node = try summary.member("population")
            try node.expectNames(["effective_size", "distinct_chains", "ancestors"])
            population = PopulationWorth(
                effectiveSize: try node.member("effective_size").optionalNumber() ?? .nan,
                distinctChains: try node.member("distinct_chains").count(),
                ancestors: try node.member("ancestors").count())
        }
        self.init(
            jobHash: try summary.member("job").string(),
            name: try summary.member("name").string(),
            chains: try summary.member("chains").count(),
            draws: try summary.member("draws").count(),
            shape: try summary.member("shape").elements { (node) throws(RunFolderError) in try node.count() },
            acceptanceMean: try acceptance.member("mean").optionalNumber(),
            acceptancePerLevel: try acceptance.member("per_level").optionalNumbers(),
            stepSize: try summary.member("step_size").optionalNumbers(),
            gradientEvaluations: try summary.member("gradient_evaluations").count(),
            divergences: try summary.member("divergences").count(),
            nonFiniteDraws: summary.has("non_finite_draws") ? try summary.member("non_finite_draws").count() : 0,
            logNormalizer: normalizer,
            population: population,
            preliminaries: try Self.preliminaries(summary),
            logDensity: LogDensity(
                mean: try density.member("mean").optionalNumber(),
                standardDeviation: try density.member("standard_deviation").optionalNumber()),
            warnings: try Self.warnings(summary),
            diagnostics: summary.has("diagnostics") ? try RunDiagnostics(try summary.member("diagnostics")) : nil,
            samplesSHA256: try summary.member("samples_sha256").string(),
            statisticsSHA256: summary.has("statistics_sha256") ? try summary.member("statistics_sha256").string() : nil,
            pictureSHA256: summary.has("picture_sha256") ? try summary.member("picture_sha256").string() : nil)
    }
}

extension RunSummary {
    private static func checkVersion(_ summary: SummaryNode) throws(RunFolderError) {
        guard summary.has("version") else { return }
        let node = try summary.member("version")
        let found = try node.count()
        guard found <= version else {
            throw node.malformed(
                "version \(found) of the format, of which this program knows \(version); read it with a later program")
        }
    }

    /// A program that sealed no texts did not tell of the statistics either: one name alone can't be lost unseen.
    private static func checkSeal(of text: [UInt8], _ summary: SummaryNode) throws(RunFolderError) {
        switch Seal.condition(of: text) {
        case .sound: return
        case .none where !summary.has("statistics_sha256"): return
        case .none, .broken: throw summary.malformed(Seal.complaint)
        }
    }

    private static func warnings(_ summary: SummaryNode) throws(RunFolderError) -> [String] {
        guard summary.has("warnings") else { return [] }
        return try summary.member("warnings").elements { (node) throws(RunFolderError) in try node.string() }
    }

    private static func preliminaries(_ summary: SummaryNode) throws(RunFolderError) -> [PreliminaryRun] {
        guard summary.has("preliminary") else { return [] }
        return try summary.member("preliminary").elements { (node) throws(RunFolderError) in
            try node.expectNames(["job", "name", "gradient_evaluations"])
            return PreliminaryRun(
                jobHash: try node.member("job").string(), name: try node.member("name").string(),
                gradientEvaluations: try node.member("gradient_evaluations").count(),
                component: node.has("component") ? try node.member("component").string() : nil,
                logNormalizer: try logNormalizer(node))
        }
    }

    private static func logNormalizer(_ summary: SummaryNode) throws(RunFolderError) -> LogNormalizer? {
        guard summary.has("log_normalizer") else { return nil }
        let node = try summary.member("log_normalizer")
        try node.expectNames(["estimate", "standard_error", "per_level"])
        return LogNormalizer(
            estimate: try node.member("estimate").optionalNumber(),
            standardError: try node.member("standard_error").optionalNumber(),
            perLevel: try node.member("per_level").optionalNumbers())
    }
}

/// A value of a summary's text and the way to it, for errors.
struct SummaryNode {
    private let node: JSONNode
    private let pointer: String
    private let path: String
    private let members: [String: JSONNode]

    init(_ node: JSONNode, pointer: String = "", path: String) throws(RunFolderError) {
        self.node = node
        self.pointer = pointer
        self.path = path
        guard case .object(let list) = node.value else {
            members = [:]
            return
        }
        members = Dictionary(list.map { ($0.name, $0.node) }, uniquingKeysWith: { first, _ in first })
    }

    func expectNames(_ names: [String]) throws(RunFolderError) {
        guard case .object = node.value else { throw wrong("an object") }
        let missing = names.first { members[$0] == nil }
        if let missing { throw malformed("the name \"\(missing)\" is missing") }
    }

    func has(_ name: String) -> Bool { members[name] != nil }

    func member(_ name: String) throws(RunFolderError) -> SummaryNode {
        guard let member = members[name] else { throw malformed("the name \"\(name)\" is missing") }
        return try SummaryNode(member, pointer: "\(pointer)/\(name)", path: path)
    }

    func string() throws(RunFolderError) -> String {
        guard case .string(let text) = node.value else { throw wrong("a string") }
        return text
    }

    func bool() throws(RunFolderError) -> Bool {
        guard case .bool(let value) = node.value else { throw wrong("true or false") }
        return value
    }

    func count() throws(RunFolderError) -> Int {
        guard case .number(let text) = node.value, let value = Int(text), value >= 0 else {
            throw wrong("a whole number, 0 or more")
        }
        return value
    }

    func optionalNumber() throws(RunFolderError) -> Double? {
        switch node.value {
        case .null: return nil
        case .number(let text):
            guard let value = Double(text), value.isFinite else { throw wrong("a finite number or null") }
            return value
        default: throw wrong("a number or null")
        }
    }

    func optionalNumbers() throws(RunFolderError) -> [Double?] {
        try elements { (node) throws(RunFolderError) in try node.optionalNumber() }
    }

    func elements<Element>(
        _ read: (SummaryNode) throws(RunFolderError) -> Element
    ) throws(RunFolderError) -> [Element] {
        guard case .array(let nodes) = node.value else { throw wrong("an array") }
        var elements: [Element] = []
        for (index, node) in nodes.enumerated() {
            elements.append(try read(SummaryNode(node, pointer: "\(pointer)/\(index)", path: path)))
        }
        return elements
    }

    private func wrong(_ expected: String) -> RunFolderError {
        malformed("expected \(expected), found \(node.value.kind)")
    }

    func malformed(_ reason: String) -> RunFolderError {
        let place = pointer.isEmpty ? "the whole" : pointer
        return RunFolderError(.malformed, path: path, reason: "line \(node.line), \(place): \(reason)")
    }
}
