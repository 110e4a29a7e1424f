import Messaging
import Testing

@Suite("Addresses as users write them")
struct EndpointTests {
    @Test(
        "What is no address is refused with what to write instead",
        arguments: [
            ("localhost:7757", "write tcp://localhost:7757"), ("localhost", "write tcp://HOST:PORT"),
            ("", "write tcp://"),
            ("http://localhost:7757", "no transport"), ("tcp://localhost", "tcp://localhost:7757"),
            ("tcp://", "a port is missing"), ("tcp://:7757", "a host is missing"), ("tcp://h:", "from 1 to 65535"),
            ("tcp://h:0", "from 1 to 65535"), ("tcp://h:65536", "from 1 to 65535"), ("tcp://h:+5", "from 1 to 65535"),
            ("tcp://h:77x", "is \"77x\""), ("tcp://h:7757/", "is \"7757/\""), ("tcp://h:*", "from 1 to 65535"),
            ("tcp://*:7757", "name the host"), ("tcp://::1:7757", "in brackets"), ("tcp://[::1]", "a port is missing"),
            ("tcp://a b:7757", "no name or number"), ("tcp://u@h:7757", "no name or number"),
            ("ipc://", "a path is missing"),
            ("ipc:///" + String(repeating: "x", count: 107), "108 bytes"),
        ])
    func malformed(text: String, hint: String) {
        #expect { try Endpoint(text, for: .connecting) } throws: { "\($0)".contains(hint) && "\($0)".contains(text) }
    }

    @Test(
        "What is an address is read and written the same",
        arguments: ["tcp://localhost:1", "tcp://127.0.0.1:65535", "tcp://[::1]:7757", "ipc:///tmp/pool", "ipc://pool"])
    func wellFormed(text: String) throws {
        for use in [Endpoint.Use.connecting, .listening] { #expect(try Endpoint(text, for: use).description == text) }
    }

    @Test("A listener may leave host and port to the system")
    func wildcards() throws {
        for text in ["tcp://*:7757", "tcp://127.0.0.1:*", "tcp://*:*"] {
            #expect(try Endpoint(text, for: .listening).description == text)
        }
    }

    @Test("Addresses of this host alone are told from those that others can reach, by number and not by look")
    func reach() throws {
        for text in ["tcp://127.0.0.1:1", "tcp://127.9.9.9:1", "tcp://[::1]:1", "tcp://localhost:1", "ipc://x"] {
            #expect(try Endpoint(text, for: .listening).reach == .thisHost, "\(text)")
        }
        for text in ["tcp://0.0.0.0:1", "tcp://*:1", "tcp://[::]:1", "tcp://10.1.2.3:1", "tcp://lo:1"] {
            #expect(try Endpoint(text, for: .listening).reach == .otherHosts, "\(text)")
        }
    }

    @Test("A coordinator is named by the flag, else by the variable, and a mistake in either is called by its name")
    func coordinator() throws {
        let variable = ["RRR_COORDINATOR": "tcp://b:2"]
        #expect(try Endpoint.coordinator(flag: "tcp://a:1", environment: variable)?.description == "tcp://a:1")
        #expect(try Endpoint.coordinator(flag: nil, environment: variable)?.description == "tcp://b:2")
        #expect(try Endpoint.coordinator(flag: nil, environment: ["RRR_COORDINATOR": ""]) == nil)
        #expect(try Endpoint.coordinator(flag: nil, environment: [:]) == nil)
        #expect { try Endpoint.coordinator(flag: "a:1", environment: variable) } throws: {
            "\($0)".hasPrefix("--coordinator: \"a:1\"")
        }
        #expect { try Endpoint.coordinator(flag: nil, environment: ["RRR_COORDINATOR": "b"]) } throws: {
            "\($0)".hasPrefix("RRR_COORDINATOR: \"b\"")
        }
    }

    @Test("A coordinator listens at a host's name, and is found there")
    func name() throws {
        let context = MessagingContext()
        let router = try RouterSocket(context)
        let address = try router.bind(to: "tcp://localhost:*")
        let port = try #require(address.split(separator: ":").last)
        let dealer = try DealerSocket(context, connectingTo: "tcp://localhost:\(port)")
        let mailbox = Mailbox<Int>()
        var received: [UInt8]?
        for _ in 0..<400 where received == nil {
            _ = try dealer.send([1, 2, 3])
            try router.wait(for: mailbox.wakeup, atMost: .milliseconds(10))
            received = try router.receive()?.bytes
        }
        #expect(received == [1, 2, 3])
    }

    @Test("Of several addresses each is tried in turn, for longer each round, and the one that answers is kept")
    func search() {
        let start = ContinuousClock().now
        var search = AddressSearch(["a", "b"], at: start)
        /// The address at hand after so many milliseconds without a connection.
        func silent(_ milliseconds: Int) -> String {
            _ = search.silent(at: start + .milliseconds(milliseconds))
            return search.current
        }
        #expect(search.current == "a")
        #expect(silent(399) == "a")
        #expect(silent(400) == "b")
        #expect(silent(800) == "a")
        // The second round.
        #expect(silent(1_500) == "a")
        #expect(silent(1_600) == "b")
        search.answered(at: start + .milliseconds(1_700))
        #expect(silent(7_600) == "b")
        #expect(silent(7_700) == "a")
        search = AddressSearch(["a"], at: start)
        #expect(search.isSettled)
        #expect(silent(100_000) == "a")
    }
}
