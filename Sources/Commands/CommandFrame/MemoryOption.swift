package import ArgumentParser
import MachineCapacity

/// How much memory the networks of a job may take, as a command is told.
package struct MemoryOption: ParsableArguments {
    /// A number of bytes as people write it; nil where nothing is said.
    @Option(
        help: ArgumentHelp(
            """
            Bytes of memory for the networks of a job, of all slots or local workers together, such as 800MB or 2GiB \
            (default: half of what is available).
            """, valueName: "size"))
    package var memory: String?

    /// For the parser.
    package init() {}

    /// Refuses what is no number of bytes above zero. - Throws: `ValidationError`.
    package func validate() throws { _ = try bytes() }

    /// The bytes, half of what is available where nothing is said. - Throws: as ``validate()``.
    package func bytes() throws -> Int {
        guard let memory else { return MachineCapacity.usualShare }
        guard let bytes = ByteCount.read(memory), bytes > 0 else {
            throw ValidationError("--memory must be a number of bytes such as 2GiB, is \"\(memory)\".")
        }
        return bytes
    }
}
