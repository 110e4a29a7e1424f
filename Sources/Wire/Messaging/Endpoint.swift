import Glibc

/// Where a coordinator listens, or where it is to be found: `tcp://host:port` or `ipc://path`.
package struct Endpoint: Sendable, Equatable, CustomStringConvertible {
    /// What an address is for. A listener may leave the port, or the host, to the system.
    package enum Use: Sendable {
        case listening
        case connecting
    }

    /// What is wrong with a text that is no address, and what one looks like.
    package struct Malformed: Error, Equatable, Sendable, CustomStringConvertible {
        package let description: String
    }

    private enum Transport: Sendable, Equatable {
        /// The host without brackets: a name, a number, or `*`. The port is digits or `*`.
        case tcp(host: String, port: String)
        case ipc(path: String)
    }

    private let place: Transport

    /// The longest path of a socket, in bytes, that the system takes.
    package static let longestPath = 107

    /// Reads an address as a user writes it.
    package init(_ text: String, for use: Use) throws(Malformed) {
        func malformed(_ problem: String) -> Malformed {
            Malformed(description: "\"\(text)\" is no address: \(problem)")
        }
        guard let (scheme, rest) = text.divided(at: "://") else {
            let isHost = text.contains(":") && !text.contains("/")
            throw malformed(isHost ? "write tcp://\(text)" : "write tcp://HOST:PORT or ipc://PATH")
        }
        switch scheme {
        case "ipc":
            guard !rest.isEmpty else { throw malformed("a path is missing after ipc://") }
            guard rest.utf8.count <= Self.longestPath else {
                throw malformed("a path of \(rest.utf8.count) bytes, and a socket's may have \(Self.longestPath)")
            }
            place = .ipc(path: rest)
        case "tcp":
            guard let colon = rest.lastIndex(of: ":"), !rest.hasSuffix("]") else {
                throw malformed("a port is missing, as in tcp://\(rest.isEmpty ? "HOST" : rest):7757")
            }
            var host = String(rest[..<colon])
            let port = String(rest[rest.index(after: colon)...])
            let isNumber = !port.isEmpty && port.allSatisfy { $0.isASCII && $0.isNumber }
            guard port == "*" && use == .listening || isNumber && (1...65_535).contains(Int(port) ?? 0) else {
                throw malformed("the port must be a number from 1 to 65535, is \"\(port)\"")
            }
            if host.hasPrefix("["), host.hasSuffix("]") {
                host = String(host.dropFirst().dropLast())
            } else if host.contains(":") {
                throw malformed("an IPv6 address stands in brackets, as in tcp://[::1]:7757")
            }
            guard !host.isEmpty else { throw malformed("a host is missing, as in tcp://127.0.0.1:\(port)") }
            guard use == .listening || host != "*" else {
                throw malformed("* is for listening; name the host to connect to")
            }
            guard host.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }), !host.contains(where: "/;@?#[]".contains) else {
                throw malformed("\"\(host)\" is no name or number of a host")
            }
            place = .tcp(host: host, port: port)
        default:
            throw malformed("\"\(scheme)\" is no transport; write tcp://HOST:PORT or ipc://PATH")
        }
    }

    package var description: String {
        switch place {
        case .ipc(let path): "ipc://" + path
        case .tcp(let host, let port): Self.tcp(host, port)
        }
    }

    /// From where one could connect to what listens at an address.
    package enum Reach: Sendable {
        case thisHost
        case otherHosts
        /// The host's name is not known.
        case nowhere
    }

    /// From where one could connect to what listens here: by the numbers that a name stands for, not by its look.
    package var reach: Reach {
        guard case .tcp(let host, _) = place else { return .thisHost }
        if host == "*" { return .otherHosts }
        let numbers = HostName.addresses(of: host)
        // What is no host may be a network interface.
        if numbers.isEmpty { return if_nametoindex(host) == 0 ? .nowhere : .otherHosts }
        return numbers.allSatisfy(HostName.isLoopback) ? .thisHost : .otherHosts
    }

    /// Where a coordinator listens, and is looked for, unless another address is named.
    package static let usual = "tcp://127.0.0.1:7757"

    /// The coordinator that a user names: by the flag, else by `RRR_COORDINATOR`, else none.
    ///
    /// Throws ``Malformed``, which tells whether the flag or the variable is wrong.
    package static func coordinator(
        flag: String?, environment: [String: String]
    ) throws(Malformed) -> Endpoint? {
        let variable = "RRR_COORDINATOR"
        guard let text = flag ?? environment[variable], flag != nil || !text.isEmpty else { return nil }
        do {
            return try Endpoint(text, for: .connecting)
        } catch {
            throw Malformed(description: "\(flag == nil ? variable : "--coordinator"): \(error)")
        }
    }

    /// An address as ZeroMQ takes it, once for each number that a host's name stands for, and as it is where there is
    /// nothing to look up. A name that can't be looked up stays: ZeroMQ tries again, and takes the names of network
    /// interfaces too. So does what is no address, for ZeroMQ to refuse.
    static func numbers(of text: String, for use: Use) -> [String] {
        guard case .tcp(let host, let port) = try? Endpoint(text, for: use).place, host != "*" else { return [text] }
        let numbers = HostName.addresses(of: host)
        // For listening ZeroMQ knows no names of hosts; connecting it looks up a single number's name whenever it
        // connects again.
        guard numbers.count > 1 || use == .listening && !numbers.isEmpty else { return [text] }
        return numbers.map { Self.tcp($0, port) }
    }

    private static func tcp(_ host: String, _ port: String) -> String {
        host.contains(":") ? "tcp://[\(host)]:\(port)" : "tcp://\(host):\(port)"
    }
}

/// Looking up names of hosts.
enum HostName {
    /// The numbers that a name, or a number, stands for, each once, the preferred one first; none if it can't be told.
    static func addresses(of host: String) -> [String] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var numbers: [String] = []
        var entry = list
        while let current = entry?.pointee {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            if getnameinfo(
                current.ai_addr, current.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
            {
                let number = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                if !numbers.contains(number) { numbers.append(number) }
            }
            entry = current.ai_next
        }
        return numbers
    }

    /// An IPv4 number as people write it, which IPv6 sockets write as ::ffff:127.0.0.1; any other as it is.
    static func plain(_ number: String) -> String {
        number.hasPrefix("::ffff:") && number.contains(".") ? String(number.dropFirst(7)) : number
    }

    /// Whether a number is of this host alone.
    static func isLoopback(_ number: String) -> Bool {
        number.hasPrefix("127.") || number == "::1" || number.hasPrefix("::ffff:127.")
    }
}

extension String {
    /// What stands before and after the first place where `separator` does; nil if it is nowhere.
    fileprivate func divided(at separator: String) -> (String, String)? {
        firstRange(of: separator).map { (String(self[..<$0.lowerBound]), String(self[$0.upperBound...])) }
    }
}
