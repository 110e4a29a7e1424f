import ContentHash
import Foundation
import Messaging
import Testing

@testable import ModelTransfer

@Suite("A store of model files")
struct ModelStoreTests {
    @Test("what is sent piece by piece is kept under its hash, readable by its owner alone")
    func keeping() throws {
        let folder = try StoreFolder()
        defer { folder.remove() }
        let store = try folder.store()
        for bytes in [0, 1, 1 << 20, 5 << 20 + 7] {
            let (path, model) = try folder.file(bytes: bytes, seed: 1)
            #expect(try store.open(model) == nil)
            let stored = try send(model, from: path, to: store)
            #expect(try SHA256.hash(ofFile: stored.path) == model)
            #expect(try store.open(model)?.path == stored.path)
        }
        #expect(try folder.names(store).count == 4)
        let permissions = try FileManager.default.attributesOfItem(atPath: store.folder)[.posixPermissions] as? Int
        #expect(permissions == 0o700)
    }

    @Test("a file whose content is not its name is refused and leaves nothing")
    func wrongContent() throws {
        let folder = try StoreFolder()
        defer { folder.remove() }
        let store = try folder.store()
        let (path, model) = try folder.file(bytes: 3 << 20, seed: 1)
        let error = #expect(throws: ModelTransferError.self) {
            try send(model, from: path, to: store) { $0.data[0] ^= $0.offset == 1 << 20 ? 1 : 0 }
        }
        #expect(error?.code == .wrongContent)
        #expect(error?.description.contains(model.hex) == true)
        let changed = #expect(throws: ModelTransferError.self) {
            try send(model, from: path, to: store) { $0.total += $0.offset > 0 ? 1 : 0 }
        }
        #expect(changed?.code == .wrongContent)
        #expect(try folder.names(store) == [])
    }

    @Test("a file that says it is larger than any may be is refused at its first piece")
    func tooLarge() throws {
        let folder = try StoreFolder()
        defer { folder.remove() }
        let (path, model) = try folder.file(bytes: 100, seed: 1)
        var pieces = 0
        let error = #expect(throws: ModelTransferError.self) {
            try send(model, from: path, to: try folder.store()) {
                $0.total = ModelStore.largestModel + 1
                pieces += 1
            }
        }
        #expect(error?.description.contains("at most \(4 << 30)") == true)
        #expect(pieces == 1)
    }

    @Test("a file that was damaged or cut off on the disk is thrown away the first time a process opens it")
    func damage() throws {
        let folder = try StoreFolder()
        defer { folder.remove() }
        let (path, model) = try folder.file(bytes: 1_000, seed: 1)
        let stored = try send(model, from: path, to: try folder.store()).path
        for damaged in [Data("other".utf8), try Data(contentsOf: URL(fileURLWithPath: path)).dropLast()] {
            try damaged.write(to: URL(fileURLWithPath: stored))
            // A new value stands for a new process: what was found good before is forgotten.
            let store = try folder.store()
            #expect(try store.open(model) == nil)
            #expect(try folder.names(store) == [])
            try send(model, from: path, to: store)
            #expect(try folder.store().open(model) != nil)
        }
    }

    @Test("beyond the limit the least recently used go first, and never those that somebody uses")
    func eviction() throws {
        let folder = try StoreFolder()
        defer { folder.remove() }
        let files = try (1...4).map { try folder.file(bytes: 1_000, seed: UInt8($0)) }
        let store = try folder.store(limit: 2_500)
        func age(_ index: Int, _ seconds: Double) throws {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -seconds)],
                ofItemAtPath: store.path(of: files[index].model))
        }
        for index in 0...1 { try send(files[index].model, from: files[index].path, to: store) }
        try age(0, 100)
        try age(1, 50)
        // Opening makes the older one the younger.
        #expect(try store.open(files[0].model) != nil)
        try send(files[2].model, from: files[2].path, to: store)
        #expect(try store.open(files[1].model) == nil)

        // Another process, as its own store, holds the oldest.
        let held = try #require(try folder.store(limit: 2_500).open(files[0].model))
        try age(0, 100)
        try age(2, 50)
        try send(files[3].model, from: files[3].path, to: store)
        #expect(try store.open(files[2].model) == nil)
        #expect(FileManager.default.fileExists(atPath: held.path))
        #expect(try store.open(files[3].model) != nil)
        withExtendedLifetime(held) {}
    }

    @Test("a file larger than the limit is kept as long as it is used, and goes when the next one comes")
    func limitBelowFile() throws {
        let folder = try StoreFolder()
        defer { folder.remove() }
        let store = try folder.store(limit: 10)
        let (first, second) = (try folder.file(bytes: 100, seed: 1), try folder.file(bytes: 100, seed: 2))
        var held: StoredModel? = try send(first.model, from: first.path, to: store)
        let other = try send(second.model, from: second.path, to: store)
        #expect(try folder.names(store).count == 2)
        withExtendedLifetime(held) { held = nil }
        _ = try folder.store(limit: 10)
        #expect(try folder.names(store) == [other.digest.hex + ".safetensors"])
    }

    @Test("many at once, in several stores on one folder, do not disturb each other")
    func concurrent() async throws {
        let folder = try StoreFolder()
        defer { folder.remove() }
        let files = try (1...3).map { try folder.file(bytes: 2 << 20 + 3, seed: UInt8($0)) }
        let stores = try (0..<4).map { _ in try folder.store(limit: 5 << 20) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for round in 0..<24 {
                group.addTask {
                    let (path, model) = files[round % 3]
                    let stored = try stores[round % 4].open(model) ?? send(model, from: path, to: stores[round % 4])
                    #expect(try SHA256.hash(ofFile: stored.path) == model)
                }
            }
            try await group.waitForAll()
        }
        #expect(try folder.names(stores[0]).allSatisfy { $0.hasSuffix(".safetensors") })
    }

    @Test("what a killed process left behind goes after an hour, what another one is writing stays")
    func leftovers() throws {
        let folder = try StoreFolder()
        defer { folder.remove() }
        let store = try folder.store()
        let model = SHA256.hash(of: [1])
        let writing = try ModelDownload(model, into: store, at: .zero)
        let old = store.folder + "/.\(model.hex).0123abcd.partial"
        try Data([1]).write(to: URL(fileURLWithPath: old))
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -4_000)], ofItemAtPath: old)
        _ = try folder.store()
        #expect(!FileManager.default.fileExists(atPath: old))
        #expect(try folder.names(store).count == 1)
        _ = writing
    }

    @Test("a folder that cannot be made is told with its name")
    func noFolder() throws {
        let folder = try StoreFolder()
        defer { folder.remove() }
        try Data().write(to: URL(fileURLWithPath: folder.path + "/file"))
        let error = #expect(throws: ModelTransferError.self) { try folder.store("file/models") }
        #expect(error?.code == .cannotCreate)
        #expect(error?.description.contains("/file/models") == true)
    }

    @Test("the sender answers for what it does not have, and for places that a file does not have")
    func unavailable() throws {
        let folder = try StoreFolder()
        defer { folder.remove() }
        let (path, model) = try folder.file(bytes: 10, seed: 1)
        for (place, offset) in [(nil, 0), ("/nowhere/model", 0), (path, 11)] as [(String?, Int)] {
            let answer = ModelUpload.answer(.init(model: model, offset: offset, length: 5), from: place)
            guard case .modelUnavailable(model, reason: let reason) = answer else {
                Issue.record("another answer")
                continue
            }
            #expect(!reason.isEmpty)
        }
    }
}
