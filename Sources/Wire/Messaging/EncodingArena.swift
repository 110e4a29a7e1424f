import CProtobufC
import CWireMessages

/// The C memory that a message points to while it is packed; freed together.
struct EncodingArena: ~Copyable {
    private var blocks: [UnsafeMutableRawPointer] = []

    deinit {
        for block in blocks { block.deallocate() }
    }

    /// So many of the same.
    mutating func array<T>(of value: T, count: Int) -> UnsafeMutablePointer<T> {
        let pointer = allocate(T.self, count)
        pointer.initialize(repeating: value, count: count)
        return pointer
    }

    mutating func bytes(_ values: [UInt8]) -> ProtobufCBinaryData {
        ProtobufCBinaryData(len: values.count, data: copy(values))
    }

    mutating func text(_ text: String) -> UnsafeMutablePointer<CChar> {
        // C ends a text at its first zero; one from a host's or job's name must not cut off the rest.
        copy(text.utf8.lazy.filter { $0 != 0 }.map { CChar(bitPattern: $0) } + [0])
    }

    /// The fields of a message, made by their init function.
    mutating func fields<T>(_ prepare: (UnsafeMutablePointer<T>?) -> Void) -> UnsafeMutablePointer<T> {
        let pointer = allocate(T.self, 1)
        prepare(pointer)
        return pointer
    }

    private mutating func copy<T>(_ values: [T]) -> UnsafeMutablePointer<T> {
        let pointer = allocate(T.self, values.count)
        values.withUnsafeBufferPointer { source in
            if let base = source.baseAddress { pointer.initialize(from: base, count: source.count) }
        }
        return pointer
    }

    private mutating func allocate<T>(_ type: T.Type, _ count: Int) -> UnsafeMutablePointer<T> {
        let pointer = UnsafeMutablePointer<T>.allocate(capacity: max(1, count))
        blocks.append(UnsafeMutableRawPointer(pointer))
        return pointer
    }
}
