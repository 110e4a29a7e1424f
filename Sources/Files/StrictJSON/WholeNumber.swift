/// Reads numbers of JSON that are whole, whatever notation they come in: R writes `1e+05`, NumPy `200.0`.
enum WholeNumber {
    /// The number's digits without point and exponent, `-` before them if it is below zero.
    ///
    /// All in decimal: a double would round whatever has more than 53 bits.
    /// - Parameter text: a number as JSON has it.
    /// - Returns: nil for a number that is not whole, or of more than 20 digits.
    private static func digits(_ text: String) -> String? {
        let parts = text.split(separator: "e", maxSplits: 1).flatMap { $0.split(separator: "E", maxSplits: 1) }
        let mantissa = parts[0].split(separator: ".", maxSplits: 1)
        let isNegative = mantissa[0].hasPrefix("-")
        let fraction = mantissa.count > 1 ? mantissa[1] : ""
        var digits = (mantissa[0].drop { $0 == "-" } + fraction)[...].drop { $0 == "0" }
        guard !digits.isEmpty else { return "0" }
        // An exponent of more digits than a number has makes it either too large or no whole number.
        guard let exponent = parts.count > 1 ? Int32(parts[1]) : 0 else { return nil }
        var zeros = Int(exponent) - fraction.count
        while zeros < 0, digits.last == "0" {
            digits.removeLast()
            zeros += 1
        }
        guard zeros >= 0, digits.count + zeros <= 20 else { return nil }
        return (isNegative ? "-" : "") + digits + String(repeating: "0", count: zeros)
    }

    /// The number; nil if it is not whole or `Int` can't hold it.
    static func integer(_ text: String) -> Int? { Int(text) ?? digits(text).flatMap { Int($0) } }
}
