/// Rows of a run's statistics, by name: what a block leaves beside its samples.
package struct StatisticRows: Sendable, Equatable {
    /// The rows of one statistic.
    package struct Entry: Sendable, Equatable {
        /// ``RunStatistic/name``.
        package var name: String
        /// The rows, one after the other, little-endian.
        package var bytes: [UInt8]

        /// Rows of that name.
        package init(name: String, bytes: [UInt8]) {
            self.name = name
            self.bytes = bytes
        }
    }

    /// In the order of the run's statistics.
    package private(set) var entries: [Entry]

    /// Rows of different names.
    package init(_ entries: [Entry] = []) {
        self.entries = entries
    }

    /// What the statistics are called.
    package var names: [String] { entries.map(\.name) }

    /// The bytes of all rows together.
    package var byteCount: Int { entries.reduce(0) { $0 + $1.bytes.count } }

    /// The rows of a statistic, little-endian; nil if there are none of that name. One that is set to nil goes, and one
    /// that is new comes last.
    package subscript(name: String) -> [UInt8]? {
        get { entries.first { $0.name == name }?.bytes }
        set {
            let place = entries.firstIndex { $0.name == name }
            switch (place, newValue) {
            case (let place?, let bytes?): entries[place].bytes = bytes
            case (let place?, nil): entries.remove(at: place)
            case (nil, let bytes?): entries.append(Entry(name: name, bytes: bytes))
            case (nil, nil): break
            }
        }
    }

    /// The numbers of a statistic, row by row; none if there is none of that name.
    package func values<Element: NpyElement>(of name: String, as type: Element.Type = Element.self) -> [Element] {
        self[name].map { [Element](littleEndian: $0) } ?? []
    }

    /// Adds the rows of further chains to those of the same names.
    mutating func append(_ next: StatisticRows) {
        for entry in next.entries {
            let place = entries.firstIndex { $0.name == entry.name }
            if let place { entries[place].bytes += entry.bytes } else { entries.append(entry) }
        }
    }
}

extension StatisticRows: ExpressibleByDictionaryLiteral {
    /// Rows of these names, each once, in this order.
    package init(dictionaryLiteral rows: (String, [UInt8])...) {
        self.init(rows.map { Entry(name: $0, bytes: $1) })
    }
}
