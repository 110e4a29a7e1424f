import ContentHash
import Foundation
import Pictures
import Safetensors
import SampleMessages
import StrictJSON

@testable import Journal
@testable import RunFolder
@testable import Training

/// What decoders begin with: the files of this repository, and what its writers write.
enum Seeds {
    private static let root =
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path + "/"
    /// Of a file that is worth beginning with.
    private static let longest = 1 << 16

    /// The files of a folder and those in it that end so.
    static func files(_ folder: String, endings: [String]) throws -> [[UInt8]] {
        try FileManager.default.subpathsOfDirectory(atPath: root + folder).sorted()
            .filter { path in endings.contains(where: path.hasSuffix) }
            .map { try file("\(folder)/\($0)") }.filter { $0.count <= longest }
    }

    static func path(_ path: String) -> String { root + path }

    static func file(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: root + path))) }

    static func texts(_ texts: String...) -> [[UInt8]] { texts.map { Array($0.utf8) } }

    // MARK: Jobs

    /// Every kind of model that is written out, and every operator.
    static let jobOfAll = #"""
        {"rrr": 1, "name": "all", "seed": "18446744073709551615",
         "models": {
           "ring": {"kind": "gaussian_mixture", "means": [[0.5, 0.0], [0.0, 0.5]], "std": [0.03, [0.1, 0.2]]},
           "bar": {"kind": "uniform_box", "low": [-0.2, -1.0], "high": [0.2, 1.0]},
           "blob é/~": {"kind": "gaussian", "mean": [1e-3, -0.0], "covariance": [[1, 0.5], [0.5, 1]]}},
         "target": {"product": [
             {"mixture": ["ring", "bar"], "weights": [1, 2.5], "log_normalizers": [0, "estimate"]},
             {"mixture": ["ring", {"bounded": {"of": "bar", "low": [-1, -1], "high": [1, 1]}}], "sharpness": 3.5},
             {"negation": {"of": "ring", "by": {"tempered": {"of": "bar", "temperature": 2}}, "weight": 0.3}},
             {"guidance": {"unconditional": "ring", "conditional": ["bar", "blob é/~"], "scale": 4}}],
           "weights": [1, 0.5, 1e-7, -0.3]},
         "schedule": {"kind": "linear", "levels": 4}, "allow_unnormalized": true,
         "sampler": {"kind": "hmc", "transitions": 7, "leapfrog": 4, "damping": 0.9, "mass": [1, 2, 3, 4],
           "step_size": {"beta_power": [0.1, 0.5]}, "reverse_steps": true, "levels": [0, 2]},
         "chains": 2000, "draws": 3, "thin": 5, "block": 100, "output": {"formats": ["npy"], "trace": [3, 0]}}
        """#

    /// Points of three axes, a server, a refinement and a population.
    static let jobOfImages = #"""
        {"rrr": 1, "name": "images", "seed": 1, "models": {
           "light": {"kind": "gaussian", "shape": [3, 2, 2], "mean": 0.5, "std": 0.25},
           "sd": {"kind": "server", "server": "sd", "shape": [3, 2, 2], "gives": "energy", "condition": {"text": "é"}},
           "range": {"kind": "uniform_box", "shape": [3, 2, 2], "low": -1, "high": 1}},
         "target": {"bounded": {"of": {"product": ["light", "sd", "range"]}, "low": -2, "high": 2}},
         "sampler": {"kind": "mala", "step_size": 0.01, "population": {"threshold": 0.5, "bridges": 3},
           "refinement": {"levels": 3}},
         "chains": 10, "output": {"grid": [2, 5]}}
        """#

    /// Jobs with model files.
    static func jobsOfNetworks() -> [[UInt8]] {
        let digests = Networks.paths.sorted { $0.value < $1.value }.map(\.key.hex)
        let names = digests.indices.map { "m\($0)" }
        let models = zip(names, digests).map { #""\#($0)": {"kind": "network", "sha256": "\#($1)"}"# }
        return names.map { name in
            Array(
                #"""
                {"rrr": 1, "name": "networks", "models": {\#(models.joined(separator: ", "))}, "target": "\#(name)",
                 "schedule": {"kind": "cosine", "levels": 10}, "chains": 4, "sampler": {"kind": "ula", "step_size": 0.1}}
                """#.utf8)
        }
    }

    // MARK: Other texts

    /// With keys that ZeroMQ's manual shows, so that nobody else has them.
    static func keyFile(secret: Bool) -> String {
        let key = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
        return secret
            ? #"""
            {"rrr_key": 1, "owner": "worker", "public": "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
             "secret": "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs", "server": "\#(key)"}
            """#
            : #"{"rrr_key": 1, "owner": "submitter", "public": "\#(key)"}"#
    }

    /// Of a run with all that a summary may tell.
    static let summary = Array(
        RunSummary(
            jobHash: "00ff", name: "all", chains: 4, draws: 1, shape: [2], acceptanceMean: 0.875,
            acceptancePerLevel: [nil, 0.75], stepSize: [nil, 0.03], gradientEvaluations: 6, divergences: 3,
            logNormalizer: RunSummary.LogNormalizer(estimate: -1.5, standardError: 0.01, perLevel: [-1.5, nil]),
            population: RunSummary.PopulationWorth(effectiveSize: 3.5, distinctChains: 3, ancestors: 2),
            preliminaries: [
                RunSummary.PreliminaryRun(
                    jobHash: "0a", name: "n", gradientEvaluations: 30, component: "\"bar\"",
                    logNormalizer: RunSummary.LogNormalizer(estimate: 0.5, standardError: nil, perLevel: [0.5]))
            ],
            logDensity: RunSummary.LogDensity(mean: -2.25, standardDeviation: 0.5), warnings: ["few \"ancestors\""],
            diagnostics: RunDiagnostics(
                chains: 4, draws: 1, variables: [RunDiagnostics.Variable(name: "x[0]", mean: 1)],
                checks: [RunDiagnostics.Check(name: "acceptance", value: nil, limit: 1, passes: true, text: "so")]),
            samplesSHA256: "abcd"
        ).json.utf8)

    // MARK: Arrays, archives and pictures

    /// One of each kind of numbers, and headers as others write them.
    static func arrays() throws -> [[UInt8]] {
        let written = try NpyElementType.allCases.map { type in
            try NpyHeader(elementType: type, shape: [2, 2]).bytes + [UInt8](repeating: 1, count: 4 * type.size)
        }
        let foreign = [
            #"{"shape": (2,), "descr": ">f8", "fortran_order": True}"#,
            "{'descr':'|u1','fortran_order':False,'shape':(1,4,4L)} ",
        ]
        return written
            + foreign.map { text in
                NpyHeader.magic + [1, 0, UInt8(text.utf8.count + 1), 0] + text.utf8 + [0x0A]
                    + [UInt8](repeating: 7, count: 16)
            }
    }

    /// Archives of two arrays: with the numbers of short ones, and of long ones.
    static func archives() throws -> [[UInt8]] {
        let array = try NpyHeader(elementType: .float32, shape: [2]).bytes + [0, 0, 0x80, 0x3F, 0, 0, 0, 0]
        return [Int(UInt32.max), 1].map { threshold in
            var archive: [UInt8] = []
            var entries: [ZipEntry] = []
            for name in ["a.npy", "b.npy"] {
                let entry = ZipEntry(
                    name: name, size: array.count, offset: archive.count, zip64Threshold: threshold, checksum: 0)
                archive += entry.localHeader + array
                entries.append(entry)
            }
            let directory = entries.flatMap(\.centralHeader)
            var tail = LittleEndianBytes()
            if threshold == 1 {
                tail.append(0x0606_4b50 as UInt32)
                tail.append(44 as UInt64)
                tail.append([45, 45] as [UInt16])
                tail.append([0, 0] as [UInt32])
                tail.append([2, 2, UInt64(directory.count), UInt64(archive.count)])
                tail.append([0x0706_4b50, 0] as [UInt32])
                tail.append(UInt64(archive.count + directory.count))
                tail.append(1 as UInt32)
            }
            let isLong = threshold == 1
            tail.append(0x0605_4b50 as UInt32)
            tail.append([0, 0, 2, isLong ? .max : 2] as [UInt16])
            tail.append([isLong ? .max : UInt32(directory.count), isLong ? .max : UInt32(archive.count)])
            tail.append(0 as UInt16)
            return archive + directory + tail.values
        }
    }

    /// A picture's file with the checksums that its chunks have to have; other bytes as they are.
    static func checked(picture file: [UInt8]) -> [UInt8] {
        func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
        var (file, place) = (file, 8)
        while place + 12 <= file.count {
            let end = place + 8 + number(file[place..<place + 4])
            guard end + 4 <= file.count else { break }
            var checksum = CRC32()
            checksum.update(Array(file[place + 4..<end]))
            for byte in 0..<4 {
                file[end + byte] = UInt8(truncatingIfNeeded: checksum.value >> (24 - 8 * UInt32(byte)))
            }
            place = end + 4
        }
        return file
    }

    /// Of one, three and four channels.
    static func pictures() throws -> [[UInt8]] {
        try [1, 3, 4].map { channels in
            let bytes = (0..<channels * 12).map { UInt8($0 * 5) }
            return try PNGImage(width: 4, height: 3, channels: channels, bytes: bytes).encoded()
        }
    }

    // MARK: Tensors

    /// A file with tensors of several kinds.
    static func tensors() throws -> [UInt8] {
        try written { path in
            try SafetensorsFile.write(
                [
                    StoredTensor("a", shape: [2, 1], .float32([1, -1])), StoredTensor("b", shape: [], .float64([2])),
                    StoredTensor("c", shape: [0], .float16([])), StoredTensor("d", shape: [1], .unsigned64([7])),
                ], metadata: ["format": "pt"], to: path)
        }
    }

    /// What a training is, for its checkpoint.
    static var identity: JSONText { .object([("a", .integer(1))]) }

    static func trainingCheckpoint() throws -> [UInt8] {
        try written { path in
            try Checkpoint(
                optimizer: Adam(
                    steps: 2, parameters: [1, 2], firstMoment: [0, 0], secondMoment: [0, 0], average: [1, 2]),
                losses: [0.5, 0.25]
            ).write(to: path, identity: identity)
        }
    }

    /// What is in a file that `write` makes.
    static func written(_ write: (String) throws -> Void) throws -> [UInt8] {
        let file = ScratchFile("written")
        try write(file.path)
        defer { file.remove() }
        return Array(try Data(contentsOf: URL(filePath: file.path)))
    }

    // MARK: Model servers

    /// A description, numbers and a problem.
    static let serverReplies: [[UInt8]] = {
        let description =
            Wire.bytes(1, Array("sd".utf8)) + Wire.number(2, 1) + Wire.bytes(3, [2, 3]) + Wire.number(4, 64)
            + Wire.bytes(5, [UInt8](repeating: 0x3F, count: 16)) + Wire.bytes(6, Array("text".utf8))
            + Wire.bytes(7, Array("torch 2.4".utf8)) + Wire.bytes(8, Array("cpu".utf8))
            + Wire.bytes(9, Array("00ff".utf8)) + Wire.bytes(10, Array("09ab".utf8))
        let evaluated = Wire.number(1, 3) + Wire.bytes(2, Array("09ab".utf8))
        let problem = Wire.bytes(1, Array("no".utf8)) + Wire.bytes(2, Array("a\nb".utf8))
        return [(10, description), (11, evaluated), (15, problem)].map { field, body in
            Wire.number(1, 1) + Wire.number(2, 7) + Wire.bytes(field, body)
        }
    }()

    // MARK: Journals

    private static func entries() throws -> [JournalEntry] {
        let text = Array("{}".utf8)
        let record = JobRecord(number: 1, hash: SHA256.hash(of: text), text: text, submittedAt: 1e9, timeLimit: 60)
        return [
            .accepted(record), .worker(job: 1, WorkerDescription(name: "w", host: "h", process: 7, slots: 2)),
            .finished(
                job: 1, block: 0,
                FinishedBlock(attempt: 2, worker: "w", seconds: 1, gradientEvaluations: 10, checksum: 5)),
            .statePiece(
                job: 1, block: 1, attempt: 1, StatePiece(stepsDone: 3, offset: 0, data: [1, 2], isFirst: true)),
            .checkpoint(
                job: 1, block: 1, StoredCheckpoint(attempt: 1, stepsDone: 3, state: [3], offset: 2, settled: 2)),
            .report(job: 1, block: 2, FailureReport(attempt: 1, worker: "w", reason: "lost")),
        ]
    }

    /// One with an entry of each kind that lasts.
    static func journal() throws -> [UInt8] {
        let folder = ScratchFile.folder + "written-state"
        try? FileManager.default.removeItem(atPath: folder)
        let journal = try Journal(folder: folder, durability: .process)
        try journal.append(entries())
        journal.close()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return Array(try Data(contentsOf: URL(filePath: "\(folder)/\(Journal.fileName)")))
    }

    /// A job with a worker and a finished block, a checkpoint in pieces and a report, as ``JournalRows`` takes them.
    static let rows: [[UInt8]] = {
        let one: [UInt8] = [1, 1], zero: [UInt8] = [1, 0], two: [UInt8] = [1, 2], name: [UInt8] = [5, 1, 0x77]
        let real: [UInt8] = [4, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0], none: [UInt8] = [0], bytes: [UInt8] = [7, 2, 1, 2]
        let hash: [UInt8] = [6] + [UInt8](repeating: 9, count: 32)
        func row(_ table: UInt8, _ values: [UInt8]...) -> [UInt8] { [table] + values.joined() }
        let job = row(
            0, one, hash, bytes, real, zero, real, none, none, one, zero, none, name, none, zero)
        let ended = row(
            0, two, hash, bytes, real, zero, real, real, real, one, zero, [5, 8] + "finished".utf8, name, real, one)
        let finished = row(1, one, one, name, name, one, one, name, name) + row(2, one, zero, two, one, real, one, none)
        let checkpoint =
            row(3, one, one, one, two, bytes, two, two) + row(4, one, one, one, two, zero, bytes)
            + row(5, one, one, zero, bytes)
        let report = row(6, one, one, two, one, name, name) + row(7, [5, 3] + "job".utf8, two)
        return [job, job + ended, job + finished, job + checkpoint, job + finished + checkpoint + report]
    }()
}
