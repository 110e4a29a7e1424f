extension Schedule {
    /// Moves members of loops to the loop that reads them, where that saves an array and takes none.
    ///
    /// A loop over the same space may have taken in a node long before anything reads it. If what the node is computed
    /// from stays in memory anyhow, its array would be kept for nothing: read by one loop alone, it needs none there.
    /// What it is computed from may then have to stay a little longer, instead of it and no larger. The softmax of
    /// attention is where that counts.
    ///
    /// - Parameters:
    ///   - needed: ascending nodes of any rate.
    ///   - sums: additions that are steps of their own.
    ///   - normed: norms that are part of other steps.
    ///   - outputs: nodes whose arrays are read when the plan has run.
    mutating func deferMembers(needed: [Int], sums: StoredSums, normed: NormedSources, outputs: Set<Int>) {
        var home = steps.homes(sums, normed)
        var readers: [Int: [Int]] = [:]
        for index in needed {
            for operand in graph.nodes[index].operands { readers[operand, default: []].append(index) }
        }
        /// The steps that read a node's array, those that read it in another shape among them; nil for one outside.
        func readings(of index: Int) -> [Int?] {
            readers[index, default: []].flatMap { reader -> [Int?] in
                graph.nodes[reader].operation == .reshape ? readings(of: reader) : [home[reader]]
            }
        }
        for index in needed.reversed() {
            let node = graph.nodes[index]
            guard let step = home[index], case .loop(let space, _) = steps[step], !node.isReduction,
                !outputs.contains(index), let readers = readers[index],
                let target = readers.first.flatMap({ home[$0] }), target > step,
                readers.allSatisfy({ home[$0] == target && graph.nodes[$0].operation != .reshape }),
                case .loop(space, let members) = steps[target]
            else { continue }
            var longer = 0
            var saves = true
            for source in Set(node.operands.map(graph.source)) {
                guard graph.nodes[source].rate == node.rate, home[source] != nil, !outputs.contains(source) else {
                    continue
                }
                let last = readings(of: source).map { $0 ?? .max }.max() ?? 0
                guard last < target else { continue }
                let count = graph.nodes[source].shape.elementCount
                longer += count
                // Whatever is not read again from here on would take the node's own place; a few numbers don't count.
                saves = saves && (last > step || count * 16 <= node.shape.elementCount)
            }
            guard saves, longer <= node.shape.elementCount * 9 / 8, take(index, into: target) else { continue }
            if case .loop(let space, let old) = steps[step] {
                steps[step] = .loop(space: space, members: old.filter { $0 != index })
            }
            steps[target] = .loop(space: space, members: [index] + members)
            home[index] = target
        }
        steps.removeAll { $0.members.isEmpty }
    }
}
