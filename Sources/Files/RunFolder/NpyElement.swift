#if _endian(big)
    #error("Arrays go to the disk as they lie in memory, and the files are little-endian.")
#endif

/// The kinds of numbers that arrays hold: those of a run, and others that are read alone; the raw value is numpy's name
/// for it.
package enum NpyElementType: String, Sendable, Equatable, CaseIterable {
    /// A `Float`.
    case float32 = "<f4"
    /// A `Double`.
    case float64 = "<f8"
    /// An `Int32`.
    case int32 = "<i4"
    /// An `Int64`.
    case int64 = "<i8"
    /// Half precision; read, never written, as are all that follow.
    case float16 = "<f2"
    /// A byte, 0 for false.
    case bool = "|b1"
    case int8 = "|i1"
    case uint8 = "|u1"
    case int16 = "<i2"
    case uint16 = "<u2"
    case uint32 = "<u4"
    case uint64 = "<u8"

    /// Bytes of one number.
    package var size: Int {
        switch self {
        case .bool, .int8, .uint8: 1
        case .float16, .int16, .uint16: 2
        case .float32, .int32, .uint32: 4
        case .float64, .int64, .uint64: 8
        }
    }
}

/// A Swift number that an array file can hold as it lies in memory.
package protocol NpyElement: BitwiseCopyable, AdditiveArithmetic, Sendable {
    /// The element type of arrays of these numbers.
    static var npyElementType: NpyElementType { get }
}

extension Array where Element: NpyElement {
    /// The numbers that little-endian bytes stand for; a rest that is no whole number is left out.
    package init(littleEndian bytes: [UInt8]) {
        let count = bytes.count / Element.npyElementType.size
        // As a whole: number by number it would take a hundred times as long where the type is not known.
        self = Array(unsafeUninitializedCapacity: count) { numbers, initialized in
            bytes.withUnsafeBytes { source in
                UnsafeMutableRawBufferPointer(numbers).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: source.prefix(count * MemoryLayout<Element>.size)))
            }
            initialized = count
        }
    }

    /// The numbers as little-endian bytes.
    package var littleEndianBytes: [UInt8] { withUnsafeBytes { [UInt8]($0) } }
}

extension Float: NpyElement {
    /// `.float32`
    package static var npyElementType: NpyElementType { .float32 }
}

extension Double: NpyElement {
    /// `.float64`
    package static var npyElementType: NpyElementType { .float64 }
}

extension Int32: NpyElement {
    /// `.int32`
    package static var npyElementType: NpyElementType { .int32 }
}

extension Int64: NpyElement {
    /// `.int64`
    package static var npyElementType: NpyElementType { .int64 }
}
