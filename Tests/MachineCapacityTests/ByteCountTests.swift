import MachineCapacity
import Testing

@Suite("Numbers of bytes")
struct ByteCountTests {
    @Test(
        "a size is a number of bytes with or without a unit",
        arguments: [
            ("0", 0), ("1048576", 1 << 20), ("10GiB", 10 << 30), ("500 MB", 500_000_000), ("2kib", 2_048), ("7B", 7),
            ("1TiB", 1 << 40),
        ])
    func sizes(text: String, bytes: Int) {
        #expect(ByteCount.read(text) == bytes)
    }

    @Test(
        "anything else is no size",
        arguments: ["", "GiB", "-1", "1.5GiB", "10 GiB more", "10G", "9999999999GiB", "99999999999999999999", "٣"])
    func noSizes(text: String) {
        #expect(ByteCount.read(text) == nil)
    }
}
