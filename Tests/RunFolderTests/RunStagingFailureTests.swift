import Testing

@testable import RunFolder

@Suite("Output folders when things go wrong")
struct RunStagingFailureTests {
    @Test(
        "Blocks with wrong counts are refused and change nothing",
        arguments: [
            { $0.chains = 3 }, { $0.chains = 0 }, { $0.chains = Int.max }, { $0.firstChain = -1 },
            { $0.firstChain = 7 }, { $0.firstChain = Int.max }, { $0.samples.removeLast() }, { $0.samples += [0, 0] },
            { $0.statistics["acceptance"]?.removeLast() }, { $0.statistics["log_density"]?.append(0) },
            { $0.statistics["divergences"] = [] }, { $0.statistics["size"]? += [0, 0, 0, 0] },
            { $0.statistics["size"] = nil }, { $0.statistics["divergences"]?[3] = 0x80 },
            { $0.statistics["colour"] = [] }, { $0.statistics = StatisticRows($0.statistics.entries.reversed()) },
            { $0.firstChain = 2 }, { $0.gradientEvaluations = -1 },
        ] as [@Sendable (inout BlockRecord) -> Void])
    func wrongCounts(change: @Sendable (inout BlockRecord) -> Void) throws {
        let folder = try TemporaryFolder()
        let run = try RunStaging(folder: folder.path, description: SmallRun.description)
        var block = SmallRun.blocks[0]
        change(&block)
        let error = failure { () throws(RunFolderError) in try run.record(block) }
        #expect(error?.code == .invalidValue)
        #expect(run.recordedChains == 0)
        for block in SmallRun.blocks { try run.record(block) }
        #expect(
            try run.finish(provenance: SmallRun.provenance, conclusion: SmallRun.conclusion).gradientEvaluations == 1012
        )
    }

    @Test("A chain that is recorded already is refused")
    func repeated() throws {
        let folder = try TemporaryFolder()
        let run = try RunStaging(folder: folder.path, description: SmallRun.description)
        try run.record(SmallRun.blocks[1])
        for blocks in [[1], [0, 1], [1, 2]] {
            let block = BlockRecord.joined(blocks.map { SmallRun.blocks[$0] }, upTo: 1_000)[0]
            let error = failure { () throws(RunFolderError) in try run.record(block) }
            #expect(error?.code == .invalidValue)
            #expect(error?.reason.contains("recorded already") == true)
        }
        #expect(run.recordedChains == 4)
    }

    @Test("A run with chains missing cannot be finished, goes on, and cannot be finished twice")
    func unfinished() throws {
        let folder = try TemporaryFolder()
        let run = try RunStaging(folder: folder.path, description: SmallRun.description)
        try run.record(SmallRun.blocks[2])
        let error = failure { () throws(RunFolderError) in
            _ = try run.finish(provenance: SmallRun.provenance, conclusion: SmallRun.conclusion)
        }
        #expect(error?.code == .incomplete)
        #expect(error?.reason == "only 2 of 10 chains are recorded")
        #expect(!run.isReadyToFinish)
        try run.record(SmallRun.blocks[0])
        try run.record(SmallRun.blocks[1])
        #expect(run.isReadyToFinish)
        _ = try run.finish(provenance: SmallRun.provenance, conclusion: SmallRun.conclusion)
        let again = failure { () throws(RunFolderError) in
            _ = try run.finish(provenance: SmallRun.provenance, conclusion: SmallRun.conclusion)
        }
        #expect(again?.code == .invalidValue)
    }

    @Test("Before the end all names are hidden, and a dropped run leaves none")
    func hiddenNames() throws {
        let folder = try TemporaryFolder()
        do {
            let run = try RunStaging(folder: folder.path, description: SmallRun.description)
            for block in SmallRun.blocks { try run.record(block) }
            #expect(
                try folder.names == [
                    ".acceptance.npy.partial", ".divergences.npy.partial", ".job.json.partial",
                    ".log_density.npy.partial", ".samples.npy.partial", ".size.npy.partial",
                ])
            #expect(!RunFolder.isComplete(folder.path, jobHash: SmallRun.hash))
        }
        #expect(try folder.names == [])
    }

    @Test("What a killed run left is replaced by the next")
    func leftovers() throws {
        let folder = try TemporaryFolder()
        for name in SmallRun.finalNames + ["acceptance.npy", "log_density.npy", "divergences.npy"] {
            try folder.write([1, 2, 3], ".\(name).partial")
        }
        _ = try SmallRun.finish(in: folder.path)
        #expect(try folder.names == SmallRun.finalNames)
    }

    @Test("Two runs cannot write to one folder at a time")
    func locked() throws {
        let folder = try TemporaryFolder()
        let run = try RunStaging(folder: folder.path, description: SmallRun.description)
        let error = failure { () throws(RunFolderError) in
            _ = try RunStaging(folder: folder.path, description: SmallRun.description)
        }
        #expect(error?.code == .inUse)
        #expect(error?.exitStatus == 75)
        for block in SmallRun.blocks { try run.record(block) }
        _ = try run.finish(provenance: SmallRun.provenance, conclusion: SmallRun.conclusion)
        #expect(try folder.names == SmallRun.finalNames)
    }

    @Test("A folder cannot be made where a file is, nor below it", arguments: ["file", "file/below", "file/a/b"])
    func fileInTheWay(path: String) throws {
        let folder = try TemporaryFolder()
        try folder.write([1], "file")
        let error = failure { () throws(RunFolderError) in
            _ = try RunStaging(folder: folder(path), description: SmallRun.description)
        }
        #expect(error?.code == .cannotCreate)
        #expect(error?.exitStatus == 73)
        #expect(error?.reason == "cannot create the folder: Not a directory")
        #expect(try folder.names == ["file"])
    }

    @Test(
        "A disk that is full at a run's end keeps it, however little is lacking, and it is finished when there is room",
        .enabled(if: TemporaryFolder.mayMount))
    func fullAtTheEnd() throws {
        let undisturbed = try TemporaryFolder()
        _ = try SmallRun.finish(in: undisturbed.path)
        let page = 4_096
        var failures = 0
        for free in 0..<16 {
            let disk = try TemporaryFolder()
            #expect(disk.mount(bytes: 64 * page))
            let place = disk("run")
            var run = try RunStaging(folder: place, description: SmallRun.description)
            for block in SmallRun.blocks { try run.record(block) }
            try run.sync()
            // All that there is, but for a few pages.
            let ballast = try File(disk("ballast"), for: .creating)
            var pages = 0
            while (try? ballast.write([UInt8](repeating: 1, count: page), at: pages * page)) != nil { pages += 1 }
            try ballast.resize(to: max(0, pages - free) * page)
            let error = failure { () throws(RunFolderError) in
                _ = try run.finish(provenance: SmallRun.provenance, conclusion: SmallRun.conclusion)
            }
            if let error {
                failures += 1
                #expect(error.code == .full && error.exitStatus == 74, "\(error)")
                #expect(!RunFolder.hasSummary(in: place))
                // As it goes on later, in this process or another.
                let suspended = run.suspend()
                try ballast.resize(to: 0)
                run = try RunStaging(folder: disk("elsewhere"), description: SmallRun.description)
                run = try RunStaging(resuming: place, description: SmallRun.description, from: suspended)
                _ = try run.finish(provenance: SmallRun.provenance, conclusion: SmallRun.conclusion)
            }
            #expect(try TemporaryFolder.contents(of: place) == TemporaryFolder.contents(of: undisturbed.path))
        }
        #expect(failures > 1 && failures < 16)
    }

    @Test("A final name that cannot be taken leaves a folder that is not complete")
    func blockedName() throws {
        let folder = try TemporaryFolder()
        try Folder.create(folder("statistics.npz/in-the-way"))
        let error = failure { () throws(RunFolderError) in
            let run = try RunStaging(folder: folder.path, description: SmallRun.description)
            for block in SmallRun.blocks { try run.record(block) }
            _ = try run.finish(provenance: SmallRun.provenance, conclusion: SmallRun.conclusion)
        }
        #expect(error?.code == .cannotCreate)
        #expect(try folder.names == ["samples.npy", "statistics.npz"])
        #expect(!RunFolder.isComplete(folder.path, jobHash: SmallRun.hash))
    }

    @Test(
        "Numbers that describe no run are refused",
        arguments: [
            (0, 1, 1, 1, 4), (1, 0, 1, 1, 4), (1, 1, 0, 1, 4), (1, 1, 1, 0, 4), (1, 1, 1, 1, 2), (1, 1, 1, 1, 0),
        ])
    func noRun(chains: Int, draws: Int, dimension: Int, levels: Int, statistics: Int) throws {
        let folder = try TemporaryFolder()
        let description = RunDescription(
            canonicalJob: [], jobHash: "", name: "", chains: chains, draws: draws, shape: [dimension],
            levels: levels, block: 1, statistics: Array(SmallRun.statistics.prefix(statistics)))
        let error = failure { () throws(RunFolderError) in
            _ = try RunStaging(folder: folder("out"), description: description)
        }
        #expect(error?.code == .invalidValue)
        #expect(try folder.names == [])
    }
}
