import Glibc

/// The system has no room for what a plan works on.
package struct OutOfMemory: Error, Equatable, Sendable, CustomStringConvertible {
    /// How much was asked for, in bytes.
    package let bytes: Int

    package var description: String { "out of memory: there are no \(bytes) bytes at a piece" }
}

/// A stretch of single-precision numbers that begins on a cache line, set to zero when made.
final class Memory {
    let start: UnsafeMutablePointer<Float>
    let count: Int

    init(count: Int) throws(OutOfMemory) {
        let bytes = max(count, 1) * MemoryLayout<Float>.stride
        var memory: UnsafeMutableRawPointer?
        guard posix_memalign(&memory, 64, bytes) == 0, let memory else { throw OutOfMemory(bytes: bytes) }
        start = memory.bindMemory(to: Float.self, capacity: max(count, 1))
        start.initialize(repeating: 0, count: max(count, 1))
        self.count = count
    }

    /// For what belongs to a graph, made beside arrays of the same length: where there is no room for these the process
    /// ends in any case.
    static func ofGraph(count: Int) -> Memory {
        do { return try Memory(count: count) } catch { fatalError("\(error)") }
    }

    deinit { free(start) }
}

/// Memory that is never written again, so that any thread may read it.
struct ConstantMemory: @unchecked Sendable {
    private let memory: Memory

    init(_ memory: Memory) { self.memory = memory }

    /// For reading alone.
    var start: UnsafeMutablePointer<Float> { memory.start }
    var count: Int { memory.count }
}

/// What a step works on: regions of memory, of whole numbers and for what it keeps to itself.
struct Regions {
    /// Where each region begins, as ``MemoryAddress`` counts them.
    let starts: UnsafeMutablePointer<UnsafeMutablePointer<Float>?>
    let indices: UnsafeMutablePointer<Int32>
    let scratch: UnsafeMutablePointer<Float>

    /// The table of where regions begin, for whoever deallocates it; nil for memory that no step touches.
    static func starts(
        constant: Memory? = nil, level: Memory? = nil, evaluation: Memory? = nil, folded: [ConstantMemory]
    ) -> UnsafeMutablePointer<UnsafeMutablePointer<Float>?> {
        let all = [constant?.start, level?.start, evaluation?.start] + folded.map(\.start)
        let starts = UnsafeMutablePointer<UnsafeMutablePointer<Float>?>.allocate(capacity: all.count)
        for (region, start) in all.enumerated() { (starts + region).initialize(to: start) }
        return starts
    }

    subscript(place: MemoryAddress) -> UnsafeMutablePointer<Float> {
        guard let start = starts[place.region] else { preconditionFailure("a region without memory") }
        return start + place.offset
    }
}

/// Where an array begins: a region of memory, and the offset in numbers.
///
/// Each rate has a region, numbered as the rates are; behind them each array that a plan reads of fixed tensors is a
/// region of its own.
struct MemoryAddress: Sendable {
    let region: Int
    let offset: Int

    init(region: Int, offset: Int) { (self.region, self.offset) = (region, offset) }
    init(_ rate: Rate, offset: Int) { self.init(region: rate.rawValue, offset: offset) }

    /// The whole of a fixed array, by its number among those of a plan.
    init(foldedArray number: Int) { self.init(region: Rate.allCases.count + number, offset: 0) }
}
