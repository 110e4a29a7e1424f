import Testing

/// A file that must be refused, and the whole message with which it is.
struct MalformedFile: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    let message: String

    var testDescription: String { name }

    private init(_ name: String, bytes: [UInt8], _ message: String) {
        (self.name, self.bytes, self.message) = (name, bytes, message)
    }

    private init(_ name: String, header: String, data count: Int = 0, _ message: String) {
        self.init(name, bytes: fileBytes(header, data: count), message)
    }

    /// A header with one tensor `w`, for which the file has 8 bytes.
    private init(_ name: String, tensor: String, _ message: String) {
        self.init(name, header: "{\"w\":\(tensor)}", data: 8, "header: /w" + message)
    }

    private static func entry(_ type: String, _ shape: String, _ offsets: String) -> String {
        "{\"dtype\":\(type),\"shape\":\(shape),\"data_offsets\":\(offsets)}"
    }

    private static func floats(_ ranges: (String, Int, Int)...) -> String {
        "{"
            + ranges.map { "\"\($0)\":" + entry("\"F32\"", "[\(($2 - $1) / 4)]", "[\($1),\($2)]") }
            .joined(separator: ",") + "}"
    }

    private static func length(_ length: UInt64) -> [UInt8] {
        withUnsafeBytes(of: length.littleEndian, Array.init) + Array("{}".utf8)
    }

    private static let types =
        "known: BOOL, U8, I8, I16, U16, I32, U32, I64, U64, F16, BF16, F32, F64, C64, F8_E5M2, F8_E4M3, F8_E8M0, "
        + "F8_E5M2FNUZ, F8_E4M3FNUZ, F6_E2M3, F6_E3M2, F4"
    private static let whole = "must be a whole number from 0 to 9223372036854775807, is "
    private static let good = entry("\"F32\"", "[2]", "[0,8]")

    private static let conversion =
        "convert it in Python: tensors = torch.load(file, weights_only=True); "
        + "safetensors.torch.save_file(tensors, new_file, metadata={\"rrr.model\": …}); or without metadata, and then "
        + "rrr-model import new_file"

    static let all = lengths + texts + entries + places + metadata

    private static let lengths: [MalformedFile] = [
        .init("an empty file", bytes: [], "has 0 bytes, fewer than the 8 that tell the header's length"),
        .init(
            "half a length", bytes: [2, 0, 0, 0, 0, 0, 0], "has 7 bytes, fewer than the 8 that tell the header's length"
        ),
        .init(
            "a header longer than the file", bytes: length(3),
            "the header would take 3 bytes, but only 2 follow; the file is cut short"),
        .init(
            "the longest header, without it", bytes: length(16_777_216),
            "the header would take 16777216 bytes, but only 2 follow; the file is cut short"),
        .init(
            "a header beyond the longest", bytes: length(16_777_217),
            "the header would take 16777217 bytes, more than 16777216; not a safetensors file?"),
        .init(
            "a length that is negative when signed", bytes: length(1 << 63),
            "the header would take 9223372036854775808 bytes, more than 16777216; not a safetensors file?"),
        .init(
            "a length that overflows when 8 is added", bytes: length(.max - 3),
            "the header would take 18446744073709551612 bytes, more than 16777216; not a safetensors file?"),
        .init(
            "a file of PyTorch", bytes: Array("PK\u{3}\u{4}\u{0}\u{0}\u{8}\u{8}archive/data.pkl".utf8),
            "this is a zip archive, as torch.save writes (or numpy.savez); " + conversion),
        .init(
            "a short file of PyTorch", bytes: Array("PK\u{3}\u{4}\u{0}\u{0}\u{0}\u{0}archive/data.pkl".utf8),
            "this is a zip archive, as torch.save writes (or numpy.savez); " + conversion),
        .init(
            "a pickle", bytes: [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46],
            "this is a Python pickle, as old versions of torch.save wrote; " + conversion),
        .init(
            "a header whose length begins like a pickle", bytes: length(0x0280),
            "the header would take 640 bytes, but only 2 follow; the file is cut short"),
        .init(
            "an array of numpy", bytes: [0x93] + Array("NUMPY\u{1}\u{0}v\u{0}".utf8),
            "this is a npy array; a model has its tensors in one file"),
        .init(
            "the index of shards", bytes: Array("{\"metadata\": {\"total_size\": 10}, \"weight_map\": {}}".utf8),
            "this is the index of a model that is split into several files; rrr-model import makes one model file of "
                + "those of public layouts; load others with safetensors.torch.load_file into one dictionary and save that "
                + "with save_file"),
        .init(
            "a job", bytes: Array("{\"rrr\": 1, \"name\": \"a\"}".utf8),
            "this is a JSON text, not a model; a job goes to rrr-coordinator, a spec to rrr-model train"),
        .init(
            "a pointer of Git LFS", bytes: Array("version https://git-lfs.github.com/spec/v1\n".utf8),
            "this is a pointer of Git LFS; fetch the file with git lfs pull"),
        .init(
            "a web page", bytes: Array("<!DOCTYPE html>".utf8),
            "this is a text such as a web page gives; download the file itself"),
        .init(
            "GGUF", bytes: Array("GGUF\u{3}\u{0}\u{0}\u{0}".utf8),
            "this is a GGUF file, of quantised weights; save the model that it was made of"),
        .init(
            "a header of no bytes", header: "",
            "the header does not begin with \"{\"; this is not a safetensors file"),
    ]

    private static let texts: [MalformedFile] = [
        .init(
            "an array", header: "[]", "the header does not begin with \"{\"; this is not a safetensors file"),
        .init(
            "space before the header", header: " {}",
            "the header does not begin with \"{\"; this is not a safetensors file"),
        .init(
            "a byte order mark", header: "\u{FEFF}{}",
            "the header does not begin with \"{\"; this is not a safetensors file"),
        .init(
            "padding with zeros", header: "{}\0\0\0\0\0\0",
            "the header does not end with \"}\" and then nothing but spaces"),
        .init(
            "padding with a newline", header: "{}\n", "the header does not end with \"}\" and then nothing but spaces"),
        .init("padding with a tab", header: "{} \t ", "the header does not end with \"}\" and then nothing but spaces"),
        .init(
            "half a header", header: "{\"w\":{\"dt", "the header does not end with \"}\" and then nothing but spaces"),
        .init("one brace", header: "{", "the header does not end with \"}\" and then nothing but spaces"),
        .init(
            "two headers", header: "{}{}",
            "the header is not JSON: line 1, column 3: there is more text after the end of the value"),
        .init(
            "bytes that are not UTF-8", bytes: fileBytes([0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D]),
            "the header is not JSON: line 1, column 3: the text is not valid UTF-8 from here on; save it as UTF-8"),
        .init(
            "UTF-8 longer than need be", bytes: fileBytes([0x7B, 0x22, 0xC0, 0xAF, 0x22, 0x3A, 0x31, 0x7D]),
            "the header is not JSON: line 1, column 3: the text is not valid UTF-8 from here on; save it as UTF-8"),
        .init(
            "half a surrogate pair", header: "{\"\\ud800\":\(good)}", data: 8,
            "the header is not JSON: line 1, column 9: half of a surrogate pair stands alone"),
        .init(
            "a control character in a name", header: "{\"\u{1B}[2J\":\(good)}", data: 8,
            "the header is not JSON: line 1, column 4: a control character inside a string must be written as \\u00XX"),
        .init(
            "a comma too many", header: "{\"w\":\(good),}", data: 8,
            "the header is not JSON: line 1, column 55: expected a name in double quotes; "
                + "if a comma stands before this, leave the comma out"),
        .init(
            "a Python dictionary", header: "{'w': 1}",
            "the header is not JSON: line 1, column 2: expected a name in double quotes; "
                + "names and strings stand in double quotes, not in single ones"),
        .init(
            "a hundred arrays in each other",
            header: "{\"w\":" + String(repeating: "[", count: 100) + String(repeating: "]", count: 100) + "}",
            "the header is not JSON: line 1, column 69: values are nested more than 64 deep"),
        .init(
            "a tensor twice", header: "{\"w\":\(good),\"w\":\(good)}", data: 8,
            "the header is not JSON: line 1, column 58: the name \"w\" occurs twice in one object"),
        .init(
            "a tensor twice, once with an escape", header: "{\"w\":\(good),\"\\u0077\":\(good)}", data: 8,
            "the header is not JSON: line 1, column 63: the name \"w\" occurs twice in one object"),
        .init(
            "metadata twice", header: "{\"__metadata__\":{},\"__metadata__\":{}}",
            "the header is not JSON: line 1, column 34: the name \"__metadata__\" occurs twice in one object"),
        .init(
            "an element type twice", header: "{\"w\":{\"dtype\":\"F32\",\"dtype\":\"F64\"}}",
            "the header is not JSON: line 1, column 28: the name \"dtype\" occurs twice in one object"),
        .init(
            "a name of control characters twice", header: "{\"\\u001b[2J\":1,\"\\u001b[2J\":1}",
            "the header is not JSON: line 1, column 27: the name \"\u{FFFD}[2J\" occurs twice in one object"),
    ]

    private static let entries: [MalformedFile] = [
        .init("null for a tensor", tensor: "null", ": must be a tensor, is null"),
        .init("a number for a tensor", tensor: "7", ": must be a tensor, is 7"),
        .init("an array for a tensor", tensor: "[0,8]", ": must be a tensor, is an array"),
        .init(
            "a field that nobody knows", tensor: "{\"dtype\":\"F32\",\"strides\":[1]}",
            #"/strides: no such key here; known: "dtype", "shape", "data_offsets""#),
        .init(
            "a misspelt field", tensor: "{\"dtpye\":\"F32\"}",
            #"/dtpye: no such key here; did you mean "dtype"? Known: "dtype", "shape", "data_offsets""#),
        .init(
            "no element type", tensor: "{\"shape\":[2],\"data_offsets\":[0,8]}",
            #": "dtype" is missing; give the element type, such as "F32""#),
        .init(
            "no shape", tensor: "{\"dtype\":\"F32\",\"data_offsets\":[0,8]}",
            #": "shape" is missing; give the lengths of the axes"#),
        .init(
            "no offsets", tensor: "{\"dtype\":\"F32\",\"shape\":[2]}",
            #": "data_offsets" is missing; give where the data begin and end"#),
        .init(
            "a number for the element type", tensor: entry("32", "[2]", "[0,8]"),
            #"/dtype: must be an element type such as "F32", is 32"#),
        .init(
            "an element type of numpy", tensor: entry("\"<f4\"", "[2]", "[0,8]"),
            #"/dtype: no element type "<f4"; "# + types),
        .init(
            "an element type in small letters", tensor: entry("\"bool\"", "[8]", "[0,8]"),
            #"/dtype: no element type "bool"; "# + types),
        .init(
            "a number for the shape", tensor: entry("\"F32\"", "2", "[0,8]"),
            "/shape: must be an array of whole numbers"),
        .init("a negative length", tensor: entry("\"F32\"", "[-2]", "[0,8]"), "/shape: \(whole)-2"),
        .init("a length with a point", tensor: entry("\"F32\"", "[2.0]", "[0,8]"), "/shape: \(whole)2.0"),
        .init("a length with an exponent", tensor: entry("\"F32\"", "[2e0]", "[0,8]"), "/shape: \(whole)2e0"),
        .init("a length in quotes", tensor: entry("\"F32\"", "[\"2\"]", "[0,8]"), "/shape: \(whole)\"2\""),
        .init("a shape in a shape", tensor: entry("\"F32\"", "[[2]]", "[0,8]"), "/shape: \(whole)an array"),
        .init("true for a length", tensor: entry("\"F32\"", "[true]", "[0,8]"), "/shape: \(whole)true"),
        .init(
            "a length of 2^64", tensor: entry("\"F32\"", "[18446744073709551616]", "[0,8]"),
            "/shape: \(whole)18446744073709551616"),
        .init(
            "lengths whose product overflows", tensor: entry("\"U8\"", "[4294967296,4294967296]", "[0,8]"),
            "/shape: holds more elements than can be counted"),
        .init(
            "lengths whose product overflows to the right size",
            tensor: entry("\"U8\"", "[2305843009213693953,8]", "[0,8]"),
            "/shape: holds more elements than can be counted"),
        .init(
            "a length whose bytes overflow", tensor: entry("\"F64\"", "[1152921504606846976]", "[0,8]"),
            "/shape: holds more elements than can be counted"),
        .init(
            "a huge length before a zero", tensor: entry("\"F32\"", "[9223372036854775807,0]", "[0,0]"),
            "/shape: holds more elements than can be counted"),
        .init(
            "sixty-five axes",
            tensor: entry("\"F64\"", "[1" + String(repeating: ",1", count: 64) + "]", "[0,8]"),
            "/shape: has 65 axes; at most 64 are read"),
        .init(
            "three half bytes", tensor: entry("\"F4\"", "[3]", "[0,1]"),
            "/shape: [3] of F4 takes 12 bits, which are no whole bytes"),
        .init(
            "two elements of six bits", tensor: entry("\"F6_E2M3\"", "[2]", "[0,2]"),
            "/shape: [2] of F6_E2M3 takes 12 bits, which are no whole bytes"),
        .init(
            "one offset", tensor: entry("\"F32\"", "[2]", "[8]"),
            "/data_offsets: must be the first byte and the one after the last"),
        .init(
            "three offsets", tensor: entry("\"F32\"", "[2]", "[0,8,8]"),
            "/data_offsets: must be the first byte and the one after the last"),
        .init(
            "offsets in reverse", tensor: entry("\"F32\"", "[2]", "[8,0]"),
            "/data_offsets: must be the first byte and the one after the last"),
        .init(
            "an object for offsets", tensor: entry("\"F32\"", "[2]", "{}"),
            "/data_offsets: must be an array of whole numbers"),
        .init("a negative offset", tensor: entry("\"F32\"", "[2]", "[-8,0]"), "/data_offsets: \(whole)-8"),
        .init(
            "an offset beyond 63 bits", tensor: entry("\"F32\"", "[2]", "[0,9223372036854775808]"),
            "/data_offsets: \(whole)9223372036854775808"),
        .init(
            "fewer bytes than the shape", tensor: entry("\"F32\"", "[3]", "[0,8]"),
            "/data_offsets: 8 bytes, but shape [3] of F32 takes 12"),
        .init(
            "more bytes than the shape", tensor: entry("\"F16\"", "[3]", "[0,8]"),
            "/data_offsets: 8 bytes, but shape [3] of F16 takes 6"),
        .init(
            "bytes for no elements", tensor: entry("\"F32\"", "[2,0]", "[0,8]"),
            "/data_offsets: 8 bytes, but shape [2, 0] of F32 takes 0"),
        .init(
            "no bytes for a single number", tensor: entry("\"F32\"", "[]", "[0,0]"),
            "/data_offsets: 0 bytes, but shape [] of F32 takes 4"),
    ]

    private static let places: [MalformedFile] = [
        .init(
            "data cut by one byte", header: floats(("w", 0, 8)), data: 7,
            "the tensors take 8 bytes, but 7 follow the header; the file is cut short"),
        .init(
            "data without end", header: floats(("w", 0, 9_223_372_036_854_775_804)), data: 8,
            "header: /w/shape: holds more elements than can be counted"),
        .init(
            "data for a terabyte", header: floats(("w", 0, 1 << 40)), data: 8,
            "the tensors take 1099511627776 bytes, but 8 follow the header; the file is cut short"),
        .init(
            "another file after the data", header: floats(("w", 0, 8)), data: 9,
            "the tensors take 8 bytes, but 9 follow the header; the file is longer than it says"),
        .init(
            "data without a tensor", header: "{}", data: 8,
            "the tensors take 0 bytes, but 8 follow the header; the file is longer than it says"),
        .init(
            "a hole before the first tensor", header: floats(("w", 4, 8)), data: 8,
            "tensor \"w\": begins at byte 4 of the data, after a hole from 0 on; tensors must follow each other"),
        .init(
            "a hole between tensors", header: floats(("b", 12, 16), ("a", 0, 8)), data: 16,
            "tensor \"b\": begins at byte 12 of the data, after a hole from 8 on; tensors must follow each other"),
        .init(
            "a hole in which another file hides", header: floats(("a", 0, 8), ("b", 1008, 1012)), data: 1012,
            "tensor \"b\": begins at byte 1008 of the data, after a hole from 8 on; tensors must follow each other"),
        .init(
            "tensors that overlap", header: floats(("a", 0, 8), ("b", 4, 12)), data: 12,
            "tensor \"b\": begins at byte 4 of the data, within another that ends at 8; tensors must not overlap"),
        .init(
            "a tensor inside another", header: floats(("a", 0, 16), ("b", 4, 8)), data: 16,
            "tensor \"b\": begins at byte 4 of the data, within another that ends at 16; tensors must not overlap"),
        .init(
            "an empty tensor inside another", header: floats(("a", 0, 16), ("b", 8, 8)), data: 16,
            "tensor \"b\": begins at byte 8 of the data, within another that ends at 16; tensors must not overlap"),
        .init(
            "a thousand tensors of the same bytes",
            header: "{"
                + (0..<1000).map { "\"t\($0 + 1000)\":" + entry("\"F32\"", "[1024]", "[0,4096]") }
                .joined(separator: ",") + "}",
            data: 4096,
            "tensor \"t1001\": begins at byte 0 of the data, within another that ends at 4096; "
                + "tensors must not overlap"),
        .init(
            "a name that would command the terminal", header: floats(("\\u001b]0;\\u0007", 4, 8)), data: 8,
            "tensor \"\u{FFFD}]0;\u{FFFD}\": begins at byte 4 of the data, after a hole from 0 on; "
                + "tensors must follow each other"),
    ]

    private static let metadata: [MalformedFile] = [
        .init(
            "an array for metadata", header: "{\"__metadata__\":[]}",
            "header: /__metadata__: must be an object of strings, is an array"),
        .init(
            "null for metadata", header: "{\"__metadata__\":null}",
            "header: /__metadata__: must be an object of strings, is null"),
        .init(
            "a number in metadata", header: "{\"__metadata__\":{\"epoch\":3}}",
            "header: /__metadata__/epoch: must be a string, is 3"),
        .init(
            "an object in metadata", header: "{\"__metadata__\":{\"rrr.model\":{\"format\":1}}}",
            "header: /__metadata__/rrr.model: must be a string, is an object"),
        .init(
            "a key twice in metadata", header: "{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}",
            "the header is not JSON: line 1, column 29: the name \"a\" occurs twice in one object"),
        .init(
            "a tensor that is called metadata", header: "{\"__metadata__\":\(good)}", data: 8,
            "header: /__metadata__/shape: must be a string, is an array"),
    ]
}
