/// Timed events, the earliest first; of equal times in the order of adding. A binary heap.
struct EventQueue<Event> {
    private struct Entry {
        let time: Int
        let number: Int
        let event: Event

        func comes(before other: Entry) -> Bool { (time, number) < (other.time, other.number) }
    }

    private var heap: [Entry] = []
    private var added = 0

    mutating func add(_ event: Event, at time: Int) {
        let entry = Entry(time: time, number: added, event: event)
        added += 1
        heap.append(entry)
        var place = heap.count - 1
        while place > 0, entry.comes(before: heap[(place - 1) / 2]) {
            heap.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    mutating func next() -> (time: Int, event: Event)? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            var place = 0
            while true {
                var child = 2 * place + 1
                guard child < heap.count else { break }
                if child + 1 < heap.count, heap[child + 1].comes(before: heap[child]) { child += 1 }
                guard heap[child].comes(before: heap[place]) else { break }
                heap.swapAt(place, child)
                place = child
            }
        }
        return (first.time, first.event)
    }
}
