import CProtobufC
import CWireMessages

/// The C memory that a message points to while it is packed; freed together.
struct EncodingArena: ~Copyable {
    private var blocks: [UnsafeMutableRawPointer] = []

    deinit {
        for block in blocks { block.deallocate() }
    }

    mutating func place<T>(_ value: T) -> UnsafeMutablePointer<T> {
        let pointer = UnsafeMutablePointer<T>.allocate(capacity: 1)
        pointer.initialize(to: value)
        blocks.append(UnsafeMutableRawPointer(pointer))
        return pointer
    }

    mutating func array<T>(_ values: [T]) -> UnsafeMutablePointer<T> {
        let pointer = UnsafeMutablePointer<T>.allocate(capacity: max(1, values.count))
        values.withUnsafeBufferPointer { source in
            if let base = source.baseAddress { pointer.initialize(from: base, count: source.count) }
        }
        blocks.append(UnsafeMutableRawPointer(pointer))
        return pointer
    }

    mutating func bytes(_ values: [UInt8]) -> ProtobufCBinaryData {
        ProtobufCBinaryData(len: values.count, data: array(values))
    }

    mutating func text(_ text: String) -> UnsafeMutablePointer<CChar> {
        // C ends a text at its first zero; one from a host's or job's name must not cut off the rest.
        array(text.utf8.lazy.filter { $0 != 0 }.map { CChar(bitPattern: $0) } + [0])
    }

    /// A message made by its init function and a few assignments.
    mutating func message<T>(
        _ prepare: (UnsafeMutablePointer<T>) -> Void, _ empty: T, _ fill: (inout T, inout EncodingArena) -> Void
    ) -> UnsafeMutablePointer<T> {
        let pointer = place(empty)
        prepare(pointer)
        fill(&pointer.pointee, &self)
        return pointer
    }
}
