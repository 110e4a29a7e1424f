import ArgumentParser

/// A time as people write it: `30d`, `12h`, `90m` or `45s`.
struct Age: ExpressibleByArgument {
    let duration: Duration

    init?(argument: String) {
        let units: [Character: Int] = ["d": 86_400, "h": 3_600, "m": 60, "s": 1]
        // A century does for everybody.
        guard let unit = argument.last.flatMap({ units[$0] }), let number = Int(argument.dropLast()),
            1...36_500 * 86_400 / unit ~= number
        else { return nil }
        duration = .seconds(number * unit)
    }
}
