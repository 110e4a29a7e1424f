/// What the pilot blocks of a job say together.
package enum StepSizeTable {
    /// The median at each level of the step sizes that blocks found, of an even number the smaller of the two in the
    /// middle. Unlike a mean it lies where acceptance is what was asked for also where there are two such places, and
    /// some blocks found one and some the other.
    ///
    /// - Parameter found: [blocks][levels], at least one block; NaN at levels without transitions.
    /// - Returns: [levels], NaN at levels without transitions.
    package static func reduced(_ found: [[Double]]) -> [Double] {
        (found.first ?? []).indices.map { level in
            let steps = found.map { $0[level] }.sorted()
            guard !steps.contains(where: \.isNaN) else { return .nan }
            return steps[(steps.count - 1) / 2]
        }
    }
}
