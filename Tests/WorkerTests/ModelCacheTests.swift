import Testing
import Worker

@Suite("Settings of the model cache")
struct ModelCacheTests {
    @Test("the folder is XDG_CACHE_HOME's if that is absolute, else that of the home folder")
    func folder() {
        func folder(_ value: String?) -> String {
            ModelCache.folder(environment: value.map { ["XDG_CACHE_HOME": $0] } ?? [:], home: "/home/a")
        }
        #expect(folder("/cache") == "/cache/rrr/models")
        for ignored in [nil, "", "cache", "./cache", "~/cache"] {
            #expect(folder(ignored) == "/home/a/.cache/rrr/models")
        }
    }

    @Test(
        "a size is a number of bytes with or without a unit",
        arguments: [
            ("0", 0), ("1048576", 1 << 20), ("10GiB", 10 << 30), ("500 MB", 500_000_000), ("2kib", 2_048), ("7B", 7),
            ("1TiB", 1 << 40),
        ])
    func sizes(text: String, bytes: Int) {
        #expect(ModelCache.bytes(text) == bytes)
    }

    @Test(
        "anything else is no size",
        arguments: ["", "GiB", "-1", "1.5GiB", "10 GiB more", "10G", "9999999999GiB", "99999999999999999999", "٣"])
    func noSizes(text: String) {
        #expect(ModelCache.bytes(text) == nil)
    }
}
