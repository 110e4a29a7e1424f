import CPNG

/// The one place of this module that hands memory to libpng, by its "simplified" interface: whatever goes wrong comes back as a
/// result, never by a jump over our frames.
extension PNGImage {
    /// The most bytes that a file's picture may have once it is decoded.
    static let mostBytes = 1 << 28

    /// The bytes of a PNG file of this picture.
    ///
    /// Equal pictures give equal bytes with the same libpng and zlib: no row is filtered, the compression has level 3, and
    /// nothing tells of the time.
    /// Throws when there is no memory for it.
    package func encoded() throws(PNGError) -> [UInt8] {
        var image = Self.blank
        (image.width, image.height) = (png_uint_32(width), png_uint_32(height))
        image.format = Self.format(channels)
        // The flag, of which libpng only tells that it is for speed, sets both filter and level.
        image.flags = png_uint_32(PNG_IMAGE_FLAG_FAST)
        // Beyond what deflate can add: a byte in eight, and the head of a chunk for each of its buffers.
        let raw = (width * channels + 1) * height
        let most = raw + raw / 4 + 4096
        var size = png_alloc_size_t(most)
        let file = [UInt8](unsafeUninitializedCapacity: most) { buffer, count in
            let isWritten = png_image_write_to_memory(&image, buffer.baseAddress, &size, 0, bytes, 0, nil)
            count = isWritten == 0 ? 0 : Int(size)
        }
        guard !file.isEmpty else { throw PNGError("the picture can't be written: \(Self.message(of: image))") }
        return file
    }

    /// Reads the bytes of a PNG file. Palettes and fewer bits are widened, and grey with opacity becomes colour with opacity.
    /// Values that a file says are not those of sRGB are converted.
    ///
    /// Throws for bytes that are not a whole PNG file, for more than 8 bits a channel, and for more than 2^28 bytes of a picture.
    package init(decoding file: [UInt8]) throws(PNGError) {
        try Self.expectWhole(file)
        let (image, bytes) = try Self.decode(file)
        self.init(
            width: Int(image.width), height: Int(image.height), channels: Self.channels(image.format), bytes: bytes)
    }

    private static func decode(_ file: [UInt8]) throws(PNGError) -> (png_image, [UInt8]) {
        var image = blank
        var bytes: [UInt8] = []
        let problem = withUnsafeMutablePointer(to: &image) { image -> String? in
            // libpng keeps the addresses of both from here to the end.
            file.withUnsafeBytes { file -> String? in
                defer { png_image_free(image) }
                guard png_image_begin_read_from_memory(image, file.baseAddress, file.count) != 0 else {
                    return "is damaged: \(message(of: image.pointee))"
                }
                let found = image.pointee
                guard !has(found, PNG_FORMAT_FLAG_LINEAR) else {
                    return "has 16 bits a channel; save it with 8"
                }
                // Of clear pixels libpng gives no grey without a background to lay them on.
                let isClear = has(found, PNG_FORMAT_FLAG_ALPHA)
                let isColoured = has(found, PNG_FORMAT_FLAG_COLOR) || isClear
                image.pointee.format = format(isClear ? 4 : isColoured ? 3 : 1)
                // Sides are below 2^20, so the product can't overflow.
                let size = Int(found.width) * Int(found.height) * channels(image.pointee.format)
                guard size <= mostBytes else {
                    return "has \(found.width) x \(found.height) pixels, more than are read; make it smaller"
                }
                bytes = [UInt8](repeating: 0, count: size)
                guard png_image_finish_read(image, nil, &bytes, 0, nil) != 0 else {
                    return "is damaged: \(message(of: image.pointee))"
                }
                return nil
            }
        }
        if let problem { throw PNGError(problem) }
        return (image, bytes)
    }

    /// libpng stops at the last row: that the file goes on to its end is seen here.
    private static func expectWhole(_ file: [UInt8]) throws(PNGError) {
        let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        guard file.starts(with: signature) else {
            throw PNGError(
                file.starts(with: [0xFF, 0xD8, 0xFF])
                    ? "is a JPEG file under the name of a PNG; convert it" : "is no PNG file; convert it")
        }
        var position = signature.count
        while position + 12 <= file.count {
            let length = file[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
            guard length <= file.count - position - 12 else { break }
            if file[position + 4..<position + 8].elementsEqual("IEND".utf8) { return }
            position += 12 + length
        }
        throw PNGError("is cut off at \(file.count) bytes; copy or make it anew")
    }

    private static var blank: png_image {
        var image = png_image()
        image.version = png_uint_32(PNG_IMAGE_VERSION)
        return image
    }

    private static func has(_ image: png_image, _ flag: UInt32) -> Bool { image.format & flag != 0 }

    private static func format(_ channels: Int) -> png_uint_32 {
        switch channels {
        case 1: 0
        case 3: PNG_FORMAT_FLAG_COLOR
        default: PNG_FORMAT_FLAG_COLOR | PNG_FORMAT_FLAG_ALPHA
        }
    }

    private static func channels(_ format: png_uint_32) -> Int {
        format & PNG_FORMAT_FLAG_COLOR == 0 ? 1 : format & PNG_FORMAT_FLAG_ALPHA == 0 ? 3 : 4
    }

    private static func message(of image: png_image) -> String {
        withUnsafeBytes(of: image.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
