/// A stretch of single-precision numbers that begins on a cache line, set to zero when made.
final class Memory {
    let start: UnsafeMutablePointer<Float>
    let count: Int

    init(count: Int) {
        let bytes = UnsafeMutableRawPointer.allocate(
            byteCount: max(count, 1) * MemoryLayout<Float>.stride, alignment: 64)
        start = bytes.bindMemory(to: Float.self, capacity: max(count, 1))
        start.initialize(repeating: 0, count: max(count, 1))
        self.count = count
    }

    deinit { start.deallocate() }
}

/// Memory that is never written again, so that any thread may read it.
struct ConstantMemory: @unchecked Sendable {
    private let memory: Memory

    init(_ memory: Memory) { self.memory = memory }

    /// For reading alone.
    var start: UnsafeMutablePointer<Float> { memory.start }
    var count: Int { memory.count }
}

/// The memory of each rate, and of whole numbers: what a step works on.
struct Regions {
    let constant: UnsafeMutablePointer<Float>
    let level: UnsafeMutablePointer<Float>
    let evaluation: UnsafeMutablePointer<Float>
    let indices: UnsafeMutablePointer<Int32>
    let scratch: UnsafeMutablePointer<Float>

    subscript(place: Place) -> UnsafeMutablePointer<Float> {
        switch place.region {
        case .constant: constant + place.offset
        case .level: level + place.offset
        case .evaluation: evaluation + place.offset
        }
    }
}

/// Where an array begins: the region of its rate, and the offset in numbers.
struct Place: Sendable {
    let region: Rate
    let offset: Int
}
