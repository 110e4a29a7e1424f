import Testing
import Worker

@Suite("The fingerprint of a worker's arithmetic")
struct FingerprintTests {
    @Test("every kernel, feature, model and operator has a part of its own, with numbers of its own")
    func parts() throws {
        let parts = try Fingerprint.parts()
        #expect(Set(parts.map(\.name)).count == parts.count)
        let twins = Dictionary(grouping: parts, by: \.hash).values.filter { $0.count > 1 }.map { $0.map(\.name) }
        #expect(twins.isEmpty, "\(twins)")
        for name in [
            "hmc, by path", "mala, by line", "refinedPopulation", "tunedLangevin", "exchange", "sharpened mixture",
            "unet, block", "table schedule",
        ] {
            #expect(parts.contains { $0.name == name })
        }
    }

    @Test("a change of the sampler's arithmetic shows; one that is meant raises the revision or this value")
    func value() throws {
        let value = try Fingerprint.probe()
        #expect(value == "9b3343eda12cec10")
        #expect(try Fingerprint.probe() == value)
    }
}
