import ArgumentParser
import Coordinator
import CoordinatorCore
import MachineCapacity

/// How much a coordinator takes on.
struct LimitOptions: ParsableArguments {
    @Option(
        name: .customLong("limit"),
        help: ArgumentHelp(
            "Change a limit, such as jobs=100; may be repeated. Limits: "
                + Limit.Name.allCases.map { "\($0.rawValue) (\($0.usual))" }.joined(separator: ", ") + ".",
            valueName: "name=value"))
    var limits: [Limit] = []

    /// Sets what was asked for.
    func set(in configuration: inout CoordinatorService.Configuration) {
        for limit in limits { limit.set(in: &configuration) }
    }
}

/// One limit and its value.
struct Limit: ExpressibleByArgument {
    enum Name: String, CaseIterable {
        case jobs, chains, text, models, requests, errors, silence
        case waitingText = "waiting-text"

        /// The default, as it is written.
        var usual: String {
            switch self {
            case .jobs: "1000 unfinished"
            case .chains: "8589934592 of these"
            case .text: "256MiB of these"
            case .models: "64GiB"
            case .requests: "2000 of a peer in a second"
            case .errors: "100 of a connection in a minute"
            case .silence: "30 seconds of a new connection"
            case .waitingText: "64MiB not read yet"
            }
        }

        private var isBytes: Bool { [.text, .models, .waitingText].contains(self) }

        func value(_ text: String) -> Int? {
            guard let value = isBytes ? ByteCount.read(text) : Int(text), value > 0 else { return nil }
            return value
        }
    }

    private let name: Name
    private let value: Int

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let name = Name(rawValue: parts[0]), let value = name.value(parts[1]) else {
            return nil
        }
        (self.name, self.value) = (name, value)
    }

    func set(in configuration: inout CoordinatorService.Configuration) {
        switch name {
        case .jobs: configuration.limits.jobs = value
        case .chains: configuration.limits.chains = value
        case .text: configuration.limits.textBytes = value
        case .models: configuration.limits.modelBytes = value
        case .requests: configuration.limits.requestsPerSecond = value
        case .errors: configuration.limits.errorsPerMinute = value
        case .silence: configuration.silence = .seconds(value)
        case .waitingText: configuration.limits.waitingTextBytes = value
        }
    }
}
