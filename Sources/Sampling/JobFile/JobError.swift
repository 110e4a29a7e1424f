package import ContentHash
package import StrictJSON

/// Why a job file was refused.
package struct JobError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of refusal it is.
    package enum Code: Sendable, Equatable {
        /// The file says something wrong: exit status 65.
        case badData
        /// There is no such file, or it can't be read, or one that it names is not there: exit status 66.
        case noInput
        /// Nothing is wrong, but these model files are not known here: exit status 66.
        case missingModels([Digest])
    }

    /// What to end with.
    package let code: Code
    /// The file as the user named it.
    package let file: String
    /// In the order of the file.
    package let problems: [JSONProblem]

    /// The exit status of a command that ends with this error.
    package var exitStatus: Int32 { code == .badData ? 65 : 66 }

    /// One line a problem, each with file, line and place.
    package var description: String {
        problems.map { problem in
            code == .noInput && problem.pointer.isEmpty
                ? "\(file): \(problem.message)" : "\(file):\(problem.line): \(problem)"
        }.joined(separator: "\n")
    }
}
