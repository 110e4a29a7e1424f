public import Foundation
import Safetensors

/// A network of another program with what it gives, by Fixtures/make_fixtures.py: names, shapes and expected numbers are
/// those of that program's own modules, and the weights follow from a formula.
public struct ForeignNetwork: Sendable {
    /// What the network gives for the points at a level.
    public struct Case: Decodable, Sendable {
        public let level: Int
        public let label: Int?
        public let energy: [Double]?
        public let gradient: [[Double]]?
        public let log_probabilities: [[Double]]?
        /// Of each label's log probability.
        public let gradients: [[[Double]]]?
    }

    /// A tensor of its file.
    public struct Tensor: Sendable {
        public var name: String
        public var shape: [Int]
        public var values: [Float]

        public init(name: String, shape: [Int], values: [Float]) {
            (self.name, self.shape, self.values) = (name, shape, values)
        }
    }

    /// Of the fixture.
    public let name: String
    /// What the command is told beside the file.
    public let options: [String]
    /// Of a point.
    public let shape: [Int]
    public let points: [[Double]]
    public let cases: [Case]
    /// In the order of their names.
    public var tensors: [Tensor]
    /// JSON files that stand beside the weights, keys sorted and without spaces.
    public var texts: [String: String]

    public static let energies = ["reduce-reuse-recycle", "reduce-reuse-recycle-norm"]
    public static let guided = [
        "guided-new-order", "guided-unconditional", "guided-convolutions", "guided-pooling", "guided-classifier",
    ]
    public static let diffusers = ["diffusers-ddpm", "diffusers-defaults", "diffusers-ported"]

    private struct Content: Decodable {
        struct Entry: Decodable {
            let name: String
            let shape: [Int]
            let first: Float
            let spread: Float

            init(from decoder: any Decoder) throws {
                var entries = try decoder.unkeyedContainer()
                name = try entries.decode(String.self)
                shape = try entries.decode([Int].self)
                (first, spread) = (try entries.decode(Float.self), try entries.decode(Float.self))
            }
        }

        let options: [String]
        let shape: [Int]
        let tensors: [Entry]
        let points: [[Double]]
        let cases: [Case]
    }

    /// Reads a fixture and makes its weights.
    public init(_ name: String) throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Fixtures/\(name).json")
        let data = try Data(contentsOf: path)
        let content = try JSONDecoder().decode(Content.self, from: data)
        self.name = name
        (options, shape, points, cases) = (content.options, content.shape, content.points, content.cases)
        tensors = content.tensors.enumerated().map { place, entry in
            let count = entry.shape.reduce(1, *)
            let values = (1...max(count, 1)).map { entry.first + entry.spread * Self.unit(place, $0) }
            return Tensor(name: entry.name, shape: entry.shape, values: values)
        }
        texts = [:]
        let files = (try JSONSerialization.jsonObject(with: data) as? [String: Any])?["files"] as? [String: Any]
        for (file, value) in files ?? [:] {
            let text = try JSONSerialization.data(withJSONObject: value, options: .sortedKeys)
            texts[file] = String(decoding: text, as: UTF8.self)
        }
    }

    /// Of the tensor at a place, its number at another, from 1 on: SplitMix64 of both, of which the upper 8 bits.
    private static func unit(_ place: Int, _ number: Int) -> Float {
        var z = (UInt64(place) << 32 + UInt64(number)) &* 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        z ^= z >> 31
        return Float(Int(z >> 56) - 128) / 128
    }

    /// Writes the files into a folder.
    ///
    /// - Parameter halving: whether weights are stored in half precision.
    /// - Returns: what the command takes as its source: the file, or the folder where other files stand beside it.
    public func write(to folder: URL, halving: Bool = false) throws -> String {
        let stored = tensors.map {
            StoredTensor($0.name, shape: $0.shape, halving ? .float16($0.values) : .float32($0.values))
        }
        let file = folder.appendingPathComponent("diffusion_pytorch_model.safetensors").path
        try SafetensorsFile.write(stored, to: file)
        for (name, text) in texts { try Data(text.utf8).write(to: folder.appendingPathComponent(name)) }
        return texts.isEmpty ? file : folder.path
    }

    /// The tensor of a name, to be altered; a name that is not there ends the test.
    public subscript(_ name: String) -> Tensor {
        get { tensors[place(name)] }
        set { tensors[place(name)] = newValue }
    }

    /// Takes a tensor away.
    public mutating func remove(_ name: String) { tensors.remove(at: place(name)) }

    private func place(_ name: String) -> Int {
        guard let place = tensors.firstIndex(where: { $0.name == name }) else {
            preconditionFailure("\(self.name) has no tensor \(name)")
        }
        return place
    }
}
