/// Whose arithmetic computes: a worker's own, and that of the model servers beside it. What is done of a job is tied to
/// that part of it which the job uses.
package struct Arithmetic: Hashable, Sendable, CustomStringConvertible {
    /// The worker's fingerprint.
    package let program: String
    /// The fingerprints of the servers by name.
    package let servers: [String: String]

    /// Both as given; neither names nor fingerprints have a space or an equals sign.
    package init(program: String, servers: [String: String] = [:]) {
        self.program = program
        self.servers = servers
    }

    /// Reads what ``description`` writes.
    package init(_ text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        program = words.first.map(String.init) ?? ""
        var servers: [String: String] = [:]
        for word in words.dropFirst() {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            servers[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
        }
        self.servers = servers
    }

    /// Such as `51ca0a3d7b1c2f6e sd=09ab4fd2c7e1835b`: the worker's fingerprint, and those of servers in the order of
    /// their names.
    package var description: String {
        ([program] + servers.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }).joined(separator: " ")
    }

    /// That part of it which a job uses; nil if one of its servers is not there.
    package func part(using names: Set<String>) -> Arithmetic? {
        guard names.allSatisfy({ servers[$0] != nil }) else { return nil }
        return Arithmetic(program: program, servers: servers.filter { names.contains($0.key) })
    }

    /// Whether whoever has this computes the same bytes as was done with `part`.
    package func covers(_ part: Arithmetic) -> Bool {
        program == part.program && part.servers.allSatisfy { servers[$0.key] == $0.value }
    }
}
