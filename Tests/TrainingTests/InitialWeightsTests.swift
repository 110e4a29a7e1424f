import EnergyModels
import Foundation
import Testing

@testable import Training

@Suite("Initial weights")
struct InitialWeightsTests {
    private func weights(
        _ kind: NetworkDescription.Energy.Kind = .denoising, seed: UInt64 = 1
    ) -> [String: [Float]] {
        let network = NetworkDescription(
            architecture: .init(
                dimension: 3, hidden: 64, widen: 2, blocks: 2, embedding: 16, levels: 50, classes: 9),
            energy: .init(kind: kind), schedule: .init(kind: .cosine, levels: 50))
        var rest = InitialWeights.draw(network, seed: seed)[...]
        var named: [String: [Float]] = [:]
        for parameter in network.architecture.parameters {
            let count = parameter.shape.reduce(1, *)
            named[parameter.name] = Array(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        #expect(rest.isEmpty)
        return named
    }

    @Test("Linear maps and biases fill their interval, embeddings are standard normal, the rest is zero or one")
    func ranges() throws {
        for (name, values) in weights() {
            let mean: Double = values.map { Double($0) }.reduce(0, +) / Double(values.count)
            let square: Double = values.map { Double($0 * $0) }.reduce(0, +) / Double(values.count)
            // Six standard errors, of variance 1 of the value and at most 2 of its square: probability 2e-9 each.
            let error = 6 * (2 / Double(values.count)).squareRoot()
            switch name {
            case "output.weight", "output.bias", "blocks.0.output.weight", "blocks.1.output.bias",
                "blocks.0.output.bias", "blocks.1.output.weight":
                #expect(values.allSatisfy { $0 == 0 }, "\(name)")
            case let name where name.contains(".norm."):
                #expect(values.allSatisfy { $0 == (name.hasSuffix("weight") ? 1 : 0) }, "\(name)")
            case let name where name.contains("embedding"):
                #expect(mean.magnitude < error && (square - 1).magnitude < error, "\(name)")
            default:
                let inputs =
                    name.hasPrefix("input") ? 3.0 : name.contains(".hidden") ? 64 : name.contains(".time") ? 16 : 128
                let variance = 1 / (3 * inputs)
                #expect(values.allSatisfy { Double($0.magnitude) <= 1 / inputs.squareRoot() }, "\(name)")
                #expect(mean.magnitude < error * variance.squareRoot(), "\(name)")
                #expect((square / variance - 1).magnitude < error, "\(name)")
                #expect(Set(values).count > values.count / 2, "\(name)")
            }
        }
    }

    @Test("Seeds and parameters have numbers of their own")
    func distinct() {
        let first = weights()
        #expect(first == weights())
        #expect(first["input.weight"] != weights(seed: 2)["input.weight"])
        #expect(first["blocks.0.inner.weight"] != first["blocks.1.inner.weight"])
    }

    @Test("An energy that is flat at zero output does not start there")
    func squaredNorm() {
        let output = weights(.squaredNorm)["output.weight"]
        #expect(output?.contains { $0 != 0 } == true)
        #expect(weights(.squaredNorm)["blocks.1.output.weight"]?.allSatisfy { $0 == 0 } == true)
    }

    @Test("A U-Net begins with f = 0, its norms with one, its convolutions within their interval")
    func images() throws {
        var unet = UNet(
            height: 4, width: 4, channels: 1, modelChannels: 8, multipliers: [1, 2], blocks: 1, attention: [2],
            heads: .count(1), groups: 4, levels: 5, classes: 2)
        for kind in [NetworkDescription.Architecture.Kind.energy, .classifier] {
            unet.kind = kind
            let network = NetworkDescription(
                architecture: .unet(unet), energy: kind == .energy ? .init(kind: .denoising) : nil,
                schedule: .init(kind: .cosine, levels: 5))
            var rest = InitialWeights.draw(network, seed: 1)[...]
            var named: [String: [Float]] = [:]
            for parameter in network.architecture.parameters {
                named[parameter.name] = Array(rest.prefix(parameter.shape.reduce(1, *)))
                rest = rest.dropFirst(parameter.shape.reduce(1, *))
            }
            let last = kind == .energy ? "out.2" : "out.2.c_proj"
            for name in [last, "middle_block.0.out_layers.3", "middle_block.1.proj_out"] {
                #expect(named[name + ".weight"]?.allSatisfy { $0 == 0 } == true)
                #expect(named[name + ".bias"]?.allSatisfy { $0 == 0 } == true)
            }
            for name in ["out.0", "middle_block.0.in_layers.0", "middle_block.1.norm"] {
                #expect(named[name + ".weight"]?.allSatisfy { $0 == 1 } == true)
                #expect(named[name + ".bias"]?.allSatisfy { $0 == 0 } == true)
            }
            let bound = 1 / Float(16 * 9).squareRoot()
            for name in ["middle_block.0.in_layers.2.weight", "middle_block.0.in_layers.2.bias"] {
                let values = try #require(named[name])
                #expect(values.allSatisfy { $0.magnitude <= bound } && values.contains { $0.magnitude > bound / 2 })
            }
        }
    }
}
