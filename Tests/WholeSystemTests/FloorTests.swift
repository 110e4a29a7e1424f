import Foundation
import Testing

@Suite("Floors")
struct FloorTests {
    private static let sources = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Sources").path
    /// From below.
    private static let floors = ["Process", "Numerics", "Files", "Models", "Sampling", "Wire", "Pool", "Commands"]

    private static func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    @Test("Every room lies on a floor, and none imports a room of a floor above its own")
    func imports() throws {
        #expect(try Set(Self.names(in: Self.sources)) == Set(Self.floors))
        var heights: [String: Int] = [:]
        for (height, floor) in Self.floors.enumerated() {
            for room in try Self.names(in: "\(Self.sources)/\(floor)") { heights[room] = height }
        }
        #expect(heights.count > 30)
        var known = 0
        for (height, floor) in Self.floors.enumerated() {
            let folder = "\(Self.sources)/\(floor)"
            let files = try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.hasSuffix(".swift") }
            for file in files {
                let text = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
                for match in text.matches(of: /(?m)^(?:@testable |public |package )*import (\w+)/) {
                    guard let other = heights[String(match.output.1)] else { continue }
                    known += 1
                    #expect(other <= height, "\(floor)/\(file) imports \(match.output.1)")
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
        for room in ["Pool/PoolCore", "Pool/CoordinatorCore"] {
            let names = try Self.names(in: "\(Self.sources)/\(room)").filter { $0.hasSuffix(".swift") }
            #expect(names.count > 5)
            for name in names {
                let text = try String(contentsOfFile: "\(Self.sources)/\(room)/\(name)", encoding: .utf8)
                for word in clocks + files + threads { #expect(!text.contains(word), "\(room)/\(name) has \(word)") }
            }
        }
    }
}
