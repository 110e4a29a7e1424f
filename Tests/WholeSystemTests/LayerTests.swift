import Foundation
import Testing

@Suite("Layers")
struct LayerTests {
    private static let sources = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Sources").path
    /// From below.
    private static let layers = ["Process", "Numerics", "Files", "Models", "Sampling", "Wire", "Pool", "Commands"]

    private static func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    @Test("Every module belongs to a layer, and none imports a module of a layer above its own")
    func imports() throws {
        #expect(try Set(Self.names(in: Self.sources)) == Set(Self.layers))
        var heights: [String: Int] = [:]
        for (height, layer) in Self.layers.enumerated() {
            for module in try Self.names(in: "\(Self.sources)/\(layer)") { heights[module] = height }
        }
        #expect(heights.count > 30)
        var known = 0
        for (height, layer) in Self.layers.enumerated() {
            let folder = "\(Self.sources)/\(layer)"
            let files = try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.hasSuffix(".swift") }
            for file in files {
                let text = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
                for match in text.matches(of: /(?m)^(?:@testable |public |package )*import (\w+)/) {
                    guard let other = heights[String(match.output.1)] else { continue }
                    known += 1
                    #expect(other <= height, "\(layer)/\(file) imports \(match.output.1)")
                }
            }
        }
        #expect(known > 300)
    }

    @Test("The state machines of the pool have no clock, no file and no thread")
    func purity() throws {
        let clocks = ["ContinuousClock", "Date()"]
        let files = ["FileManager", "FileHandle", "FileSlice", "RunStaging"]
        let threads = ["Thread(", "Mutex", "DispatchQueue"]
        for module in ["Pool/PoolCore", "Pool/CoordinatorCore"] {
            let names = try Self.names(in: "\(Self.sources)/\(module)").filter { $0.hasSuffix(".swift") }
            #expect(names.count > 5)
            for name in names {
                let text = try String(contentsOfFile: "\(Self.sources)/\(module)/\(name)", encoding: .utf8)
                for word in clocks + files + threads { #expect(!text.contains(word), "\(module)/\(name) has \(word)") }
            }
        }
    }
}
