import Glibc

/// Why something could not be measured.
package enum BenchmarkError: Error, CustomStringConvertible {
    /// A file or folder could not be made or written; the number is errno.
    case disk(String, Int32)
    /// Nothing more came of what was to be written to the file.
    case silence(String)
    /// The system does not tell how much memory this process has, in the file where it should.
    case unknownMemory(String)

    /// What went wrong and what to do, in one line.
    package var description: String {
        switch self {
        case .disk(let path, let number):
            "\(path) can't be written: \(String(cString: strerror(number))); choose another folder with --state"
        case .unknownMemory(let path): "\(path) does not tell how much memory this process has"
        case .silence(let path): "nothing was written to \(path) for a minute"
        }
    }

    /// As sysexits.h has it.
    package var exitStatus: Int32 {
        switch self {
        case .disk: 73
        case .silence, .unknownMemory: 74
        }
    }
}
