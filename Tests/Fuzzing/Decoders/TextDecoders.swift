import ContentHash
import EnergyModels
import ForeignNetworks
import Foundation
import JobFile
import StrictJSON

@testable import ModelImport
@testable import PoolKeys
@testable import RunFolder
@testable import Training

/// Decoders of texts.
extension FuzzedDecoder {
    static let json = FuzzedDecoder("json") {
        try Seeds.files("Examples", endings: [".json"])
            + Seeds.texts(#"[1e-7, "\u00e9\ud83d\ude00\n", null, true, {"a": {"": []}}]"#, "\u{FEFF}{}", "[NaN]")
    } takes: { bytes in
        guard let node = try? JSONParser.parse(bytes) else { return false }
        let text = node.text.canonical
        let again = try? JSONParser.parse(Array(text.utf8))
        try expect(again?.text.canonical == text, "\(text) is read as something else")
        return true
    }

    static let job = FuzzedDecoder("job") {
        try Seeds.files("Examples", endings: [".json"])
            + Seeds.files("Tests/JobFileTests/Malformed", endings: [".json"])
            + Seeds.texts(Seeds.jobOfAll, Seeds.jobOfImages) + Seeds.jobsOfNetworks()
    } takes: { bytes in
        guard let job = try? Job.decode(bytes, file: "job", model: { Networks.paths[$0] }) else { return false }
        let text = job.canonicalText
        let again = try? Job.decode(Array(text.utf8), file: "job") { Networks.paths[$0] }
        try expect(again?.canonicalText == text, "\(text) is read as something else")
        // What a coordinator asks of every job that is handed in.
        _ = (job.problemOfBlocks, job.mostStateBytes, job.storedBytes, job.blocks, job.statistics, job.warnings)
        _ = (job.stepSizes, job.pictureLayout, job.servers, job.networkNames)
        if let preliminary = job.preliminary?.job {
            _ = (preliminary.problemOfBlocks, preliminary.mostStateBytes, preliminary.statistics)
            let text = preliminary.canonicalText
            let again = try? Job.decode(Array(text.utf8), file: "job") { Networks.paths[$0] }
            try expect(again?.canonicalText == text, "the preliminary job \(text) is read as something else")
        }
        return true
    }

    static let trainingSpec = FuzzedDecoder("training-spec") {
        try Seeds.files("Examples", endings: [".json"])
            + Seeds.files("Tests/TrainingTests/Malformed", endings: [".json"])
    } takes: { bytes in
        (try? TrainingSpec.decode(bytes, file: "spec.json")) != nil
    }

    static let networkDescription = FuzzedDecoder("network-description") {
        try Networks.descriptions.map { Array($0.utf8) }
    } takes: { bytes in
        guard let node = try? JSONParser.parse(bytes),
            let description = try? NetworkDescription.decode(JSONField(node: node, pointer: ""))
        else { return false }
        let text = description.jsonText
        let again = (try? JSONParser.parse(Array(text.utf8)))
            .flatMap { try? NetworkDescription.decode(JSONField(node: $0, pointer: "")) }
        try expect(again?.jsonText == text, "\(text) is read as something else")
        // A file of tensors is compared with these at once.
        _ = description.architecture.parameters.count
        return true
    }

    static let keyFile = FuzzedDecoder("key-file") {
        Seeds.texts(Seeds.keyFile(secret: true), Seeds.keyFile(secret: false))
    } takes: { bytes in
        guard let keys = try? KeyFile(json: bytes) else { return false }
        let file = ScratchFile("key")
        file.remove()
        try keys.write(to: file.path)
        let again = try KeyFile(path: file.path, isSecret: true)
        try expect(
            (again.owner, again.publicKey, again.secret, again.server)
                == (keys.owner, keys.publicKey, keys.secret, keys.server), "keys are written as others")
        return true
    }

    static let summary = FuzzedDecoder("summary") {
        [Seeds.summary]
    } takes: { bytes in
        // A seal that is right, as whoever changes a summary on purpose would make it.
        var text = bytes
        if case .object(let members)? = (try? JSONParser.parse(bytes))?.text {
            text = Seal.text(of: members.filter { $0.0 != "content_sha256" })
        }
        guard let summary = try? RunSummary(json: text) else { return (try? RunSummary(json: bytes)) != nil }
        let again = try? RunSummary(json: Array(summary.json.utf8))
        try expect(again?.json == summary.json, "a summary is written as another")
        _ = summary.text
        return true
    }

    static let importConfiguration = FuzzedDecoder("import-config") {
        try Networks.foreign.flatMap { $0.texts.values.map { Array($0.utf8) } }
            + Seeds.texts(#"{"weight_map": {"a": "x-1.safetensors", "b": "x-2.safetensors"}}"#)
    } takes: { bytes in
        let file = ScratchFile("config.json")
        file.fill(bytes)
        guard let (_, field) = try? JSONDocument.read(file.path) else { return false }
        let configuration = try? DiffusersConfig(field)
        let scheduler = try? DiffusersScheduler(field)
        return configuration != nil || scheduler != nil || (try? ShardIndex(path: file.path)) != nil
    }
}

extension JSONNode {
    /// What it says, as it would be written.
    var text: JSONText {
        switch value {
        case .null: .null
        case .bool(let value): .bool(value)
        case .number(let text): .number(Double(text) ?? .nan)
        case .string(let text): .string(text)
        case .array(let nodes): .array(nodes.map(\.text))
        case .object(let members): .object(members.map { ($0.name, $0.node.text) })
        }
    }
}
