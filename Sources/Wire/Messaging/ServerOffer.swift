/// A model server that whoever runs a worker offers beside it: `NAME=COMMAND` or `NAME=ipc://PATH`.
package struct ServerOffer: Sendable, Equatable {
    /// Where the server comes from.
    package enum Source: Sendable, Equatable {
        /// A line of shell that starts it.
        case command(String)
        /// Where it listens, started by somebody else.
        case endpoint(String)
    }

    /// What is wrong with a text that offers nothing.
    package struct Malformed: Error, Equatable, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// What jobs call it.
    package let name: String
    /// Where it comes from.
    package let source: Source

    /// Reads an offer as the command line gives it.
    package init(_ text: String) throws(Malformed) {
        guard let equals = text.firstIndex(of: "="), OfferedServer.isName(String(text[..<equals])) else {
            throw Malformed(
                description:
                    "must be a name of lower-case letters, digits and hyphens, an equals sign and a command or "
                    + "an address, such as sd='python sd.py' or sd=ipc:///run/sd, is \"\(text)\"")
        }
        name = String(text[..<equals])
        let rest = String(text[text.index(after: equals)...])
        guard rest.contains(where: { !$0.isWhitespace }) else {
            throw Malformed(
                description: "says nothing of how to start \"\(name)\"; give a command or an ipc:// address")
        }
        source = rest.hasPrefix("ipc://") ? .endpoint(rest) : .command(rest)
    }

    /// Reads all offers of a command line. - Throws: ``Malformed``, also where two have one name.
    package static func all(_ texts: [String]) throws(Malformed) -> [ServerOffer] {
        var offers: [ServerOffer] = []
        for text in texts {
            let offer = try ServerOffer(text)
            guard !offers.contains(where: { $0.name == offer.name }) else {
                throw Malformed(description: "offers \"\(offer.name)\" twice")
            }
            offers.append(offer)
        }
        guard offers.count <= OfferedServer.most else {
            throw Malformed(description: "is given \(offers.count) times; at most \(OfferedServer.most) are possible")
        }
        return offers
    }
}
