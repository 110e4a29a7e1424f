import Testing

@testable import RunFolder

@Suite("Numbers of npy files")
struct NpyNumbersTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A file of version 1.0.
    private func write(_ type: String, _ shape: String, fortran: Bool = false, _ data: [UInt8]) throws -> NpyReader {
        let text = "{'descr': '\(type)', 'fortran_order': \(fortran ? "True" : "False"), 'shape': \(shape), }\n"
        let header = NpyHeader.magic + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
        try folder.write(header + data, "a.npy")
        return try NpyReader(path: folder("a.npy"))
    }

    private func bytes<Number: FixedWidthInteger>(_ numbers: [Number], big: Bool) -> [UInt8] {
        numbers.flatMap { number in withUnsafeBytes(of: big ? number.bigEndian : number.littleEndian) { Array($0) } }
    }

    @Test("Floating-point numbers of three sizes are read in both byte orders and both orders of axes")
    func floats() throws {
        let values: [Float] = [1, -2.5, 0.125, 3, -0, .infinity]
        // The same array with its first axis the fastest.
        let turned = [0, 3, 1, 4, 2, 5].map { values[$0] }
        for big in [false, true] {
            for fortran in [false, true] {
                let numbers = fortran ? turned : values
                let order = big ? ">" : "<"
                let half = bytes(numbers.map { Float16($0).bitPattern }, big: big)
                #expect(try write(order + "f2", "(2, 3)", fortran: fortran, half).floats() == values)
                let single = bytes(numbers.map(\.bitPattern), big: big)
                #expect(try write(order + "f4", "(2, 3)", fortran: fortran, single).floats() == values)
                let double = bytes(numbers.map { Double($0).bitPattern }, big: big)
                #expect(try write(order + "f8", "(2, 3)", fortran: fortran, double).floats() == values)
            }
        }
    }

    @Test("Three axes in Fortran order come in C order")
    func threeAxes() throws {
        let values = (0..<24).map { UInt8($0) }
        var turned: [UInt8] = []
        for k in 0..<4 { for j in 0..<3 { for i in 0..<2 { turned.append(values[(i * 3 + j) * 4 + k]) } } }
        #expect(try write("|u1", "(2, 3, 4)", fortran: true, turned).integers() == values.map { Int($0) })
        #expect(try write("|u1", "(0, 3)", fortran: true, []).integers() == [])
        #expect(try write("|u1", "()", fortran: true, [7]).integers() == [7])
    }

    @Test("Whole numbers of every size, and truth values, are read as labels in both byte orders")
    func integers() throws {
        for big in [false, true] {
            let order = big ? ">" : "<"
            func check<Number: FixedWidthInteger>(_ name: String, _ numbers: [Number]) throws {
                let reader = try write(order + name, "(3,)", bytes(numbers, big: big))
                #expect(try reader.integers() == numbers.map { Int($0) }, "\(order + name)")
            }
            try check("i1", [-128, 0, 127] as [Int8])
            try check("u1", [0, 1, 255] as [UInt8])
            try check("i2", [.min, 1, .max] as [Int16])
            try check("u2", [0, 1, .max] as [UInt16])
            try check("i4", [.min, 1, .max] as [Int32])
            try check("u4", [0, 1, .max] as [UInt32])
            try check("i8", [.min, 1, .max] as [Int64])
            try check("u8", [0, 1, UInt64(Int.max)] as [UInt64])
        }
        #expect(try write("|b1", "(3,)", [0, 1, 1]).integers() == [0, 1, 1])
        #expect(try write("?", "(2,)", [1, 0]).integers() == [1, 0])
        let reader = try write("<u8", "(2,)", bytes([0, UInt64.max], big: false))
        let error = failure { () throws(RunFolderError) in _ = try reader.integers() }
        #expect(error?.reason.contains("number 1 is 18446744073709551615") == true)
    }

    @Test("Whole numbers are coordinates where single precision holds them exactly")
    func wholeCoordinates() throws {
        #expect(try write("<i4", "(2,)", bytes([-3, 1 << 24] as [Int32], big: false)).floats() == [-3, 16_777_216])
        #expect(try write("<u8", "(1,)", bytes([UInt64(1) << 63], big: false)).floats() == [0x1p63])
        let odd = try write("<i4", "(2,)", bytes([0, 1 << 24 + 1] as [Int32], big: false))
        #expect(
            failure { () throws(RunFolderError) in _ = try odd.floats() }?.reason.contains("number 1 is 16777217")
                == true)
        let truth = try write("|b1", "(1,)", [1])
        #expect(failure { () throws(RunFolderError) in _ = try truth.floats() }?.code == .malformed)
        let real = try write("<f4", "(1,)", bytes([Float(1).bitPattern], big: false))
        #expect(
            failure { () throws(RunFolderError) in _ = try real.integers() }?.reason.contains("a.astype('int64')")
                == true)
    }

    @Test("Rows are not handed out of a file that does not hold them as they lie in memory")
    func rows() throws {
        let big = try write(">f4", "(1,)", bytes([Float(1).bitPattern], big: true))
        #expect(failure { () throws(RunFolderError) in _ = try big.all(as: Float.self) }?.code == .invalidValue)
        // In one column or one row there is but one order.
        let column = try write("<f4", "(2, 1)", fortran: true, bytes([Float(1), 2].map(\.bitPattern), big: false))
        #expect(try column.all(as: Float.self) == [1, 2])
    }

    @Test("A run's samples are points, one behind the other")
    func points() throws {
        let numbers = bytes((0..<12).map { Float($0).bitPattern }, big: false)
        #expect(try write("<f4", "(2, 3, 2)", numbers).points(shape: [2]) == (0..<12).map { Float($0) })
        #expect(try write("<f4", "(6, 2)", numbers).points(shape: [2]).count == 12)
        func refusal(_ shape: String, dimension: Int) throws -> String? {
            let reader = try write("<f4", shape, numbers)
            return failure { () throws(RunFolderError) in _ = try reader.points(shape: [dimension]) }?.reason
        }
        #expect(try refusal("(12,)", dimension: 2)?.contains("give rows of 2 coordinates") == true)
        #expect(try refusal("(2, 6)", dimension: 2)?.hasSuffix("is it transposed? save a.T") == true)
        #expect(try refusal("(1, 2, 3, 2)", dimension: 2)?.contains("[chains, draws, 2]") == true)
        #expect(try refusal("(2, 3, 2)", dimension: 3)?.contains("[2, 3, 2]") == true)
    }

    @Test("Labels may have the shape of the samples; rows of zeros and a one are told what to do")
    func labels() throws {
        #expect(try write("|u1", "(2, 2)", [0, 1, 2, 1]).labels(count: 4, classes: 3) == [0, 1, 2, 1])
        let hot = try write("|u1", "(2, 3)", [0, 1, 0, 1, 0, 0])
        #expect(
            failure { () throws(RunFolderError) in _ = try hot.labels(count: 2, classes: 3) }?.reason
                .contains("argmax") == true)
        let low = try write("|i1", "(2,)", [0, 0xFF])
        #expect(
            failure { () throws(RunFolderError) in _ = try low.labels(count: 2, classes: 3) }?.reason
                == "[1] is -1; labels go from 0 to 2")
    }

    @Test("Python 2's long integers in a shape are lengths")
    func longLengths() throws { #expect(try write("|u1", "(2L, 1L)", [5, 6]).integers() == [5, 6]) }

    @Test("Files with bytes changed at random are read or refused, and never end the process", arguments: 1...8)
    func damaged(seed: UInt64) throws {
        var state = seed
        func random(below limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        let characters = Array("0123456789LTF,()'<>|=fiubOV ".utf8)
        for _ in 0..<250 {
            let type = ["<f2", ">f4", "<f8", "|u1", "<i2", ">u8", "|b1"][random(below: 7)]
            let text = "{'descr': '\(type)', 'fortran_order': True, 'shape': (2, 3, 2), }\n"
            var bytes = NpyHeader.magic + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
            let data = 12 * (type.last?.wholeNumberValue ?? 1)
            bytes += (0..<data).map { _ in UInt8(random(below: 256)) }
            for _ in 0...random(below: 4) {
                let place = random(below: bytes.count)
                bytes[place] = random(below: 2) == 0 ? UInt8(random(below: 256)) : characters[random(below: 28)]
            }
            if random(below: 8) == 0 { bytes.removeLast(random(below: bytes.count)) }
            try folder.write(bytes, "a.npy")
            let path = folder("a.npy")
            _ = failure { () throws(RunFolderError) in _ = try NpyReader(path: path).points(shape: [2]) }
            _ = failure { () throws(RunFolderError) in _ = try NpyReader(path: path).floats() }
            _ = failure { () throws(RunFolderError) in _ = try NpyReader(path: path).labels(count: 12, classes: 5) }
        }
    }
}
