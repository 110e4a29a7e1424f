import EnergyModels
import Foundation
import Safetensors
import Testing

@Suite("Files of networks")
struct NetworkFileTests {
    @Test("each malformed file is refused with its own words", arguments: MalformedNetwork.all)
    func refusal(of malformed: MalformedNetwork) throws {
        let file = ScratchFile()
        try file.write(SmallNetwork.bytes(malformed.tensors, metadata: malformed.metadata))
        let error = try #require(throws: SafetensorsError.self) { try NetworkFile(path: file.path) }
        #expect(error.code == .badData)
        #expect(error.file == file.path)
        #expect(error.message == malformed.message)
    }

    @Test("the table has a name for each, and the file that it changes is a network")
    func table() throws {
        #expect(Set(MalformedNetwork.all.map(\.testDescription)).count == MalformedNetwork.all.count)
        #expect(MalformedNetwork.all.count >= 50)
        let file = ScratchFile()
        try file.write(SmallNetwork.bytes())
        let network = try NetworkFile(path: file.path)
        #expect(network.description == SmallNetwork.description)
        #expect(try network.description.architecture.parameters.map(network.values) == SmallNetwork.parameters)
        let sound = MalformedNetwork.soundClassifier
        try file.write(SmallNetwork.bytes(sound.tensors, metadata: sound.metadata))
        #expect(try NetworkFile(path: file.path).description.jsonText.count == MalformedNetwork.classifier.count)
    }

    @Test("marks without numbers are passed over and named")
    func marks() throws {
        let file = ScratchFile()
        let marks = [
            SmallNetwork.Tensor(name: "scaled_fp8", type: "F8_E4M3", shape: [0], bytes: []),
            SmallNetwork.Tensor(name: "output.weigth", type: "F32", shape: [2, 0], bytes: []),
        ]
        try file.write(SmallNetwork.bytes(SmallNetwork.tensors + marks))
        let network = try NetworkFile(path: file.path)
        #expect(network.ignored.sorted() == ["output.weigth", "scaled_fp8"])
        #expect(try network.description.architecture.parameters.map(network.values) == SmallNetwork.parameters)
    }

    @Test("what is written comes back, in single and half precision", arguments: NetworkFile.Storage.allCases)
    func roundTrip(_ storage: NetworkFile.Storage) throws {
        let scratch = ScratchFile()
        let shapes =
            [SmallNetwork.description.architecture] + [
                .init(dimension: 3, hidden: 4, widen: 2, blocks: 2, embedding: 5, levels: 7, classes: 3),
                .init(dimension: 2, hidden: 1, widen: 1, blocks: 0, embedding: 1, levels: 1),
            ]
        for architecture in shapes {
            for kind in NetworkDescription.Energy.Kind.allCases {
                let description = NetworkDescription(
                    architecture: architecture, energy: .init(kind: kind, scale: 0.1),
                    schedule: .init(kind: .cosine, levels: architecture.levels))
                let parameters = architecture.parameters.enumerated().map { index, parameter in
                    (0..<parameter.shape.reduce(1, *)).map { Float(index - 3) * Float($0 + 1) / 8 }
                }
                #expect(architecture.parameterCount == parameters.map(\.count).reduce(0, +))
                try NetworkFile.write(
                    description: description, parameters: parameters, as: storage, to: scratch.path)
                let file = try NetworkFile(path: scratch.path)
                #expect(file.description == description)
                #expect(try architecture.parameters.map(file.values) == parameters)
                #expect(file.tensors.map(\.type) == parameters.map { _ in storage == .float32 ? .float32 : .float16 })
                #expect(try scratch.bytes.count == file.byteCount)
            }
        }
    }

    @Test("a classifier that is written comes back", arguments: NetworkFile.Storage.allCases)
    func classifier(_ storage: NetworkFile.Storage) throws {
        let scratch = ScratchFile()
        for (classes, blocks) in [(2, 0), (5, 2)] {
            let architecture = NetworkDescription.Architecture(
                kind: .classifier, dimension: 3, hidden: 4, widen: 2, blocks: blocks, embedding: 5, levels: 7,
                classes: classes)
            let description = NetworkDescription(
                architecture: architecture, energy: nil, schedule: .init(kind: .linear(), levels: 7))
            let parameters = architecture.parameters.enumerated().map { index, parameter in
                (0..<parameter.shape.reduce(1, *)).map { Float(index - 3) * Float($0 + 1) / 8 }
            }
            #expect(!architecture.parameters.contains { $0.name.contains("label") })
            #expect(architecture.parameters.suffix(2).map(\.shape) == [[classes, 4], [classes]])
            #expect(architecture.parameterCount == parameters.map(\.count).reduce(0, +))
            try NetworkFile.write(description: description, parameters: parameters, as: storage, to: scratch.path)
            let file = try NetworkFile(path: scratch.path)
            #expect(file.description == description)
            #expect(!description.jsonText.contains("energy"))
            #expect(try architecture.parameters.map(file.values) == parameters)
        }
    }

    @Test("a scale that is left out is one; a space or a line in the description does no harm")
    func defaults() throws {
        let scratch = ScratchFile()
        let text = SmallNetwork.text.replacing(",\"scale\":1.0", with: "").replacing(",", with: " ,\n ")
        try scratch.write(SmallNetwork.bytes(metadata: ["rrr.model": text, "format": "pt"]))
        #expect(try NetworkFile(path: scratch.path).description == SmallNetwork.description)
    }

    @Test("weights that can't be read again are not written, and the old file stands")
    func unwritable() throws {
        let scratch = ScratchFile()
        try scratch.write([1, 2, 3])
        for (storage, value, message) in [
            (.float32, .nan, "number 1 is nan in single precision; weights must be finite"),
            (.float32, -.infinity, "number 1 is -inf in single precision; weights must be finite"),
            (.float16, .infinity, "number 1 is inf in single precision; weights must be finite"),
            (.float16, 70_000, "70000.0 is beyond half precision; store the weights as float32"),
        ] as [(NetworkFile.Storage, Float, String)] {
            var parameters = SmallNetwork.parameters
            parameters[1][1] = value
            let error = try #require(throws: SafetensorsError.self) {
                try NetworkFile.write(
                    description: SmallNetwork.description, parameters: parameters, as: storage, to: scratch.path)
            }
            #expect(error.code == .badData)
            #expect(error.message == "tensor \"input.weight\": " + message)
            #expect(try scratch.bytes == [1, 2, 3])
        }
    }

    @Test("a file in a folder that is not there can't be created; one that is not there is no input")
    func paths() throws {
        let path = ScratchFile().path + "/network.safetensors"
        let created = try #require(throws: SafetensorsError.self) {
            try NetworkFile.write(
                description: SmallNetwork.description, parameters: SmallNetwork.parameters, as: .float32, to: path)
        }
        #expect(created.code == .cannotCreate)
        let read = try #require(throws: SafetensorsError.self) { try NetworkFile(path: path) }
        #expect(read.code == .noInput)
    }

    @Test("no damage ends the process: a file is refused, or gives a network with finite weights")
    func damage() throws {
        // Knuth's MMIX generator: the same damage on every machine. Its low bits have short periods.
        var state: UInt64 = 7
        func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let scratch = ScratchFile()
        let whole = try SmallNetwork.bytes()
        var read = 0
        var finite = true
        var messages: Set<String> = []
        for _ in 0..<3000 {
            var bytes = whole
            for _ in 0...below(2) {
                let place = below(bytes.count)
                switch below(5) {
                case 0, 1: bytes[place] ^= UInt8(1 << below(8))
                case 2: bytes[place] = UInt8(48 + below(10))
                case 3:
                    let source = below(bytes.count)
                    let part = Array(bytes[source..<min(bytes.count, source + below(24))])
                    bytes.replaceSubrange(place..<min(bytes.count, place + part.count), with: part)
                default: if below(8) == 0 { bytes.removeSubrange(max(1, place)...) }
                }
            }
            try scratch.write(bytes)
            do throws(SafetensorsError) {
                let file = try NetworkFile(path: scratch.path)
                read += 1
                for parameter in file.description.architecture.parameters {
                    let values = try file.values(parameter)
                    finite = finite && values.count == parameter.shape.reduce(1, *) && values.allSatisfy(\.isFinite)
                }
            } catch {
                #expect(error.code == .badData)
                messages.insert(error.message)
            }
        }
        #expect(finite)
        // Both outcomes, and many reasons, occur often enough for the test to mean something.
        #expect((200..<2800).contains(read), "\(read)")
        #expect(messages.count > 200, "\(messages.count)")
    }
}
