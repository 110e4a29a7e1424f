/// What peers say in words, as it may be shown: in logs, on terminals and in files.
enum PeerText {
    /// The longest name of a host, in bytes.
    static let longestHost = 255
    /// The longest name of a statistic, in bytes.
    static let longestName = 64
    /// The longest version of a program, in bytes.
    static let longestVersion = 64
    /// The longest reason of a failure, in bytes: pools keep many of them.
    static let longestReason = 2_048

    /// The text without anything that a terminal obeys, cut to `bytes` of UTF-8.
    ///
    /// Ends of lines and tabs become spaces, other control characters and those that change the direction of writing
    /// U+FFFD, so that they are seen.
    ///
    /// - Parameter keepsLines: whether lines may end: in what a coordinator says, not in what is told to it.
    static func shown(_ text: String, atMost bytes: Int, keepsLines: Bool = false) -> String {
        if text.utf8.count <= bytes, text.utf8.allSatisfy({ 0x20..<0x7F ~= $0 }) { return text }
        var shown = String.UnicodeScalarView()
        var size = 0
        for scalar in text.unicodeScalars {
            let scalar = self.shown(scalar, keepsLines: keepsLines)
            size += UTF8.width(scalar)
            guard size <= bytes else { break }
            shown.append(scalar)
        }
        return String(shown)
    }

    private static func shown(_ scalar: Unicode.Scalar, keepsLines: Bool) -> Unicode.Scalar {
        if scalar == "\n" || scalar == "\t" { return keepsLines ? scalar : " " }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: return "\u{FFFD}"
        default: return scalar
        }
    }
}
