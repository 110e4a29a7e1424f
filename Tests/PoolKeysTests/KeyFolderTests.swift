import Foundation
import Messaging
import PoolKeys
import Testing

/// A folder of keys that goes with the test.
private final class Place {
    let path = FileManager.default.temporaryDirectory.appending(path: "keys-\(UUID().uuidString.prefix(8))").path
    var folder: KeyFolder { KeyFolder(path) }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func permissions(_ name: String = "") throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path + name)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    func setPermissions(_ mode: Int, _ name: String = "") throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path + name)
    }

    func text(_ name: String) throws -> String { try String(contentsOfFile: path + name, encoding: .utf8) }

    func write(_ text: String, _ name: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path + name))
        try setPermissions(0o600, name)
    }
}

@Suite(.serialized)
struct KeyFolderTests {
    private func status(_ work: () throws -> Void) -> Int32? {
        do { try work() } catch { return (error as? KeyError)?.exitStatus ?? -1 }
        return nil
    }

    @Test func `A folder of keys is its owner's alone, and so is every file in it, whatever the mask`() throws {
        let place = Place()
        let files = try place.folder.generate()
        #expect(files.count == 7)
        #expect(try place.permissions() == 0o700)
        #expect(try place.permissions("/allowed") == 0o700)
        for file in files { #expect(try place.permissions(String(file.dropFirst(place.path.count))) == 0o600) }
    }

    @Test func `Each role is let in by the key of its file, and knows the coordinator's`() throws {
        let place = Place()
        _ = try place.folder.generate()
        let (server, list) = (try place.folder.serverPair(), try place.folder.allowList())
        #expect(list.count == 3)
        for role in PeerRole.allCases {
            let keys = try KeyFolder.clientKeys(place.path, for: [role])
            #expect(keys.server == server.publicKey)
            #expect(list[keys.pair.publicKey] == Credential(name: role.rawValue, role: role))
            #expect(keys.pair.secret.publicKey == keys.pair.publicKey)
            // The file alone will do, as it is copied to a host.
            let file = try KeyFolder.clientKeys("\(place.path)/\(role.rawValue).key", for: [role])
            #expect(file.pair.publicKey == keys.pair.publicKey)
        }
    }

    @Test func `Keys that are there are not replaced`() throws {
        let place = Place()
        _ = try place.folder.generate()
        let before = try place.text("/server.key")
        #expect(status { _ = try place.folder.generate() } == 73)
        #expect(status { _ = try place.folder.add(.worker, named: "worker") } == 73)
        #expect(try place.text("/server.key") == before)
    }

    @Test func `One more pair is let in under its name, and no more when its file is gone`() throws {
        let place = Place()
        _ = try place.folder.generate()
        _ = try place.folder.add(.worker, named: "node-7")
        let key = try KeyFolder.clientKeys(place.path + "/node-7.key", for: [.worker]).pair.publicKey
        #expect(try place.folder.allowList()[key] == Credential(name: "node-7", role: .worker))
        try FileManager.default.removeItem(atPath: place.path + "/allowed/node-7.pub")
        #expect(try place.folder.allowList()[key] == nil)
    }

    @Test(arguments: ["", "Node", "../node", "server", "a/b", String(repeating: "a", count: 65)])
    func `What is no name makes no keys`(name: String) throws {
        let place = Place()
        _ = try place.folder.generate()
        #expect(status { _ = try place.folder.add(.worker, named: name) } == 64)
    }

    @Test func `What others may read or change is not used`() throws {
        let place = Place()
        _ = try place.folder.generate()
        try place.setPermissions(0o640, "/server.key")
        #expect(status { _ = try place.folder.serverPair() } == 77)
        try place.setPermissions(0o604, "/worker.key")
        #expect(status { _ = try KeyFolder.clientKeys(place.path + "/worker.key", for: [.worker]) } == 77)
        try place.setPermissions(0o622, "/allowed/worker.pub")
        #expect(status { _ = try place.folder.allowList() } == 77)
        try place.setPermissions(0o755)
        #expect(status { _ = try KeyFolder.clientKeys(place.path, for: [.submitter]) } == 77)
        #expect(status { _ = try place.folder.add(.worker, named: "other") } == 77)
    }

    @Test func `Keys of another role are refused before they are shown to anybody`() throws {
        let place = Place()
        _ = try place.folder.generate()
        #expect(status { _ = try KeyFolder.clientKeys(place.path + "/worker.key", for: [.submitter]) } == 77)
        #expect(status { _ = try KeyFolder.clientKeys(place.path + "/server.key", for: [.worker]) } == 65)
        #expect(status { _ = try KeyFolder.clientKeys(place.path + "/none.key", for: [.worker]) } == 66)
        #expect(
            try KeyFolder.clientKeys(place.path, for: [.status, .submitter]).server
                == place.folder.serverPair().publicKey)
    }

    @Test func `A file where the folder should be is no folder, and zeros are nobody's key`() throws {
        let place = Place()
        _ = try place.folder.generate()
        #expect(status { _ = try KeyFolder(place.path + "/worker.key").serverPair() } == 66)
        #expect(CurveKey(String(repeating: "0", count: CurveKey.length)) == nil)
    }

    @Test func `A damaged file is refused without a word of what stands in it`() throws {
        let place = Place()
        _ = try place.folder.generate()
        let good = try place.text("/worker.key")
        let secret = try KeyFolder.clientKeys(place.path, for: [.worker]).pair.secret
        let damaged = [
            "", "{", "[1]", "\u{0}\u{1}", String(good.dropLast(20)), good.replacing("\"owner\"", with: "\"Owner\""),
            good.replacing("worker", with: "emperor"), good.replacing("\"secret\": \"", with: "\"secret\": \"x"),
            good.replacing("\"rrr_key\": 1", with: "\"rrr_key\": 2"), good + good,
            good.replacing(secret.text, with: try KeyFolder.clientKeys(place.path, for: [.status]).pair.secret.text),
            String(repeating: " ", count: 5_000),
        ]
        for text in damaged {
            try place.write(text, "/bad.key")
            do {
                _ = try KeyFolder.clientKeys(place.path + "/bad.key", for: [.worker])
                Issue.record("\(text) is taken for keys")
            } catch {
                #expect(error.exitStatus == 65)
                #expect(error.description.contains("bad.key"))
                #expect(!error.description.contains(secret.text))
            }
        }
    }

    @Test func `The allow-list takes no key twice, none of a coordinator, and no secret`() throws {
        let place = Place()
        _ = try place.folder.generate()
        let worker = try place.text("/allowed/worker.pub")
        for text in [worker, worker.replacing("worker", with: "server"), try place.text("/submitter.key")] {
            try place.write(text, "/allowed/x.pub")
            #expect(status { _ = try place.folder.allowList() } == 65)
        }
    }

    @Test func `A secret says nothing of itself`() throws {
        let pair = try CurvePair.generated()
        for text in ["\(pair)", "\(pair.secret)", String(reflecting: pair)] {
            #expect(!text.contains(pair.secret.text))
        }
        var dumped = ""
        dump(pair, to: &dumped)
        #expect(!dumped.contains(pair.secret.text))
        // Of the manual of zmq_curve_keypair.
        let alice = try #require(CurveSecret("D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"))
        #expect(alice.publicKey == CurveKey("Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"))
    }
}
