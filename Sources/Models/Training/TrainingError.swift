package import StrictJSON
import RunFolder
import Safetensors

/// Why a training, or a command on model files, ended early.
package struct TrainingError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The exit status of a command that ends with this error.
    package let exitStatus: Int32
    /// What is wrong and what to do, with the file and the place.
    package let description: String
    /// For a spec that was refused, what is wrong with it, in the order of the file.
    package let problems: [JSONProblem]

    init(exitStatus: Int32, _ description: String, problems: [JSONProblem] = []) {
        self.exitStatus = exitStatus
        self.description = description
        self.problems = problems
    }

    /// A spec with one line a problem, each with file, line and place.
    init(spec file: String, problems: [JSONProblem], exitStatus: Int32 = 65) {
        self.init(
            exitStatus: exitStatus, problems.map { "\(file):\($0.line): \($0)" }.joined(separator: "\n"),
            problems: problems)
    }

    init(_ error: RunFolderError) {
        self.init(exitStatus: error.exitStatus, error.description)
    }

    init(_ error: SafetensorsError) {
        self.init(exitStatus: error.exitStatus, error.description)
    }
}
