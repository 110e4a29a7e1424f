import Messaging
import SampleMessages
import Testing

@Suite("Offers of model servers")
struct ServerOfferTests {
    @Test("an offer is a name and a command, or a name and an address")
    func reading() throws {
        let command = try ServerOffer("sd=CUDA_VISIBLE_DEVICES=1 python sd.py")
        #expect(command.name == "sd")
        #expect(command.source == .command("CUDA_VISIBLE_DEVICES=1 python sd.py"))
        #expect(try ServerOffer("clip-2=ipc:///run/clip").source == .endpoint("ipc:///run/clip"))
    }

    @Test("what offers nothing is refused", arguments: ["sd", "=x", "sd=", "sd= ", "S=x", "a b=x", "../sd=x"])
    func refusals(_ text: String) {
        #expect(throws: ServerOffer.Malformed.self) { try ServerOffer(text) }
    }

    @Test("one name is offered once")
    func twice() throws {
        #expect(try ServerOffer.all(["a=x", "b=x"]).map(\.name) == ["a", "b"])
        #expect(throws: ServerOffer.Malformed.self) { try ServerOffer.all(["a=x", "a=y"]) }
    }

    @Test("a registration with a server whose name or fingerprint is none is refused")
    func hostile() throws {
        for server in [
            OfferedServer(name: "a=b", fingerprint: "1"), OfferedServer(name: "a", fingerprint: "1 b=2"),
            OfferedServer(name: "", fingerprint: "1"), OfferedServer(name: "a", fingerprint: ""),
        ] {
            var registration = Samples.registration
            registration.servers = [server]
            #expect(throws: MessagingError.self) { try Message.decode(Message.registration(registration).encoded()) }
        }
        var registration = Samples.registration
        registration.servers = (0...OfferedServer.most).map { OfferedServer(name: "s\($0)", fingerprint: "1") }
        #expect(throws: MessagingError.self) { try Message.decode(Message.registration(registration).encoded()) }
    }
}
