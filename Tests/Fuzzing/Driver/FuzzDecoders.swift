import CLibFuzzer
import Foundation
import FuzzedDecoders

/// The decoder that is run. A global: C's function has no place for it.
private let chosen = FuzzedDecoder.all.first { $0.name == ProcessInfo.processInfo.environment["RRR_FUZZED"] }

/// Runs one decoder under libFuzzer, whose flags it takes: the one that `RRR_FUZZED` names, since libFuzzer starts the program
/// anew for some of its work. `--list` names all, and `--seeds FOLDER` writes what they begin with.
@main
enum FuzzDecoders {
    static func main() throws {
        switch CommandLine.arguments.dropFirst().first {
        case "--list": for decoder in FuzzedDecoder.all { print(decoder.name) }
        case "--seeds" where CommandLine.arguments.count == 3: try writeSeeds(to: CommandLine.arguments[2])
        default:
            guard chosen != nil else {
                print(
                    "usage: fuzz-decoders --list | --seeds FOLDER, or RRR_FUZZED=NAME fuzz-decoders [libFuzzer's flags]"
                )
                exit(64)
            }
            fuzz()
        }
    }

    private static func fuzz() -> Never {
        var (count, arguments) = (CommandLine.argc, Optional(CommandLine.unsafeArgv))
        exit(
            LLVMFuzzerRunDriver(&count, &arguments) { start, count in
                do {
                    _ = try chosen?.takes([UInt8](UnsafeBufferPointer(start: start, count: count)))
                } catch {
                    fatalError("\(error)")
                }
                return 0
            })
    }

    /// A folder and a dictionary for each decoder.
    private static func writeSeeds(to folder: String) throws {
        for decoder in FuzzedDecoder.all {
            let place = URL(filePath: folder).appending(path: decoder.name)
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            var words: Set<[UInt8]> = []
            for (number, seed) in try decoder.seeds().enumerated() {
                try Data(seed).write(to: place.appending(path: "seed-\(number)"))
                words.formUnion(quoted(in: seed))
            }
            let lines = words.map { "\"" + $0.map(escaped).joined() + "\"\n" }.sorted()
            try Data(lines.joined().utf8).write(to: place.appendingPathExtension("dict"))
        }
    }

    /// What stands in quotes, with them: the names that texts have.
    private static func quoted(in bytes: [UInt8]) -> [[UInt8]] {
        bytes.split(separator: UInt8(ascii: "\""), omittingEmptySubsequences: false).dropFirst().dropLast()
            .filter { 1...40 ~= $0.count && $0.allSatisfy { 0x20..<0x7F ~= $0 } }
            .map { [UInt8(ascii: "\"")] + $0 + [UInt8(ascii: "\"")] }
    }

    private static func escaped(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return "\\x" + (digits.count == 1 ? "0" : "") + digits
    }
}
