import ForeignNetworks
import Foundation
import Safetensors
import Testing

@testable import ModelImport

@Suite("Networks that are refused")
struct RefusalTests {
    @Test("A network with one thing wrong is refused, with the place and what is wrong", arguments: WrongNetwork.all)
    func wrong(_ wrong: WrongNetwork) throws {
        let folder = try ScratchFolder()
        defer { folder.remove() }
        var network = try Fixture.network(wrong.fixture)
        wrong.change(&network)
        var options = Told.options(wrong.fixture)
        wrong.tell(&options)
        let source = try network.write(to: folder.url)
        let error = #expect(throws: ImportError.self) {
            try ModelImport(source: source, options: options).write(to: folder.path("model.safetensors"))
        }
        #expect(
            error?.exitStatus == wrong.status && error?.description.contains(wrong.message) == true,
            "\(error?.description ?? "")")
        #expect(!FileManager.default.fileExists(atPath: folder.path("model.safetensors")))
    }

    @Test("There are many of them, each under a name of its own, and without its fault each is taken")
    func many() throws {
        #expect(
            WrongNetwork.all.count > 60 && Set(WrongNetwork.all.map(\.testDescription)).count == WrongNetwork.all.count)
        for fixture in Set(WrongNetwork.all.map(\.fixture)) {
            let folder = try ScratchFolder()
            defer { folder.remove() }
            let source = try Fixture.network(fixture).write(to: folder.url)
            #expect(try !ModelImport(source: source, options: Told.options(fixture)).decisions.isEmpty)
        }
    }

    @Test(
        "A file that is no safetensors file is refused, a pickle with the lines that convert it",
        arguments: [
            (
                "a zip archive of torch.save", Array("PK\u{3}\u{4}\u{0}\u{0}\u{8}\u{8}archive/data.pkl".utf8),
                "torch.load(FILE"
            ),
            ("a pickle of old", [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46], "torch.load(FILE"),
            ("a page of the web", Array("<!DOCTYPE html>".utf8), "this is a text such as a web page gives"),
            ("nothing", [], "has 0 bytes"),
        ])
    func foreignFile(_ name: String, _ bytes: [UInt8], _ message: String) throws {
        let folder = try ScratchFolder()
        defer { folder.remove() }
        try Data(bytes).write(to: URL(fileURLWithPath: folder.path("model.pt")))
        Self.refuse(folder.path("model.pt"), message)
    }

    @Test("A file that is cut short anywhere is refused")
    func cut() throws {
        let folder = try ScratchFolder()
        defer { folder.remove() }
        let whole = try Data(
            contentsOf: URL(fileURLWithPath: try Fixture.network("guided-pooling").write(to: folder.url)))
        for count in [4, 8, 100, 20_000, whole.count - 1] {
            try whole.prefix(count).write(to: URL(fileURLWithPath: folder.path("cut.safetensors")))
            Self.refuse(folder.path("cut.safetensors"), count < 8 ? "fewer than the 8" : "cut short")
        }
    }

    @Test("A folder without weights, with pickles alone, or with several files that may be meant is refused")
    func folders() throws {
        let folder = try ScratchFolder()
        defer { folder.remove() }
        Self.refuse(folder.path("nowhere"), status: 66, "No such file")
        Self.refuse(folder.url.path, "has no safetensors file")
        try Data().write(to: URL(fileURLWithPath: folder.path("diffusion_pytorch_model.bin")))
        Self.refuse(folder.url.path, "but diffusion_pytorch_model.bin, a Python pickle, which is not read; these lines")
        for name in ["a.safetensors", "b.safetensors"] { try Data().write(to: URL(fileURLWithPath: folder.path(name))) }
        Self.refuse(folder.url.path, "has several: a.safetensors, b.safetensors; name the one that is meant")
    }

    @Test(
        "A wrong index of several files is refused",
        arguments: [
            (
                "a file that is not there", "second.safetensors", "third.safetensors", 66,
                "third.safetensors: cannot open"
            ),
            (
                "a file outside of the folder", "second.safetensors", "../second.safetensors", 65,
                "must be a safetensors file beside the index, is \"../second"
            ),
            (
                "a file at an absolute place", "second.safetensors", "/etc/second.safetensors", 65,
                "must be a safetensors file beside the index, is \"/etc"
            ),
            (
                "a file that is a pickle by its name", "second.safetensors", "second.bin", 65,
                "must be a safetensors file beside the index"
            ),
            (
                "the wrong file for a tensor", #""conv_in.bias":"first.safetensors""#,
                #""conv_in.bias":"second.safetensors""#, 65, "tensor \"conv_in.bias\" is here, but the index"
            ),
            (
                "a tensor that is not in the index", #""conv_in.bias":"first.safetensors","#, "", 65,
                "tensor \"conv_in.bias\" is not in the index"
            ),
            (
                "a tensor that is in no file", #""conv_in.bias""#,
                #""conv_in.bios":"first.safetensors","conv_in.bias""#, 65,
                "tensor \"conv_in.bios\" is missing, which the index"
            ),
            (
                "a number for a file", #""conv_in.bias":"first.safetensors""#, #""conv_in.bias":1"#, 65,
                "/weight_map/conv_in.bias: must be the name of a file, is 1"
            ),
            ("no map", "weight_map", "weights", 65, "\"weight_map\" is missing"),
            ("no JSON", "{", "", 65, "is not JSON"),
        ] as [(String, String, String, Int32, String)])
    func wrongIndex(_ name: String, _ old: String, _ new: String, _ status: Int32, _ message: String) throws {
        let folder = try ScratchFolder()
        defer { folder.remove() }
        try Shards.write(try Fixture.network("diffusers-ddpm"), to: folder) { $0.replacing(old, with: new) }
        Self.refuse(folder.url.path, status: status, message)
    }

    @Test("A tensor that two of several files have is refused")
    func twice() throws {
        let folder = try ScratchFolder()
        defer { folder.remove() }
        try Shards.write(try Fixture.network("diffusers-ddpm"), to: folder, twice: true)
        Self.refuse(folder.url.path, "tensor \"conv_in.bias\" is here, but the index")
    }

    /// What stands in the place of a value, or where a text is cut.
    private static let hostile = [
        "1e400", "-1", "0", "0.5", "99999999999999999999", "9223372036854775807", "null", "true", "{}", "[]", "[[[[[",
        "\"",
        "\"\\u0000\"", "NaN", "[1,2,3,4,5,6,7,8,9,10,11,12,13]", "\"conv\"",
    ]

    @Test("Whatever stands in the JSON files, the answer is a network or an error", arguments: 0..<8)
    func hostileTexts(_ seed: Int) throws {
        let folder = try ScratchFolder()
        defer { folder.remove() }
        let network = try Fixture.network("diffusers-ported")
        try Shards.write(network, to: folder)
        let files = ["config.json", "scheduler_config.json", "model.safetensors.index.json"]
        let texts = try files.map { try String(contentsOfFile: folder.path($0), encoding: .utf8) }
        let values = texts.map { text in
            text.matches(of: /[:,\[]("[^"]*"|[^,\[\]{}:"]+)/).map { $0.output.1.startIndex..<$0.output.1.endIndex }
        }
        var random = RepeatedRandom(seed)
        var refused = 0
        for number in 0..<60 {
            let file = number % files.count
            var text = texts[file]
            // From the end, so that places before stay what they are.
            let places = Set((0...random.below(2)).map { _ in random.below(values[file].count) })
            for place in places.sorted(by: >) {
                text.replaceSubrange(values[file][place], with: Self.hostile[random.below(Self.hostile.count)])
            }
            if random.below(8) == 0 { text = String(text.prefix(random.below(text.count))) }
            try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path(files[file])))
            do { _ = try ModelImport(source: folder.url.path, options: ImportOptions()) } catch { refused += 1 }
            try Data(texts[file].utf8).write(to: URL(fileURLWithPath: folder.path(files[file])))
        }
        #expect(refused > 30)
        #expect(try !ModelImport(source: folder.url.path, options: ImportOptions()).decisions.isEmpty)
    }

    @Test(
        "Whatever names and shapes tensors have, the answer is a network or an error",
        arguments: ["reduce-reuse-recycle", "guided-convolutions", "guided-classifier", "diffusers-ddpm"])
    func hostileTensors(_ fixture: String) throws {
        let folder = try ScratchFolder()
        defer { folder.remove() }
        var whole = try Fixture.network(fixture)
        _ = try whole.write(to: folder.url)
        // Their numbers are of no interest from here on.
        for place in whole.tensors.indices { whole.tensors[place].values = [] }
        var random = RepeatedRandom(fixture.count)
        var refused = 0
        for _ in 0..<400 {
            var network = whole
            for _ in 0...random.below(3) { Self.damage(&network.tensors, &random) }
            let shapes = ForeignShapes(
                origin: "x", shapes: Dictionary(uniqueKeysWithValues: network.tensors.map { ($0.name, $0.shape) }))
            let options = Told.options(fixture)
            do {
                let model =
                    if EnergyLayout.recognizes(shapes) {
                        try EnergyLayout.model(shapes, options)
                    } else if GuidedLayout.recognizes(shapes) {
                        try GuidedLayout.model(shapes, options)
                    } else {
                        try DiffusersLayout.model(
                            config: folder.path("config.json"), scheduler: folder.path("scheduler_config.json"), shapes,
                            options)
                    }
                _ = try ModelImport.checked(model.description, shapes)
                _ = try ModelImport.names(model, shapes)
            } catch {
                refused += 1
            }
        }
        #expect(refused > 200)
    }

    /// Takes a tensor away, gives it another shape, or changes words of its name.
    private static func damage(_ tensors: inout [ForeignNetwork.Tensor], _ random: inout RepeatedRandom) {
        let place = random.below(tensors.count)
        let tensor = tensors[place]
        switch random.below(5) {
        case 0: tensors.remove(at: place)
        case 1: tensors[place].shape = [1 << 62, 0, 2]
        case 2: tensors[place].shape.reverse()
        case 3: tensors[place].shape = [tensor.shape.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }]
        default:
            let others = ["7", "0", "4095", "-1", "conv", "in_layers", "qkv"]
            let words = tensor.name.split(separator: ".").map { word in
                random.below(3) == 0 ? others[random.below(others.count)] : String(word)
            }
            let name = words.joined(separator: ".")
            if !tensors.contains(where: { $0.name == name }) { tensors[place].name = name }
        }
    }

    private static func refuse(_ source: String, status: Int32 = 65, _ message: String) {
        let error = #expect(throws: ImportError.self) { try ModelImport(source: source, options: ImportOptions()) }
        #expect(
            error?.exitStatus == status && error?.description.contains(message) == true, "\(error?.description ?? "")")
    }
}
