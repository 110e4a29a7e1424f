import Logging
import Testing

@testable import CommandFrame

struct LogLevelTests {
    @Test func `A level that does not exist is refused with those that do`() throws {
        #expect(try Logger.level(environment: [:]) == nil)
        #expect(try Logger.level(environment: ["RRR_LOG_LEVEL": ""]) == nil)
        #expect(try Logger.level(environment: ["RRR_LOG_LEVEL": "debug"]) == .debug)
        let problem = #expect(throws: RawArguments.Problem.self) {
            try Logger.level(environment: ["RRR_LOG_LEVEL": "debgu"])
        }
        #expect(problem?.exitStatus == 64)
        #expect(problem?.text.hasPrefix("RRR_LOG_LEVEL is \"debgu\"; did you mean \"debug\"?") == true)
    }
}
