import Safetensors
import Testing

@Suite("Numbers of files of tensors")
struct ConversionTests {
    /// What a pattern of sign, exponent and fraction means by IEEE 754's definition; nil for NaN.
    private static func value(_ bits: Int, exponent exponentBits: Int, fraction fractionBits: Int) -> Double? {
        let fraction = bits & (1 << fractionBits - 1)
        let exponent = bits >> fractionBits & (1 << exponentBits - 1)
        let sign = bits >> (fractionBits + exponentBits) == 0 ? 1.0 : -1.0
        let bias = 1 << (exponentBits - 1) - 1
        switch exponent {
        case 1 << exponentBits - 1: return fraction == 0 ? sign * .infinity : nil
        case 0: return sign * Double(sign: .plus, exponent: 1 - bias - fractionBits, significand: Double(fraction))
        default:
            return sign
                * Double(
                    sign: .plus, exponent: exponent - bias - fractionBits,
                    significand: Double(1 << fractionBits + fraction))
        }
    }

    @Test(
        "half precision and bfloat16 are widened exactly, all 65536 patterns of each",
        arguments: [("F16", 5, 10), ("BF16", 8, 7)])
    func widening(_ type: String, _ exponent: Int, _ fraction: Int) throws {
        let folder = try ScratchFolder()
        let header = "{\"w\":{\"dtype\":\"\(type)\",\"shape\":[65536],\"data_offsets\":[0,131072]}}"
        let path = try folder.file(
            fileBytes(Array(header.utf8), data: (0..<65_536).flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }))
        let file = try SafetensorsFile(path: path)
        let floats = try file.floats(file.tensor("w"))
        #expect(floats.count == 65_536)
        let wrong = floats.indices.filter { bits in
            guard let value = Self.value(bits, exponent: exponent, fraction: fraction) else {
                return !floats[bits].isNaN
            }
            // The sign of a zero counts too.
            return floats[bits].bitPattern != Float(value).bitPattern || Double(floats[bits]) != value
        }
        #expect(wrong.isEmpty)
    }

    @Test("double precision is rounded to the nearest single, ties to even, subnormals and overflow included")
    func narrowing() throws {
        let ulp = 0x1p-23
        let cases: [(Double, Float)] = [
            (1 + ulp / 2, 1), (1 + 3 * ulp / 2, 1 + 2 * Float.ulpOfOne), (1 + ulp / 2 + 0x1p-52, 1 + Float.ulpOfOne),
            (0x1p-149, .leastNonzeroMagnitude), (0x1p-150, 0), (0x1.8p-150, .leastNonzeroMagnitude),
            (-0x1p-150, -0.0), (0x1.8p-149, 0x1p-148), (-0.0, -0.0), (0x1.ffffffp127, .infinity),
            (0x1.fffffeffffffp127, .greatestFiniteMagnitude), (-1e300, -.infinity), (.infinity, .infinity),
        ]
        let folder = try ScratchFolder()
        let path = folder("doubles.safetensors")
        try SafetensorsFile.write([StoredTensor("w", shape: [cases.count], .float64(cases.map(\.0)))], to: path)
        let file = try SafetensorsFile(path: path)
        let floats = try file.floats(file.tensor("w"))
        #expect(floats.map(\.bitPattern) == cases.map(\.1.bitPattern))
        #expect(try file.doubles(file.tensor("w")).map(\.bitPattern) == cases.map(\.0.bitPattern))
    }

    @Test("single precision is written in half to the nearest, ties to even, subnormals included")
    func halving() throws {
        let cases: [(Float, UInt16)] = [
            (1 + 0x1p-11, 0x3C00), (1 + 0x1.8p-10, 0x3C02), (1 + 0x1p-11 + 0x1p-23, 0x3C01), (65_504, 0x7BFF),
            (65_519.996, 0x7BFF), (0x1p-24, 1), (0x1p-25, 0), (0x1.8p-25, 1), (-0x1p-25, 0x8000), (-0.0, 0x8000),
            (.infinity, 0x7C00), (-.infinity, 0xFC00),
        ]
        let folder = try ScratchFolder()
        let path = folder("halves.safetensors")
        try SafetensorsFile.write([StoredTensor("w", shape: [cases.count], .float16(cases.map(\.0)))], to: path)
        let data = try folder.bytes("halves.safetensors").suffix(2 * cases.count)
        #expect(Array(data) == cases.flatMap { [UInt8($0.1 & 255), UInt8($0.1 >> 8)] })
    }

    @Test("a number beyond half precision is not written, and the old file stands")
    func halfOverflow() throws {
        let folder = try ScratchFolder()
        let path = try folder.file([1, 2, 3], "old.safetensors")
        let error = try #require(throws: SafetensorsError.self) {
            try SafetensorsFile.write([StoredTensor("w", shape: [2], .float16([1, 65_520]))], to: path)
        }
        #expect(error.code == .badData)
        #expect(error.message == "tensor \"w\": 65520.0 is beyond half precision; store the weights as float32")
        #expect(try folder.bytes("old.safetensors") == [1, 2, 3])
    }

    @Test("a tensor of another type than was asked for is refused by name")
    func wrongType() throws {
        let folder = try ScratchFolder()
        let path = try folder.file(
            fileBytes(#"{"w":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}"#, data: 8))
        let file = try SafetensorsFile(path: path)
        let tensor = try file.tensor("w")
        func message(_ body: () throws -> Void) throws -> String {
            try #require(throws: SafetensorsError.self, performing: body).message
        }
        #expect(
            try message { _ = try file.floats(tensor) } == "tensor \"w\": is I64; store it as F32, F64, F16 or BF16")
        #expect(try message { _ = try file.doubles(tensor) } == "tensor \"w\": is I64, not F64")
        #expect(try message { _ = try file.integers(tensor) } == "tensor \"w\": is I64, not U64")
        #expect(try message { _ = try file.tensor("v") } == "tensor \"v\" is missing")
    }
}
