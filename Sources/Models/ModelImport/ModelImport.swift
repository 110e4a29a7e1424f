package import EnergyModels
import Foundation
import Safetensors
import StrictJSON

/// A network of another program, whole and understood, ready to be written as a model file.
///
/// What layout it has is found from the names of its tensors, its shape from theirs and from what stands beside them.
/// Nothing is guessed in silence: ``decisions`` names everything with its reason, what no file says is asked for, and
/// tensors that nothing takes are refused.
package struct ModelImport: Sendable {
    /// What was found or assumed, and why, one a line.
    package let decisions: [String]
    /// What the model file will say.
    package let description: NetworkDescription
    private let tensors: ForeignTensors
    /// In the order of the network's parameters, the names of the tensors that make each.
    private let names: [[String]]
    private let storage: NetworkFile.Storage

    /// Finds out what a network is and checks that all its tensors are there and have their shapes.
    ///
    /// - Parameter source: a safetensors file, the index of several, or a folder of diffusers.
    /// - Throws: ``ImportError`` with the file, the tensor or the key, or the option that is needed.
    package init(source: String, options: ImportOptions) throws(ImportError) {
        let files = try ImportSource(source)
        tensors = files.tensors
        var model = try Self.model(files, options)
        description = try Self.checked(model.description, tensors.shapes)
        names = try Self.names(model, tensors.shapes)
        let types = Set(names.joined().compactMap { files.tensors.type(of: $0) })
        storage = options.weights ?? (types == [.float16] ? .float16 : .float32)
        if !tensors.prefix.isEmpty {
            model.decisions.add("prefix", "\(tensors.prefix)", "left out of all names, as a wrapper of PyTorch put it")
        }
        model.decisions.add(
            "weights", storage.rawValue,
            "the files have \(types.map(\.rawValue).sorted().joined(separator: ", "))"
                + (options.weights == nil ? "" : "; as told"))
        decisions = model.decisions.lines
    }

    private static func model(_ files: ImportSource, _ options: ImportOptions) throws(ImportError) -> ForeignModel {
        let shapes = files.tensors.shapes
        if EnergyLayout.recognizes(shapes) { return try EnergyLayout.model(shapes, options) }
        if GuidedLayout.recognizes(shapes) { return try GuidedLayout.model(shapes, options) }
        if DiffusersLayout.recognizes(shapes) {
            return try DiffusersLayout.model(config: files.config, scheduler: files.scheduler, shapes, options)
        }
        let some = shapes.shapes.keys.sorted().prefix(3).map { "\"\($0)\"" }.joined(separator: ", ")
        throw shapes.refused(
            "its tensors, such as \(some), have the names of no layout that is read: \(EnergyLayout.name), "
                + "\(GuidedLayout.name) (input_blocks.0.0.weight, …), \(DiffusersLayout.name) (conv_in.weight, …)")
    }

    /// The description as a model file's reader takes it: what it refuses is refused here.
    static func checked(
        _ description: NetworkDescription, _ tensors: ForeignShapes
    ) throws(ImportError) -> NetworkDescription {
        do {
            let node = try JSONParser.parse(Array(description.jsonText.utf8))
            _ = try NetworkDescription.decode(JSONField(node: node, pointer: ""))
        } catch let problem as JSONProblem {
            throw tensors.refused("what was found and told makes no network: \(problem)")
        } catch {
            throw tensors.refused("what was found and told makes no network: \(error)")
        }
        return description
    }

    /// The tensors of each parameter. - Throws: if one is missing or of another shape, or if one is left over.
    static func names(_ model: ForeignModel, _ tensors: ForeignShapes) throws(ImportError) -> [[String]] {
        var sources: [[String]] = []
        var taken: [(name: String, shape: [Int])] = []
        var missing: (name: String, shape: [Int])?
        for parameter in model.description.architecture.parameters {
            let parts = model.source(parameter.name).parts
            let wanted = [parameter.shape[0] / parts.count] + parameter.shape.dropFirst()
            let names = parts.compactMap { part in part.first { tensors.shapes[$0] != nil } }
            if names.count < parts.count {
                let part = parts.first { part in part.allSatisfy { tensors.shapes[$0] == nil } }
                missing = missing ?? (part?[0] ?? parameter.name, wanted)
            }
            taken += names.map { ($0, wanted) }
            sources.append(names)
        }
        // What is missing or left over tells more than shapes, which are wrong then too if there are other layers.
        let known = Set(taken.map(\.name))
        let strangers = tensors.shapes.filter { !known.contains($0.key) && !$0.value.contains(0) }.keys.sorted()
        if let missing { throw tensors.missing(missing.name, missing.shape, among: strangers) }
        guard strangers.isEmpty else {
            let shown = strangers.prefix(4).map { "\"\($0)\"" }.joined(separator: ", ")
            throw tensors.refused(
                (strangers.count > 1 ? "\(strangers.count) tensors are" : "a tensor is")
                    + " left over that the network does not have: " + shown + (strangers.count > 4 ? ", …" : ""))
        }
        for (name, wanted) in taken {
            let shape = tensors.shapes[name] ?? []
            guard trimmed(shape) == trimmed(wanted) else {
                throw tensors.refused("tensor \"\(name)\": has shape \(shape), the network wants \(wanted)")
            }
        }
        return sources
    }

    /// A linear map of pixels is a matrix, or a convolution with a kernel of one in one or two dimensions.
    private static func trimmed(_ shape: [Int]) -> [Int] {
        var shape = shape
        while shape.count > 2, shape.last == 1 { shape.removeLast() }
        return shape
    }

    /// Reads the weights and writes the model file, one parameter after the other.
    ///
    /// - Parameter replacing: whether a file of that name may be there.
    /// - Throws: ``ImportError``, also for weights that are not finite.
    package func write(to path: String, replacing: Bool = false) throws(ImportError) {
        guard replacing || !FileManager.default.fileExists(atPath: path) else {
            throw .cannotCreate(path, "is there already; name another file, or replace it with --force")
        }
        do {
            try NetworkFile.write(description: description, as: storage, to: path) {
                [names, tensors] place throws(SafetensorsError) in
                var numbers: [Float] = []
                for name in names[place] { numbers += try tensors.floats(name) }
                return numbers
            }
        } catch {
            throw ImportError(error)
        }
    }
}
