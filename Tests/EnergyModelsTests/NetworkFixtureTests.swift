import EnergyModels
import Foundation
import Testing

/// Networks written by PyTorch and the safetensors package (Fixtures/make_fixtures.py and make_unet_fixtures.py), with
/// energies and gradients that PyTorch computed in double precision.
@Suite("Networks made elsewhere")
struct NetworkFixtureTests {
    struct Expected: Decodable {
        struct Case: Decodable {
            let level: Int
            let label: Int?
            let energy: [Double]?
            let gradient: [[Double]]
        }

        let points: [[Double]]
        let cases: [Case]
    }

    static let names = [
        "denoising", "denoising-half", "squared-norm", "inner-product", "noise", "labelled", "float16", "bfloat16",
        "five-dimensional",
    ]

    /// By make_unet_fixtures.py.
    static let unets = ["energy", "guided", "convolution", "pool", "ddpm", "product", "norm"].map { "unet-" + $0 }

    static func path(_ file: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/\(file)").path
    }

    @Test("Energy and gradient are PyTorch's to 1e-5", arguments: names + unets)
    func values(_ name: String) throws {
        try check(try Network(NetworkFile(path: Self.path(name + ".safetensors"))), name)
    }

    @Test("So are those of the examples' pictures")
    func sprites() throws {
        let file = try NetworkFile(path: Self.path("../../../Examples/models/sprites.safetensors"))
        try check(try Network(file), "unet-sprites")
    }

    private func check(_ network: Network, _ name: String) throws {
        let expected = try JSONDecoder().decode(
            Expected.self, from: Data(contentsOf: URL(fileURLWithPath: Self.path(name + ".json"))))
        #expect(expected.cases.count >= 3 || expected.cases.contains { $0.label != nil })
        for test in expected.cases {
            let (energy, gradient) = try network.evaluate(
                points: expected.points.flatMap { $0.map(Float.init) }, level: test.level, label: test.label)
            #expect((energy == nil) == (test.energy == nil))
            if let energy, let wanted = test.energy { Self.expectClose(energy, wanted) }
            Self.expectClose(gradient, test.gradient.flatMap(\.self))
        }
    }

    /// Relative to the largest of the numbers compared: a component near zero has cancelled.
    private static func expectClose(_ numbers: [Float], _ wanted: [Double]) {
        #expect(numbers.count == wanted.count)
        let scale = wanted.map(abs).max() ?? 0
        for (number, wanted) in zip(numbers, wanted) { #expect(abs(Double(number) - wanted) <= 1e-5 * scale) }
    }
}
