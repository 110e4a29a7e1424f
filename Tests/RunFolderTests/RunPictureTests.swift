import ContentHash
import Pictures
import Testing

@testable import RunFolder

@Suite("The picture of a run's samples")
struct RunPictureTests {
    private func picture(in folder: TemporaryFolder) throws -> PNGImage {
        try PNGImage(decoding: folder.bytes("samples.png"))
    }

    @Test("It shows the last draws of the first chains, and the summary has its SHA-256")
    func finished() throws {
        let folder = try TemporaryFolder()
        let summary = try ImageRun.finish(in: folder.path)
        #expect(try folder.names == (SmallRun.finalNames + ["samples.png"]).sorted())
        #expect(try picture(in: folder) == ImageRun.sheet(2, 4, (0..<8).map { ImageRun.picture($0, 1) }))
        #expect(try summary.pictureSHA256 == SHA256.hash(of: folder.bytes("samples.png")).hex)
        #expect(try RunFolder.summary(in: folder.path) == summary)
        #expect(try RunFolder.content(of: folder.path) == .finished(jobHash: summary.jobHash))
    }

    @Test("Where chains are fewer than cells it shows more draws of each, the last among them")
    func choice() {
        func shown(_ chains: Int, _ draws: Int, _ cells: Int) -> [[Int]] {
            SampleIndex.shown(chains: chains, draws: draws, cells: cells).map { [$0.chain, $0.draw] }
        }
        #expect(shown(100, 7, 3) == [[0, 6], [1, 6], [2, 6]])
        #expect(shown(2, 10, 5) == [[0, 4], [0, 9], [1, 4], [1, 9]])
        #expect(shown(1, 3, 64) == [[0, 0], [0, 1], [0, 2]])
        #expect(shown(3, 1, 64) == [[0, 0], [1, 0], [2, 0]])
        #expect(shown(1, 1000, 4).map { $0[1] } == [249, 499, 749, 999])
    }

    @Test("Its bytes are the same whatever the order of the blocks")
    func anyOrder() throws {
        let (first, second) = (try TemporaryFolder(), try TemporaryFolder())
        #expect(try ImageRun.finish(in: first.path) == ImageRun.finish(in: second.path, order: [2, 0, 1]))
        #expect(try TemporaryFolder.contents(of: first.path) == TemporaryFolder.contents(of: second.path))
    }

    @Test("Of a population it shows what was selected")
    func selected() throws {
        let folder = try TemporaryFolder()
        let selection = [0, 2, 2, 2, 3, 5, 5, 7, 9, 9]
        try ImageRun.finish(in: folder.path, ImageRun.description(selects: true), selection: selection)
        let shown = selection.prefix(8).map { ImageRun.picture($0, 1) }
        #expect(try picture(in: folder) == ImageRun.sheet(2, 4, shown))
    }

    @Test("Another byte in it, a cut, or no picture at all is damage, and is told")
    func damage() throws {
        let folder = try TemporaryFolder()
        try ImageRun.finish(in: folder.path)
        let sound = try folder.bytes("samples.png")
        func expectDamage() throws {
            guard case .damaged(_, let reason) = try RunFolder.content(of: folder.path) else {
                Issue.record("not told as damaged")
                return
            }
            #expect(reason.contains(folder("samples.png")))
        }
        for place in stride(from: 0, to: sound.count, by: 7) {
            var bytes = sound
            bytes[place] ^= 1
            try folder.write(bytes, "samples.png")
            try expectDamage()
        }
        try folder.write(sound.dropLast(), "samples.png")
        try expectDamage()
        try Folder.removeFile(folder("samples.png"))
        try expectDamage()
        #expect(!RunFolder.isComplete(folder.path, jobHash: ImageRun.description().jobHash))
        try folder.write(sound, "samples.png")
        #expect(RunFolder.isComplete(folder.path, jobHash: ImageRun.description().jobHash))
    }

    @Test("A run without a picture takes away that of an earlier run, and its name counts as a run's own")
    func without() throws {
        let folder = try TemporaryFolder()
        try ImageRun.finish(in: folder.path)
        let summary = try ImageRun.finish(in: folder.path, ImageRun.description(isPicture: false))
        #expect(summary.pictureSHA256 == nil && !summary.json.contains("picture"))
        #expect(try folder.names == SmallRun.finalNames)
        try Folder.removeFile(folder("summary.json"))
        try folder.write([1], "samples.png")
        try folder.write([1], ".summary.json.partial")
        #expect(try RunFolder.content(of: folder.path) == .empty)
    }

    @Test("A run that was killed while its files got their names is taken up, and leaves the same")
    func killed() throws {
        let (whole, folder) = (try TemporaryFolder(), try TemporaryFolder())
        try ImageRun.finish(in: whole.path)
        func suspended() throws -> SuspendedRun {
            let run = try RunStaging(folder: folder.path, description: ImageRun.description())
            for chains in [0..<4, 4..<8, 8..<10] { try run.record(ImageRun.block(chains)) }
            try run.sync()
            return run.suspend()
        }
        // With the object its lock on the folder goes.
        let before = try suspended()
        // As if it had come as far as the picture.
        try folder.write([1], ".summary.json.partial")
        try Folder.rename(folder(".samples.npy.partial"), to: folder("samples.npy"))
        try folder.write(try whole.bytes("samples.png"), "samples.png")
        _ = try ImageRun.finish(
            try RunStaging(resuming: folder.path, description: ImageRun.description(), from: before))
        #expect(try folder.bytes("samples.png") == whole.bytes("samples.png"))
        #expect(try folder.bytes("summary.json") == whole.bytes("summary.json"))
    }
}
