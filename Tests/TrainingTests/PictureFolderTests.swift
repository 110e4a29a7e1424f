import EnergyModels
import Foundation
import Pictures
import RandomStreams
import StrictJSON
import Testing
import VectorMath

@testable import Training

@Suite("Folders of PNG files as training data")
struct PictureFolderTests {
    /// Writes a picture of 2 x 3 pixels whose tones begin with a number.
    private func write(
        _ folder: TemporaryFolder, _ name: String, first: UInt8, channels: Int = 1, width: Int = 3
    ) throws {
        let path = folder(name)
        let parent = URL(filePath: path).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
        let bytes = (0..<2 * width * channels).map { first &+ UInt8($0) }
        let image = PNGImage(width: width, height: 2, channels: channels, bytes: bytes)
        try Data(image.encoded()).write(to: URL(filePath: path))
    }

    private func spec(
        _ folder: TemporaryFolder, channels: Int = 1, classes: Int? = nil, _ more: String = "", kind: String = "unet"
    ) throws -> TrainingSpec {
        try ExampleSpecs.decode(
            """
            {"rrr_training": 1, "iterations": 3, "batch": 8,
             "architecture": {"kind": "\(kind)", "size": [2, 3], "channels": \(channels), "model_channels": 4,
                              "multipliers": [1], "blocks": 1, "attention": [], "heads": 1, "groups": 2,
                              "levels": 10\(classes.map { ", \"classes\": \($0)" } ?? "")},
             "data": {"kind": "png", "folder": "\(folder("pictures"))"\(more)}}
            """)
    }

    /// The first tone of each point drawn and its label.
    private func drawn(_ spec: TrainingSpec, iteration: Int = 0) throws -> Set<[Int]> {
        let data = try TrainingData(spec)
        let lanes = 300
        var points = LaneMatrix(rows: data.dimension, lanes: lanes)
        var labels = [Int32](repeating: -1, count: lanes)
        data.draw(
            RandomStream(seed: 1, firstChain: 0), iteration: iteration, points: &points, labels: &labels)
        return Set((0..<lanes).map { [Int(((points[0, $0] + 1) * 127.5).rounded()), Int(labels[$0])] })
    }

    @Test("Pictures are counted in the order of their names, and the last are held out")
    func order() throws {
        let folder = try TemporaryFolder()
        for (name, tone) in [("b.png", 20), ("a.PNG", 10), ("c.png", 30), (".hidden", 99)] as [(String, UInt8)] {
            try write(folder, "pictures/" + name, first: tone)
        }
        let pictures = try PictureFolder(folder("pictures"), labelled: false, classes: 0)
        #expect(pictures.files.map { URL(filePath: $0).lastPathComponent } == ["a.PNG", "b.png", "c.png"])
        let shape = try #require(PointShape([1, 2, 3]))
        #expect(try pictures.tones(shape: shape) == [10, 20, 30].flatMap { first in (0..<6).map { first + $0 } })
        let held = try spec(folder, ", \"held_out\": 1")
        #expect(try drawn(held) == [[10, 0], [20, 0]])
        #expect(try drawn(held, iteration: TrainingData.heldOutIteration) == [[30, 0]])
        let all = try spec(folder, ", \"held_out\": 3")
        let error = #expect(throws: TrainingError.self) { try TrainingData(all) }
        #expect(error?.description.contains("holds 3 points, and \"held_out\" leaves none") == true)
    }

    @Test("Channels come one after the other, and grey is every colour of a coloured picture")
    func colours() throws {
        let folder = try TemporaryFolder()
        try write(folder, "pictures/a.png", first: 100, channels: 3)
        try write(folder, "pictures/b.png", first: 50)
        let shape = try #require(PointShape([3, 2, 3]))
        let tones = try PictureFolder(folder("pictures"), labelled: false, classes: 0).tones(shape: shape)
        let coloured = (0..<3).flatMap { channel in (0..<6).map { UInt8(100 + 3 * $0 + channel) } }
        #expect(tones == coloured + [50, 51, 52, 53, 54, 55] + [50, 51, 52, 53, 54, 55] + [50, 51, 52, 53, 54, 55])
    }

    @Test("Sub-folders are labels: by their number, or in the order of their names; pictures are counted in turn")
    func labels() throws {
        let folder = try TemporaryFolder()
        // As text 10 comes before 2.
        for (name, tone) in [("10/x.png", 3), ("2/x.png", 1), ("2/y.png", 2)] as [(String, UInt8)] {
            try write(folder, "pictures/" + name, first: tone * 10)
        }
        let numbered = try PictureFolder(folder("pictures"), labelled: true, classes: 11)
        #expect(numbered.labels == [2, 10, 2])
        let labelled = try spec(folder, classes: 11, ", \"labels\": \"folder\", \"held_out\": 1")
        #expect(try drawn(labelled) == [[10, 2], [30, 10]])
        #expect(try drawn(labelled, iteration: TrainingData.heldOutIteration) == [[20, 2]])

        let named = try TemporaryFolder()
        for (name, tone) in [("cat/1.png", 1), ("ape/1.png", 2), ("7/1.png", 3)] as [(String, UInt8)] {
            try write(named, "pictures/" + name, first: tone * 10)
        }
        #expect(try drawn(spec(named, classes: 3, ", \"labels\": \"folder\"")) == [[30, 0], [20, 1], [10, 2]])
    }

    @Test("A training from a folder takes the steps of one from an array of the same pictures")
    func sameAsArray() throws {
        let folder = try TemporaryFolder()
        for place in 0..<9 { try write(folder, "pictures/\(place).png", first: UInt8(place * 25), channels: 3) }
        let shape = try #require(PointShape([3, 2, 3]))
        let tones = try PictureFolder(folder("pictures"), labelled: false, classes: 0).tones(shape: shape)
        let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (9, 3, 2, 3), }\n"
        try Data([0x93] + "NUMPY".utf8 + [1, 0, UInt8(header.utf8.count), 0] + header.utf8 + tones)
            .write(to: URL(filePath: folder("images.npy")))
        let more = ", \"flip\": true, \"held_out\": 2"
        let pictures = try spec(folder, channels: 3, more)
        var array = pictures
        array.data = .arrays(points: folder("images.npy"), labels: nil, flipped: true, heldOut: 2)
        func trained(_ spec: TrainingSpec) throws -> [Float] {
            var run = try TrainingRun(spec, data: try TrainingData(spec), threads: 2)
            for _ in 0..<spec.iterations { try run.step() }
            return run.optimizer.average
        }
        let weights = try trained(pictures)
        #expect(try weights == trained(array) && weights.allSatisfy(\.isFinite))
    }

    @Test("Another picture, label or choice is another training, another name is not")
    func identity() throws {
        func identity(_ name: String, first: UInt8, _ more: String = "", label: String = "1") throws -> String {
            let folder = try TemporaryFolder()
            try write(folder, "pictures/\(label)/\(name)", first: first)
            let spec = try spec(folder, classes: 3, ", \"labels\": \"folder\"" + more)
            return spec.identity(files: try TrainingData(spec).files).canonical
        }
        let one = try identity("a.png", first: 1)
        #expect(try identity("b.png", first: 1) == one)
        for other in [
            try identity("a.png", first: 2), try identity("a.png", first: 1, ", \"flip\": true"),
            try identity("a.png", first: 1, label: "2"),
        ] { #expect(other != one) }
    }

    @Test("What can't be trained on is refused with the file's name and what to do")
    func refusals() throws {
        func refusal(
            _ name: String, _ words: String, channels: Int = 1, classes: Int? = nil, status: Int32 = 65,
            _ prepare: (TemporaryFolder) throws -> Void
        ) throws {
            let folder = try TemporaryFolder()
            try prepare(folder)
            let labels = classes == nil ? "" : ", \"labels\": \"folder\""
            let spec = try spec(folder, channels: channels, classes: classes, labels)
            let error = #expect(throws: TrainingError.self) { try TrainingData(spec) }
            let text = error?.description ?? ""
            #expect(error?.exitStatus == status && text.hasPrefix(folder(name)) && text.contains(words), "\(text)")
        }
        try refusal("pictures", "no such folder", status: 66) { _ in }
        try refusal("pictures", "no pictures") { folder in
            try FileManager.default.createDirectory(atPath: folder("pictures"), withIntermediateDirectories: true)
        }
        try refusal("pictures/b.png", "has 2 x 4 pixels") { folder in
            try write(folder, "pictures/a.png", first: 1)
            try write(folder, "pictures/b.png", first: 1, width: 4)
        }
        try refusal("pictures/a.png", "is coloured") { try write($0, "pictures/a.png", first: 1, channels: 3) }
        try refusal("pictures/a.png", "transparent", channels: 3) {
            try write($0, "pictures/a.png", first: 1, channels: 4)
        }
        try refusal("pictures/a.png", "cut off at 40 bytes") { folder in
            try write(folder, "pictures/a.png", first: 1)
            let whole = try Data(contentsOf: URL(filePath: folder("pictures/a.png")))
            try whole.prefix(40).write(to: URL(filePath: folder("pictures/a.png")))
        }
        try refusal("pictures/notes.txt", "no .png file") { folder in
            try write(folder, "pictures/a.png", first: 1)
            try Data("x".utf8).write(to: URL(filePath: folder("pictures/notes.txt")))
        }
        try refusal("pictures/x", "let folders be labels") { folder in
            try write(folder, "pictures/a.png", first: 1)
            try write(folder, "pictures/x/a.png", first: 1)
        }
        try refusal("pictures/a.png", "is no folder", classes: 2) { try write($0, "pictures/a.png", first: 1) }
        try refusal("pictures/2", "would be label 2", classes: 2) { try write($0, "pictures/2/a.png", first: 1) }
        try refusal("pictures/c", "would be label 2", classes: 2) { folder in
            for name in ["a", "b", "c"] { try write(folder, "pictures/\(name)/a.png", first: 1) }
        }
    }
}
