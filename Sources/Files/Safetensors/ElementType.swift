/// The element types that the format knows.
package enum ElementType: String, Sendable, CaseIterable {
    case bool = "BOOL"
    case unsigned8 = "U8"
    case signed8 = "I8"
    case signed16 = "I16"
    case unsigned16 = "U16"
    case signed32 = "I32"
    case unsigned32 = "U32"
    case signed64 = "I64"
    case unsigned64 = "U64"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case float32 = "F32"
    case float64 = "F64"
    case complex64 = "C64"
    case float8e5m2 = "F8_E5M2"
    case float8e4m3 = "F8_E4M3"
    case float8e8m0 = "F8_E8M0"
    case float8e5m2fnuz = "F8_E5M2FNUZ"
    case float8e4m3fnuz = "F8_E4M3FNUZ"
    case float6e2m3 = "F6_E2M3"
    case float6e3m2 = "F6_E3M2"
    case float4 = "F4"

    /// Bits that one element takes.
    var bits: Int {
        switch self {
        case .float4: 4
        case .float6e2m3, .float6e3m2: 6
        case .bool, .unsigned8, .signed8, .float8e5m2, .float8e4m3, .float8e8m0, .float8e5m2fnuz, .float8e4m3fnuz: 8
        case .signed16, .unsigned16, .float16, .bfloat16: 16
        case .signed32, .unsigned32, .float32: 32
        case .signed64, .unsigned64, .float64, .complex64: 64
        }
    }
}
