/// Blocks of a job whose results are there and are to come once more, from parties that have not brought them yet. Each
/// waits for a worker, is with one, or is being compared.
struct PendingChecks {
    /// Who has brought results of a block, by block.
    private var parties: [Int: Set<String>] = [:]
    /// Those that wait, by who has brought their results: whoever looks for one passes over all of his own at once.
    private var waiting: [Set<String>: BlockRanges] = [:]
    private var comparing: Set<Int> = []
    /// How many wait for a worker.
    private(set) var waitingCount = 0

    var isEmpty: Bool { parties.isEmpty }
    /// How many are with a worker.
    var heldCount: Int { parties.count - waitingCount - comparing.count }

    func contains(_ block: Int) -> Bool { parties[block] != nil }

    /// Whether a block may come from a party.
    func admits(_ party: String, to block: Int) -> Bool { parties[block].map { !$0.contains(party) } ?? true }

    /// A block is to come from somebody else than these.
    mutating func add(_ block: Int, besides brought: Set<String>) {
        remove(block)
        parties[block] = brought
        putBack(block)
    }

    /// A block waits again.
    mutating func putBack(_ block: Int) {
        guard let brought = parties[block] else { return }
        if waiting[brought, default: BlockRanges()].insert(block) { waitingCount += 1 }
    }

    /// A block's result has come once more.
    mutating func beginComparison(_ block: Int) { comparing.insert(block) }

    /// Nothing more is to be known of a block.
    mutating func remove(_ block: Int) {
        take(block)
        comparing.remove(block)
        parties[block] = nil
    }

    /// A block waits no more.
    mutating func take(_ block: Int) {
        guard let brought = parties[block], waiting[brought]?.remove(block) == true else { return }
        waitingCount -= 1
        if waiting[brought]?.count == 0 { waiting[brought] = nil }
    }

    /// The lowest block that waits and may come from a party.
    func next(for party: String, where isFit: (Int) -> Bool) -> Int? {
        var next: Int?
        for (brought, blocks) in waiting where !brought.contains(party) {
            if let block = blocks.first(where: isFit), block < next ?? .max { next = block }
        }
        return next
    }
}
