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
}
