import Foundation
import Glibc

@testable import RunFolder

/// An empty folder that goes, with all that is in it, when its owner goes.
final class TemporaryFolder {
    let path: String
    private var isMounted = false

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "runfolder-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit {
        if isMounted { umount2(path, Int32(MNT_DETACH)) }
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Makes the folder a disk of its own with room for so many bytes; false where only root may.
    func mount(bytes: Int) -> Bool {
        isMounted = Glibc.mount("tmpfs", path, "tmpfs", 0, "size=\(bytes)") == 0
        return isMounted
    }

    /// Whether this process may make such disks.
    static let mayMount = (try? TemporaryFolder().mount(bytes: 1 << 20)) ?? false

    /// The path of a file in the folder.
    func callAsFunction(_ name: String) -> String { path + "/" + name }

    /// All names in the folder, hidden ones too, sorted.
    var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }

    func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: self(name))))
    }

    /// Every file of a folder, by name.
    static func contents(of path: String) throws -> [String: [UInt8]] {
        var contents: [String: [UInt8]] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            contents[name] = Array(try Data(contentsOf: URL(filePath: path + "/" + name)))
        }
        return contents
    }

    func write(_ bytes: some Sequence<UInt8>, _ name: String) throws {
        try Data(bytes).write(to: URL(filePath: self(name)))
    }
}

/// The error that `body` ends with; nil when it does not.
func failure(of body: () throws(RunFolderError) -> Void) -> RunFolderError? {
    do {
        try body()
        return nil
    } catch {
        return error
    }
}

/// Python with numpy, where the machine has it: the reader for which these files are written.
enum Python {
    static let hasNumpy = (try? run("import numpy", [])) != nil

    struct Failure: Error {
        let output: String
    }

    /// The standard output of a script; its arguments are `sys.argv[1:]`.
    static func run(_ script: String, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let output = String(decoding: data, as: UTF8.self)
        guard process.terminationStatus == 0 else { throw Failure(output: output) }
        return output
    }
}
