import Foundation
import FuzzedDecoders
import Testing

/// What `Tests/Fuzzing/run` begins with, and what it has found.
@Suite("Fuzzed decoders", .serialized)
struct FuzzedDecodersTests {
    private static let found = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fuzzing/Found")

    @Test("A decoder takes seeds of its own, and writes what it takes as it was", arguments: FuzzedDecoder.all)
    func seeds(decoder: FuzzedDecoder) throws {
        let seeds = try decoder.seeds()
        #expect(!seeds.isEmpty)
        var taken = 0
        for seed in seeds { if try decoder.takes(seed) { taken += 1 } }
        #expect(taken > 0)
    }

    @Test("A decoder comes through all that ever broke one")
    func inputs() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.found.path)
        #expect(!folders.isEmpty)
        for folder in folders {
            let decoder = try #require(FuzzedDecoder.all.first { $0.name == folder }, "no decoder \(folder)")
            let place = Self.found.appending(path: folder)
            for file in try FileManager.default.contentsOfDirectory(atPath: place.path) {
                let clock = ContinuousClock()
                let time = try clock.measure {
                    _ = try decoder.takes(Array(try Data(contentsOf: place.appending(path: file))))
                }
                #expect(time < .seconds(5), "\(folder)/\(file) takes \(time)")
            }
        }
    }
}
