/// A picture of 8 bits a channel, as PNG files hold them.
package struct PNGImage: Sendable, Equatable {
    /// The longest side, in pixels: libpng's own limit.
    package static let mostSide = 1_000_000

    /// In pixels, from 1 to ``mostSide``.
    package let width: Int
    /// In pixels, from 1 to ``mostSide``.
    package let height: Int
    /// 1 for grey, 3 for red, green and blue, 4 with opacity besides, from 0, clear, to 255.
    package let channels: Int
    /// Rows from the top, pixels from the left, the channels of a pixel side by side: [height * width * channels].
    package let bytes: [UInt8]

    /// A picture of these bytes, whose sizes are the caller's to keep to.
    package init(width: Int, height: Int, channels: Int, bytes: [UInt8]) {
        precondition(
            1...Self.mostSide ~= width && 1...Self.mostSide ~= height && [1, 3, 4].contains(channels)
                && bytes.count == width * height * channels,
            "\(bytes.count) bytes for \(channels) channels of \(width) x \(height) pixels")
        self.width = width
        self.height = height
        self.channels = channels
        self.bytes = bytes
    }
}

/// Why bytes are no PNG file that is read, or a picture could not be made one.
package struct PNGError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong and what to do, without the file's name.
    package let description: String

    init(_ description: String) { self.description = description }
}
