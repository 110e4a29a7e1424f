package import Safetensors
import StrictJSON

/// A network's model file: a safetensors file whose metadata describe the network.
package struct NetworkFile: Sendable {
    /// What the metadata's `rrr.model` say.
    package let description: NetworkDescription
    /// The tensors as the file stores them, in its order.
    package let tensors: [TensorEntry]
    /// Tensors without a number that the network does not have: marks that some programs leave, which say nothing here.
    package let ignored: [String]
    /// Bytes of the file.
    package let byteCount: Int
    private let open: OpenFile

    /// A file that several owners read.
    private final class OpenFile: Sendable {
        let file: SafetensorsFile
        let entries: [String: TensorEntry]

        init(_ file: consuming SafetensorsFile) {
            entries = Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0) })
            self.file = file
        }
    }

    private static let key = "rrr.model"

    /// Reads and checks a file whole: its layout, its description, and that each parameter of the
    /// architecture is there, in its shape, all numbers finite, with nothing beside them that has a number in it. No
    /// more than one tensor is in memory at a time, and the file stays open for ``values(_:)``.
    ///
    /// - Throws: ``SafetensorsError`` with the file and the tensor or the place in the description.
    package init(path: String) throws(SafetensorsError) {
        func refused(_ message: String) -> SafetensorsError { SafetensorsError(.badData, file: path, message) }
        let file = try SafetensorsFile(path: path)
        guard let text = file.metadata[Self.key] else {
            throw refused(
                "the metadata have no \"\(Self.key)\", which describes the network; "
                    + (Self.isForeign(file.tensors)
                        ? "these are the tensors of another program's U-Net, of which a model file is made by "
                            + "rrr-model import \(path) --output FILE"
                        : "add it when saving: save_file(tensors, file, metadata={\"\(Self.key)\": …})"))
        }
        let root: JSONNode
        do {
            root = try JSONParser.parse(Array(text.utf8))
        } catch {
            throw refused(
                "metadata \"\(Self.key)\" is not JSON: line \(error.line), column \(error.column): \(error.message)")
        }
        var description: NetworkDescription
        do {
            description = try NetworkDescription.decode(JSONField(node: root, pointer: ""))
        } catch {
            throw refused("metadata \"\(Self.key)\": \(error)")
        }
        let (tensors, byteCount) = (file.tensors, file.byteCount)
        open = OpenFile(file)
        let entries = open.entries
        if case .unet(var network) = description.architecture, network.conditions != nil {
            network.hasNullLabel = entries["null_emb.weight"] != nil
            description.architecture = .unet(network)
        }
        self.description = description
        for parameter in description.architecture.parameters {
            guard let entry = entries[parameter.name] else {
                throw refused(Self.missing(parameter, of: description.architecture, among: tensors.map(\.name)))
            }
            guard entry.shape == parameter.shape else {
                throw refused(
                    "tensor \"\(parameter.name)\": has shape \(entry.shape), the architecture wants \(parameter.shape)")
            }
            if let message = Self.notFinite(try open.file.floats(entry), of: parameter) { throw refused(message) }
        }
        let names = Set(description.architecture.parameters.map(\.name))
        let strangers = tensors.filter { !names.contains($0.name) }
        if let stranger = strangers.first(where: { $0.count > 0 }) {
            let known = description.architecture.parameters.map(\.name)
            throw refused(
                "tensor \"\(stranger.name)\" is not part of the architecture, whose nearest names are "
                    + Spelling.nearest(to: stranger.name, among: known))
        }
        ignored = strangers.map(\.name)
        self.tensors = tensors
        self.byteCount = byteCount
    }

    /// Whether tensors have names that other programs give to those of a U-Net, whatever stands before all names.
    private static func isForeign(_ tensors: [TensorEntry]) -> Bool {
        let layers = ["input_blocks.0.0.weight", "down_blocks.0.resnets.0.conv1.weight"]
        return tensors.contains { tensor in layers.contains { tensor.name.hasSuffix($0) } }
    }

    /// What is said of a parameter that is not there: what stands before all names, or which names are like it.
    private static func missing(
        _ parameter: NetworkParameter, of architecture: NetworkDescription.Architecture, among names: [String]
    ) -> String {
        let text = "tensor \"\(parameter.name)\" \(parameter.shape) is missing"
        let known = Set(architecture.parameters.map(\.name))
        let prefix = names.first { $0.hasSuffix("." + parameter.name) }.map { $0.dropLast(parameter.name.count) }
        if let prefix, names.allSatisfy({ $0.hasPrefix(prefix) }) {
            let wrapper =
                switch prefix {
                case "_orig_mod.": ", as torch.compile leaves them; save model._orig_mod.state_dict()"
                case "module.": ", as DataParallel leaves them; save model.module.state_dict()"
                default: "; save {name.removeprefix(\"\(prefix)\"): tensor for name, tensor in tensors.items()}"
                }
            return text + ": all names begin with \"\(prefix)\"" + wrapper
        }
        let strangers = names.filter { !known.contains($0) }
        guard !strangers.isEmpty else { return text }
        return text + "; the file has " + Spelling.nearest(to: parameter.name, among: strangers)
    }

    private static func notFinite(_ numbers: [Float], of parameter: NetworkParameter) -> String? {
        guard let index = numbers.firstIndex(where: { !$0.isFinite }) else { return nil }
        return "tensor \"\(parameter.name)\": number \(index) is \(numbers[index]) in single precision; "
            + "weights must be finite"
    }

    /// A parameter's numbers in single precision, in the architecture's shape; none for a parameter that the
    /// network does not have. They are read anew.
    ///
    /// - Throws: ``SafetensorsError`` if that fails.
    package func values(_ parameter: NetworkParameter) throws(SafetensorsError) -> [Float] {
        guard let entry = open.entries[parameter.name] else { return [] }
        return try open.file.floats(entry)
    }

    /// How weights are stored.
    package enum Storage: String, Sendable, CaseIterable {
        case float32, float16
    }

    /// Writes a model file.
    ///
    /// - Parameter parameters: in the order and with the shapes of the architecture's parameters.
    /// - Throws: ``SafetensorsError``, also for weights that are not finite or beyond half precision; the old file,
    ///   if any, stands then.
    package static func write(
        description: NetworkDescription, parameters: [[Float]], as storage: Storage, to path: String
    ) throws(SafetensorsError) {
        let wanted = description.architecture.parameters
        precondition(parameters.count == wanted.count, "\(parameters.count) parameters for \(wanted.count)")
        try write(description: description, as: storage, to: path) { parameters[$0] }
    }

    /// Writes a model file of which one parameter is in memory at a time. Throws as the other does.
    ///
    /// - Parameter numbers: those of a parameter, by its place among the architecture's.
    package static func write(
        description: NetworkDescription, as storage: Storage, to path: String,
        _ numbers: @escaping @Sendable (Int) throws(SafetensorsError) -> [Float]
    ) throws(SafetensorsError) {
        let tensors = description.architecture.parameters.enumerated().map { place, parameter in
            StoredTensor(parameter.name, shape: parameter.shape, storage == .float32 ? .float32 : .float16) {
                () throws(SafetensorsError) in
                let values = try numbers(place)
                if let message = notFinite(values, of: parameter) {
                    throw SafetensorsError(.badData, file: path, message)
                }
                return storage == .float32 ? .float32(values) : .float16(values)
            }
        }
        try SafetensorsFile.write(tensors, metadata: [key: description.jsonText], to: path)
    }
}

extension Network {
    /// The network of a model file. - Throws: ``SafetensorsError`` if it can't be read.
    package convenience init(_ file: NetworkFile) throws(SafetensorsError) {
        let parameters = file.description.architecture.parameters
        try self.init(file.description) { number throws(SafetensorsError) in try file.values(parameters[number]) }
    }
}
