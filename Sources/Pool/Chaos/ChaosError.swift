/// Why a pool could not be put to the test, with the exit status to end with.
package struct ChaosError: Error, Sendable, CustomStringConvertible {
    /// What the command should end with, as sysexits.h has it, or as the command that failed ended.
    package let exitStatus: Int32
    /// What went wrong and what to do, in one line.
    package let description: String

    init(exitStatus: Int32, _ description: String) {
        self.exitStatus = exitStatus
        self.description = description
    }
}
