import Glibc

/// A file mapped into memory for reading.
///
/// Whoever shortens a file while it is mapped ends the reading process with SIGBUS; so readers copy
/// what they need at once and let the mapping go.
final class MappedFile {
    private let bytes: UnsafeRawBufferPointer

    init(path: String) throws(SafetensorsError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure(path, errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.failure(path, errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw SafetensorsError(.noInput, file: path, "not a regular file; name a .safetensors file")
        }
        let count = Int(status.st_size)
        guard count > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            throw Self.failure(path, errno)
        }
        bytes = UnsafeRawBufferPointer(start: start, count: count)
    }

    deinit {
        if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
    }

    private static func failure(_ path: String, _ number: CInt) -> SafetensorsError {
        SafetensorsError(
            .noInput, file: path,
            number == ENOENT ? "no such file" : "can't be read: \(String(cString: strerror(number)))")
    }

    var count: Int { bytes.count }

    /// A part of the file. - Precondition: it lies within.
    func copy(_ range: Range<Int>) -> [UInt8] { Array(bytes[range]) }

    /// Little-endian elements from `offset` on, one after the other. - Precondition: they lie within.
    func elements<Element: FixedWidthInteger, Result>(
        _ type: Element.Type, at offset: Int, count: Int, _ convert: (Element) -> Result
    ) -> [Result] {
        let part = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count * MemoryLayout<Element>.size])
        return [Result](unsafeUninitializedCapacity: count) { result, initialized in
            for index in 0..<count {
                let element = part.loadUnaligned(fromByteOffset: index * MemoryLayout<Element>.size, as: Element.self)
                result.initializeElement(at: index, to: convert(Element(littleEndian: element)))
            }
            initialized = count
        }
    }
}
