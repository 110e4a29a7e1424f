import Pictures
import Testing

@testable import RunFolder

@Suite("Sheets of finished runs")
struct RunSheetTests {
    private func run() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try ImageRun.finish(in: folder.path)
        return folder
    }

    private func refusal(_ sheet: RunSheet, _ folders: [String]) -> RunFolderError? {
        failure { () throws(RunFolderError) in _ = try sheet.image(of: folders) }
    }

    @Test("The sheet of which nothing is said is a run's usual picture")
    func usual() throws {
        let folder = try run()
        // 20 samples: 5 x 4 cells, and both draws of each chain fit.
        let pictures = (0..<20).map { ImageRun.picture($0 / 2, $0 % 2) }
        #expect(try RunSheet().image(of: [folder.path]) == ImageRun.sheet(4, 5, pictures))
    }

    @Test("Chains come in the order of their acceptance, from either end")
    func byAcceptance() throws {
        let folder = try run()
        var sheet = RunSheet()
        (sheet.grid, sheet.order) = (SheetGrid(rows: 1, columns: 10), .acceptance)
        // The pattern of the small run: chain 0 and 5 least, then 3 and 8…
        let order = [0, 5, 3, 8, 1, 6, 4, 9, 2, 7]
        #expect(
            try sheet.image(of: [folder.path]) == ImageRun.sheet(1, 10, order.map { ImageRun.picture($0, 1) }))
        sheet.isDescending = true
        let most = [2, 7, 4, 9, 1, 6, 3, 8, 0, 5]
        #expect(try sheet.image(of: [folder.path]) == ImageRun.sheet(1, 10, most.map { ImageRun.picture($0, 1) }))
    }

    @Test("Chains without a log density come last")
    func byLogDensity() throws {
        let folder = try run()
        var sheet = RunSheet()
        (sheet.grid, sheet.order, sheet.isDescending) = (SheetGrid(rows: 1, columns: 10), .logDensity, true)
        let order = [9, 8, 7, 6, 5, 4, 2, 1, 0, 3]
        #expect(
            try sheet.image(of: [folder.path]) == ImageRun.sheet(1, 10, order.map { ImageRun.picture($0, 1) }))
    }

    @Test("Of a population a row is ordered by the chain that it is of")
    func population() throws {
        let folder = try TemporaryFolder()
        let selection = [0, 2, 2, 2, 3, 5, 5, 7, 9, 9]
        try ImageRun.finish(in: folder.path, ImageRun.description(selects: true), selection: selection)
        var sheet = RunSheet()
        (sheet.grid, sheet.order) = (SheetGrid(rows: 1, columns: 10), .acceptance)
        let order = [0, 5, 5, 3, 9, 9, 2, 2, 2, 7]
        #expect(
            try sheet.image(of: [folder.path]) == ImageRun.sheet(1, 10, order.map { ImageRun.picture($0, 1) }))
    }

    @Test("Chains and draws that are named make a row of each chain")
    func chosen() throws {
        let folder = try run()
        var sheet = RunSheet()
        (sheet.chains, sheet.draws) = ([7, 1], [0, 1])
        let pictures = [(7, 0), (7, 1), (1, 0), (1, 1)].map { ImageRun.picture($0.0, $0.1) }
        #expect(try sheet.image(of: [folder.path]) == ImageRun.sheet(2, 2, pictures))
        sheet.draws = nil
        sheet.grid = SheetGrid(rows: 1, columns: 2)
        #expect(
            try sheet.image(of: [folder.path])
                == ImageRun.sheet(1, 2, [ImageRun.picture(7, 1), ImageRun.picture(1, 1)]))
    }

    @Test("Several runs have a row each, by their labels if that is wished")
    func severalRuns() throws {
        let (high, low) = (try run(), try TemporaryFolder())
        try ImageRun.finish(
            in: low.path,
            ImageRun.description(selects: true, text: Array(#"{"models":{"a":{"label":2}}}"#.utf8)),
            selection: [0, 2, 2, 2, 3, 5, 5, 7, 9, 9])
        var sheet = RunSheet()
        sheet.grid = SheetGrid(rows: 1, columns: 3)
        sheet.chains = [4, 5, 6]
        let highRow = [4, 5, 6].map { ImageRun.picture($0, 1) }
        let lowRow = [3, 5, 5].map { ImageRun.picture($0, 1) }
        #expect(try sheet.image(of: [high.path, low.path]) == ImageRun.sheet(2, 3, highRow + lowRow))
        sheet.order = .label
        #expect(try sheet.image(of: [high.path, low.path]) == ImageRun.sheet(2, 3, lowRow + highRow))
        sheet.isDescending = true
        #expect(try sheet.image(of: [low.path, high.path]) == ImageRun.sheet(2, 3, highRow + lowRow))
        #expect(try FinishedSamples(folder: high.path).labels() == [3, 1])
        let plain = try TemporaryFolder()
        try ImageRun.finish(in: plain.path, ImageRun.description(text: Array("{}".utf8)))
        #expect(refusal(sheet, [high.path, plain.path])?.reason.contains("names no label") == true)
    }

    @Test("Six runs of as many rows as one run may have make a sheet")
    func manyRows() throws {
        let folder = try run()
        var sheet = RunSheet()
        sheet.grid = SheetGrid(rows: SheetGrid.most / 5, columns: 1)
        let image = try sheet.image(of: [String](repeating: folder.path, count: 6))
        #expect(image.height > SheetGrid.most)
    }

    @Test("Points on the way have a row for each chain that kept some, in the order that is asked for")
    func traced() throws {
        let folder = try TemporaryFolder()
        let text = Array(#"{"block":4}"#.utf8)
        try ImageRun.finish(
            in: folder.path, ImageRun.description(selects: true, isTraced: true, text: text),
            selection: [0, 2, 2, 2, 3, 5, 5, 7, 9, 9])
        func rows(_ chains: [Int]) -> [[Float]] {
            chains.flatMap { chain in (0..<2).map { ImageRun.picture(chain + 40, $0) } }
        }
        var sheet = RunSheet()
        sheet.isTrace = true
        let kept = [0, 1, 2, 4, 5, 6, 8, 9]
        #expect(try sheet.image(of: [folder.path]) == ImageRun.sheet(8, 2, rows(kept)))
        // Of the chains themselves, not of the samples that were selected among them.
        sheet.order = .acceptance
        let byAcceptance = [0, 5, 8, 1, 6, 4, 9, 2]
        #expect(try sheet.image(of: [folder.path]) == ImageRun.sheet(8, 2, rows(byAcceptance)))
        sheet = RunSheet()
        (sheet.isTrace, sheet.chains) = (true, [9, 4])
        #expect(try sheet.image(of: [folder.path]) == ImageRun.sheet(2, 2, rows([9, 4])))
        sheet.chains = [3]
        #expect(refusal(sheet, [folder.path])?.reason.contains("no points of chain 3") == true)
        sheet.chains = nil
        let plain = try run()
        #expect(refusal(sheet, [plain.path])?.reason.contains("kept no points on the way") == true)
    }

    @Test("What can't be shown is refused with the reason")
    func refusals() throws {
        let folder = try run()
        var sheet = RunSheet()
        sheet.chains = [3, 10]
        #expect(refusal(sheet, [folder.path])?.reason == "has no chain 10; there are 10, counted from 0")
        sheet.chains = nil
        sheet.draws = [2]
        #expect(refusal(sheet, [folder.path])?.reason == "has no draw 2; there are 2, counted from 0")
        sheet = RunSheet()
        sheet.grid = SheetGrid(rows: 1000, columns: 1000)
        #expect(refusal(sheet, [folder.path])?.reason.contains("too many for a sheet") == true)
        #expect(refusal(sheet, [folder.path])?.exitStatus == 64)
        sheet = RunSheet()
        #expect(refusal(sheet, [folder("nowhere")])?.code == .missing)
        #expect(refusal(sheet, [folder("samples.npy")])?.code == .missing)
        let points = try TemporaryFolder()
        _ = try SmallRun.finish(in: points.path)
        #expect(refusal(sheet, [points.path])?.reason.contains("the shape [3]") == true)
        #expect(refusal(sheet, [folder.path, points.path])?.reason.contains("those of") == true)
        var bytes = try folder.bytes("samples.npy")
        bytes[200] ^= 1
        try folder.write(bytes, "samples.npy")
        #expect(refusal(sheet, [folder.path])?.code == .malformed)
        #expect(refusal(sheet, [folder.path])?.reason.contains("--force") == true)
    }

    @Test("A picture is written beside a run or over another picture, never over anything else")
    func writing() throws {
        let folder = try run()
        let image = PNGImage(width: 2, height: 1, channels: 1, bytes: [7, 9])
        let nowhere = failure { () throws(RunFolderError) in try RunFolder.write(image, to: folder("no/a.png")) }
        #expect(nowhere?.code == .cannotCreate && nowhere?.path == folder("no/a.png"))
        func refused(_ name: String) -> Bool {
            let error = failure { () throws(RunFolderError) in try RunFolder.write(image, to: folder(name)) }
            return error?.code == .cannotCreate
        }
        for name in RunFolder.ownNames { #expect(refused(name), "\(name)") }
        try folder.write([1, 2, 3, 4, 5], "notes.png")
        #expect(refused("notes.png"))
        for _ in 0..<2 { try RunFolder.write(image, to: folder("picture.png")) }
        #expect(try PNGImage(decoding: folder.bytes("picture.png")) == image)
        #expect(try RunFolder.content(of: folder.path) == .finished(jobHash: ImageRun.description().jobHash))
    }
}
