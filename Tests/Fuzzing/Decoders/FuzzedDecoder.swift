/// A decoder of the programs, as bytes that anybody may have written reach it.
package struct FuzzedDecoder: Sendable, CustomStringConvertible {
    /// Its name: that of its folders, and for `Tests/Fuzzing/run`.
    package let name: String
    package var description: String { name }
    /// Inputs to begin with, of which it takes at least one.
    package let seeds: @Sendable () throws -> [[UInt8]]
    /// Feeds it, and looks at what comes out: what it takes has to come back from its own encoding.
    ///
    /// - Returns: whether it takes the bytes.
    /// - Throws: ``Contradiction``, and nothing for what is refused.
    package let takes: @Sendable ([UInt8]) throws -> Bool

    /// All as given.
    init(
        _ name: String, seeds: @escaping @Sendable () throws -> [[UInt8]],
        takes: @escaping @Sendable ([UInt8]) throws -> Bool
    ) {
        (self.name, self.seeds, self.takes) = (name, seeds, takes)
    }

    /// What was decoded is not what its own encoding says.
    package struct Contradiction: Error, CustomStringConvertible {
        package let description: String
    }

    /// Ends a feeding unless something holds.
    static func expect(_ holds: Bool, _ problem: @autoclosure () -> String) throws(Contradiction) {
        guard holds else { throw Contradiction(description: problem()) }
    }
}

extension FuzzedDecoder {
    /// Every one that there is.
    package static let all = [
        json, job, trainingSpec, networkDescription, keyFile, summary, importConfiguration,
        safetensors, network, npy, npz, picture, trainingCheckpoint, importedNetwork,
        message, serverReply, blockState, journalRows, journal,
    ]
}
