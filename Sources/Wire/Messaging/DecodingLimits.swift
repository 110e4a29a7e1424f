import CProtobufC
import CWireMessages
import Glibc

/// How much of a peer's message is believed before it is refused.
///
/// The defaults leave room for every honest message; what a peer claims beyond them costs it the
/// message and nobody else any memory.
package struct DecodingLimits: Sendable, Equatable {
    /// The longest encoded message, in bytes. Sockets let in nothing longer either.
    package var messageBytes = 64 << 20
    /// The longest text, in bytes of UTF-8.
    package var textBytes = 1 << 20
    /// The most parts of one list: blocks of a lease, jobs or workers of a status.
    package var entries = 1 << 20
    /// The longest text of a job that is handed in, in bytes.
    package var jobTextBytes = 16 << 20
    /// The most blocks that a worker says it holds.
    package var heldBlocks = 1 << 17
    /// The most memory that unpacking one message may take, in bytes. An empty part takes two bytes
    /// on the wire and a hundred unpacked, so the message's length alone bounds too little.
    package var unpackedBytes = 256 << 20

    /// The defaults.
    package init() {}
}

/// An allocator for protobuf-c that has only so much to give; unpacking fails cleanly at its end.
struct UnpackingBudget: ~Copyable {
    /// What the allocator's functions see through their `void *`.
    private let left: UnsafeMutablePointer<Int>
    private let allocator: UnsafeMutablePointer<ProtobufCAllocator>

    init(bytes: Int) {
        left = .allocate(capacity: 1)
        left.initialize(to: bytes)
        allocator = .allocate(capacity: 1)
        allocator.initialize(
            to: ProtobufCAllocator(
                alloc: { budget, size in
                    // The C heap's smallest piece is larger than an empty text.
                    let cost = max(32, size)
                    guard let left = budget?.assumingMemoryBound(to: Int.self), cost <= left.pointee else { return nil }
                    left.pointee -= cost
                    return malloc(size)
                },
                free: { _, memory in free(memory) },
                allocator_data: left))
    }

    deinit {
        allocator.deallocate()
        left.deallocate()
    }

    /// Unpacks with this allocator, hands the message to `read` and frees it with the same.
    ///
    /// - Returns: nil if the bytes cannot be unpacked within the budget.
    func unpacking<Unpacked, Value>(
        _ bytes: UnsafeBufferPointer<UInt8>,
        with unpack: (UnsafeMutablePointer<ProtobufCAllocator>?, Int, UnsafePointer<UInt8>?) ->
            UnsafeMutablePointer<Unpacked>?,
        free: (UnsafeMutablePointer<Unpacked>?, UnsafeMutablePointer<ProtobufCAllocator>?) -> Void,
        _ read: (Unpacked) throws(MessagingError) -> Value
    ) throws(MessagingError) -> Value? {
        guard let unpacked = unpack(allocator, bytes.count, bytes.baseAddress) else { return nil }
        defer { free(unpacked, allocator) }
        return try read(unpacked.pointee)
    }
}
