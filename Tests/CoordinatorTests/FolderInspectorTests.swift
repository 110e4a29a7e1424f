import ContentHash
import CoordinatorCore
import Dispatch
import Foundation
import RunFolder
import Synchronization
import Testing

@testable import Coordinator

/// Finished folders that are looked at, with a reader that is played by the test.
private final class Inspections: Sendable {
    let folder = FileManager.default.temporaryDirectory.path + "/rrr-inspected-\(UUID().uuidString.prefix(8))"
    let job = SHA256.hash(of: [1])
    /// Folders that were read, in order.
    let read = Mutex<[String]>([])
    /// What reading any folder comes to.
    let content: Mutex<RunFolderContent>
    /// Reading a folder of this name waits until it is told to go on.
    let slow = "large"
    let goOn = DispatchSemaphore(value: 0)

    init() { content = Mutex(.finished(jobHash: job.hex)) }

    func inspector() -> FolderInspector {
        FolderInspector { [self] folder in
            read.withLock { $0.append(folder) }
            if folder.hasSuffix(slow) { goOn.wait() }
            return content.withLock { $0 }
        }
    }

    /// Makes a folder with files of a run, of which the samples have so many bytes.
    func make(_ name: String, bytes: Int) throws -> String {
        let path = "\(folder)/\(name)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for file in RunFolder.fileNames { try Data([1]).write(to: URL(filePath: "\(path)/\(file)")) }
        let samples = try FileHandle(forWritingTo: URL(filePath: "\(path)/\(RunFolder.samplesName)"))
        // Without taking room on the disk.
        try samples.truncate(atOffset: UInt64(bytes))
        return path
    }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }
}

struct FolderInspectorTests {
    /// What an inspection finds, within ten seconds.
    private func isSound(_ inspector: FolderInspector, _ job: Digest, _ folder: String) -> Bool? {
        let told = DispatchSemaphore(value: 0)
        let found = Mutex<Bool?>(nil)
        inspector.inspect(job, folder: folder) { condition in
            if case .sound(_) = condition { found.withLock { $0 = true } } else { found.withLock { $0 = false } }
            told.signal()
        }
        _ = told.wait(timeout: .now() + 10)
        return found.withLock { $0 }
    }

    @Test func `What was found sound is not read again as long as no file shows a change`() throws {
        let inspections = Inspections()
        defer { inspections.remove() }
        let inspector = inspections.inspector()
        let folder = try inspections.make("a", bytes: 100)
        for _ in 0..<3 { #expect(isSound(inspector, inspections.job, folder) == true) }
        #expect(inspections.read.withLock { $0.count } == 1)
        for (index, name) in RunFolder.fileNames.enumerated() {
            // Of the same size, in the same place, and with the old time on it.
            let file = URL(filePath: "\(folder)/\(name)")
            let time = try FileManager.default.attributesOfItem(atPath: file.path)[.modificationDate]
            let handle = try FileHandle(forUpdating: file)
            try handle.write(contentsOf: Data([2]))
            try handle.close()
            try FileManager.default.setAttributes([.modificationDate: time as Any], ofItemAtPath: file.path)
            for _ in 0..<2 { #expect(isSound(inspector, inspections.job, folder) == true) }
            #expect(inspections.read.withLock { $0.count } == index + 2, "\(name)")
        }
    }

    @Test func `What is damaged is looked at each time`() throws {
        let inspections = Inspections()
        defer { inspections.remove() }
        let inspector = inspections.inspector()
        let folder = try inspections.make("a", bytes: 100)
        inspections.content.withLock { $0 = .damaged(jobHash: "", reason: "a digit") }
        for _ in 0..<2 { #expect(isSound(inspector, inspections.job, folder) == false) }
        inspections.content.withLock { $0 = .finished(jobHash: "another") }
        #expect(isSound(inspector, inspections.job, folder) == false)
        #expect(inspections.read.withLock { $0.count } == 3)
    }

    @Test func `What lacks a file is looked at each time`() throws {
        let inspections = Inspections()
        defer { inspections.remove() }
        let inspector = inspections.inspector()
        let folder = try inspections.make("a", bytes: 100)
        try FileManager.default.removeItem(atPath: folder + "/job.json")
        for _ in 0..<2 { _ = isSound(inspector, inspections.job, folder) }
        #expect(inspections.read.withLock { $0.count } == 2)
    }

    @Test func `A small folder does not wait behind a large one`() throws {
        let inspections = Inspections()
        defer { inspections.remove() }
        let inspector = inspections.inspector()
        let large = try inspections.make(inspections.slow, bytes: FolderInspector.large)
        let told = DispatchSemaphore(value: 0)
        inspector.inspect(SHA256.hash(of: [2]), folder: large) { _ in told.signal() }
        #expect(isSound(inspector, inspections.job, try inspections.make("a", bytes: 100)) == true)
        inspections.goOn.signal()
        #expect(told.wait(timeout: .now() + 10) == .success)
        #expect(inspections.read.withLock { Set($0) }.count == 2)
    }
}
