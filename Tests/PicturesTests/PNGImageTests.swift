import Foundation
import Testing

@testable import Pictures

@Suite("PNG files")
struct PNGImageTests {
    private static func picture(_ channels: Int, width: Int = 13, height: Int = 7) -> PNGImage {
        let bytes = (0..<width * height * channels).map { UInt8(truncatingIfNeeded: $0 * $0 * 31 + $0 / 5) }
        return PNGImage(width: width, height: height, channels: channels, bytes: bytes)
    }

    private func refusal(of file: [UInt8]) -> String? {
        do throws(PNGError) {
            _ = try PNGImage(decoding: file)
            return nil
        } catch {
            return error.description
        }
    }

    @Test("What was written is read again, bit by bit", arguments: [1, 3, 4])
    func roundTrip(channels: Int) throws {
        for (width, height) in [(1, 1), (13, 7), (300, 1), (1, 300), (700, 500)] {
            let picture = Self.picture(channels, width: width, height: height)
            #expect(try PNGImage(decoding: picture.encoded()) == picture)
        }
    }

    @Test("A picture that nothing can compress fits too")
    func noise() throws {
        var state: UInt64 = 1
        let bytes = (0..<900 * 800 * 4).map { _ -> UInt8 in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(state >> 56)
        }
        let picture = PNGImage(width: 900, height: 800, channels: 4, bytes: bytes)
        #expect(try PNGImage(decoding: picture.encoded()) == picture)
    }

    @Test("Files have the same bytes each time, and nothing in them but the picture and its colour space")
    func chunks() throws {
        let file = try Self.picture(3).encoded()
        #expect(try Self.picture(3).encoded() == file)
        var (names, position) = ([String](), 8)
        while position < file.count {
            names.append(String(decoding: file[position + 4..<position + 8], as: UTF8.self))
            position += 12 + file[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
        }
        #expect(Set(names).isSubset(of: ["IHDR", "sRGB", "gAMA", "IDAT", "IEND"]))
    }

    @Test("Python's zlib finds the rows in a file, none of them filtered", .enabled(if: Self.hasPython))
    func otherReader() throws {
        let picture = Self.picture(3)
        let script = """
            import sys, zlib
            b = sys.stdin.buffer.read(); p = 8; d = b""
            while p < len(b):
                n = int.from_bytes(b[p:p+4], "big")
                if b[p+4:p+8] == b"IDAT": d += b[p+8:p+8+n]
                assert zlib.crc32(b[p+4:p+8+n]) == int.from_bytes(b[p+8+n:p+12+n], "big")
                p += 12 + n
            sys.stdout.buffer.write(zlib.decompress(d))
            """
        let rows = try Self.python(script, input: picture.encoded())
        let line = picture.width * 3
        let expected = (0..<picture.height).flatMap { [0] + picture.bytes[$0 * line..<($0 + 1) * line] }
        #expect(rows == expected)
    }

    @Test("A file that is cut off is refused, wherever that is")
    func cut() throws {
        let file = try Self.picture(3).encoded()
        for count in 0..<file.count {
            #expect(refusal(of: Array(file.prefix(count))) != nil, "\(count) of \(file.count) bytes")
        }
        #expect(refusal(of: Array(file.prefix(100)))?.contains("cut off at 100 bytes") == true)
    }

    @Test("Another byte is refused, or the picture is what it was")
    func otherByte() throws {
        let picture = Self.picture(3)
        let file = try picture.encoded()
        var refused = 0
        for place in file.indices {
            var damaged = file
            damaged[place] ^= 0x10
            do throws(PNGError) {
                let found = try PNGImage(decoding: damaged)
                #expect(found == picture, "byte \(place)")
            } catch {
                refused += 1
            }
        }
        // All but those of chunks that one can do without, and of the checksum behind the last.
        #expect(refused > file.count - 60)
    }

    @Test("Palettes, fewer bits and grey with opacity are widened")
    func widened() throws {
        let palette = HandmadePNG(
            width: 2, height: 1, kind: 3, rows: [[1, 0]], others: [("PLTE", [10, 20, 30, 40, 50, 60])])
        #expect(
            try PNGImage(decoding: palette.file)
                == PNGImage(width: 2, height: 1, channels: 3, bytes: [40, 50, 60, 10, 20, 30]))
        let bits = HandmadePNG(width: 4, height: 1, depth: 1, kind: 0, rows: [[0b1010_0000]])
        #expect(
            try PNGImage(decoding: bits.file) == PNGImage(width: 4, height: 1, channels: 1, bytes: [255, 0, 255, 0]))
        let clear = HandmadePNG(width: 1, height: 1, kind: 4, rows: [[90, 128]])
        #expect(
            try PNGImage(decoding: clear.file)
                == PNGImage(width: 1, height: 1, channels: 4, bytes: [90, 90, 90, 128]))
    }

    @Test("A file that tells the usual gamma keeps its values")
    func gamma() throws {
        let values = (0..<256).map { UInt8($0) }
        let file = HandmadePNG(
            width: 256, height: 1, kind: 0, rows: [values], others: [("gAMA", [0, 0, 0xB1, 0x8F])]
        ).file
        #expect(try PNGImage(decoding: file).bytes == values)
    }

    @Test("What is not read says why")
    func refusals() {
        let deep = HandmadePNG(width: 1, height: 1, depth: 16, kind: 0, rows: [[1, 2]])
        #expect(refusal(of: deep.file)?.contains("16 bits") == true)
        let large = HandmadePNG(width: 60_000, height: 60_000, kind: 2, rows: [[0]])
        #expect(refusal(of: large.file)?.contains("60000 x 60000") == true)
        let short = HandmadePNG(width: 3, height: 3, kind: 0, rows: [[1, 2, 3]])
        #expect(refusal(of: short.file)?.contains("damaged") == true)
        let unknown = HandmadePNG(width: 1, height: 1, kind: 5, rows: [[1]])
        #expect(refusal(of: unknown.file)?.contains("damaged") == true)
        #expect(refusal(of: [0xFF, 0xD8, 0xFF, 0xE0])?.contains("JPEG") == true)
        #expect(refusal(of: Array("GIF89a".utf8))?.contains("no PNG file") == true)
        #expect(refusal(of: []) != nil)
    }

    private static let hasPython = (try? python("import zlib", input: [])) != nil

    private struct Failure: Error {}

    private static func python(_ script: String, input: [UInt8]) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script]
        let (entry, exit) = (Pipe(), Pipe())
        (process.standardInput, process.standardOutput) = (entry, exit)
        process.standardError = FileHandle.nullDevice
        try process.run()
        // Smaller than a pipe's buffer, so that neither waits for the other.
        try entry.fileHandleForWriting.write(contentsOf: Data(input))
        try entry.fileHandleForWriting.close()
        let output = try exit.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure() }
        return Array(output)
    }
}
