import Safetensors
import Testing

@Suite("Damaged files of tensors")
struct DamagedFileTests {
    /// Knuth's MMIX generator: the same damage on every machine.
    private struct Damage {
        var state: UInt64

        mutating func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            // The low bits of such a generator have short periods.
            return Int(state >> 33) % bound
        }
    }

    /// Pieces that move a header further than a flipped byte does.
    private static let pieces = [
        "[", "]", "{", "}", "\"", ",", ":", "-", "0", "9", "e9", "null", "[]", "{}", "\\u", "9999999999", "\"F64\"",
        "F16",
        "18446744073709551615",
    ].map { Array($0.utf8) }

    private static func damaged(_ file: [UInt8], by damage: inout Damage) -> [UInt8] {
        var bytes = file
        for _ in 0...damage.below(3) where bytes.count > 16 {
            // Mostly in the header: every damage of the numbers alone is legal.
            let place = damage.below(damage.below(4) == 0 ? bytes.count : bytes.count * 3 / 4)
            switch damage.below(7) {
            case 0: bytes[place] ^= UInt8(1 << damage.below(8))
            case 1: bytes[place] = UInt8(damage.below(256))
            case 2: bytes.remove(at: place)
            case 3: bytes.insert(contentsOf: pieces[damage.below(pieces.count)], at: place)
            case 4:
                // A digit for a digit keeps the length and moves a shape or an offset.
                if (48..<58).contains(bytes[place]) { bytes[place] = UInt8(48 + damage.below(10)) }
            case 5:
                let source = damage.below(bytes.count)
                let part = Array(bytes[source..<min(bytes.count, source + damage.below(40))])
                bytes.replaceSubrange(place..<min(bytes.count, place + part.count), with: part)
            default: if damage.below(8) == 0 { bytes.removeSubrange(place...) }
            }
        }
        return bytes
    }

    @Test("no damage ends the process: a file is refused, or read to its last number")
    func damage() throws {
        let folder = try ScratchFolder()
        let path = folder("tensors.safetensors")
        try SafetensorsFile.write(
            [
                StoredTensor("singles", shape: [2, 3], .float32([1, 2, 3, 4, 5, 6])),
                StoredTensor("halves", shape: [4], .float16([1, 2, 3, 4])),
                StoredTensor("doubles", shape: [2], .float64([1, 2])),
                StoredTensor("counts", shape: [1], .unsigned64([9])),
            ], metadata: ["key": "value"], to: path)
        let whole = try folder.bytes("tensors.safetensors")
        var damage = Damage(state: 7)
        var read = 0
        var messages: Set<String> = []
        for _ in 0..<4000 {
            let bytes = Self.damaged(whole, by: &damage)
            _ = try folder.file(bytes)
            do {
                let file = try SafetensorsFile(path: path)
                let count = try readAll(file)
                #expect(count <= 8 * bytes.count)
                read += 1
            } catch {
                #expect(error.code == .badData)
                messages.insert(error.message)
            }
        }
        // Both outcomes, and many reasons, occur often enough for the test to mean something.
        #expect((200..<3800).contains(read), "\(read)")
        #expect(messages.count > 200, "\(messages.count)")
    }
}
