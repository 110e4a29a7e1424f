import Foundation
package import Logging
import StrictJSON

extension Logger {
    /// A logger that writes to standard error.
    ///
    /// - Parameter usual: the least important that is told where `RRR_LOG_LEVEL` says nothing.
    package static func standardError(label: String, saying usual: Level) -> Logger {
        var logger = Logger(label: label) { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = (try? level(environment: ProcessInfo.processInfo.environment)) ?? usual
        return logger
    }

    /// What `RRR_LOG_LEVEL` says; nil if nothing. - Throws: what is wrong with it, with exit status 64.
    static func level(environment: [String: String]) throws(RawArguments.Problem) -> Level? {
        guard let name = environment["RRR_LOG_LEVEL"], !name.isEmpty else { return nil }
        guard let level = Level(rawValue: name) else {
            let known = Level.allCases.map(\.rawValue)
            throw RawArguments.Problem(
                exitStatus: 64,
                text: "RRR_LOG_LEVEL is \"\(name)\"; \(Spelling.suggestion(for: name, among: known))")
        }
        return level
    }
}
