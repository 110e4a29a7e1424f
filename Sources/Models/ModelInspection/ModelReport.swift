import ContentHash
import EnergyModels
import Foundation
import RunFolder
import Safetensors
import StrictJSON

/// What a model file holds.
package struct ModelReport: Sendable {
    /// A tensor, and how large its numbers are.
    private struct Tensor {
        let name: String
        let type: String
        let shape: [Int]
        /// The Euclidean norm of its numbers.
        let norm: Double
    }

    private let path: String
    private let sha256: String
    private let byteCount: Int
    private let description: NetworkDescription
    /// Tensors without a number, which the network does not have.
    private let ignored: [String]
    /// In the order in which the network uses them.
    private let tensors: [Tensor]

    /// Reads and checks a model file. - Throws: ``InspectionError``.
    package init(path: String) throws(InspectionError) {
        do {
            if Folder.isFolder(path) {
                throw InspectionError(
                    exitStatus: 65,
                    "\(path): is a folder; rrr-model import \(path) --output FILE makes a model file of what diffusers saves"
                )
            }
            let file = try NetworkFile(path: path)
            self.path = path
            sha256 = try SHA256.hash(ofFile: path).hex
            byteCount = file.byteCount
            description = file.description
            ignored = file.ignored
            let types = Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0.type.rawValue) })
            tensors = try file.description.architecture.parameters.map { parameter in
                let square = try file.values(parameter).reduce(0) { $0 + Double($1) * Double($1) }
                return Tensor(
                    name: parameter.name, type: types[parameter.name] ?? "", shape: parameter.shape,
                    norm: square.squareRoot())
            }
        } catch {
            throw InspectionError(error)
        }
    }

    /// One fact a line, then one tensor a line, for people.
    package var text: String {
        let architecture = description.architecture
        let facts =
            [
                ("sha256", sha256), ("bytes", "\(byteCount)"), ("parameters", "\(architecture.parameterCount)"),
                ("points", "\(architecture.shape)"), ("network", Self.text(architecture.json)),
                (
                    "classes",
                    architecture.classes.map { "\($0)" + (architecture.isUsableWithoutLabel ? "" : ", none without") }
                        ?? "none"
                ),
                ("energy", description.energy.map { Self.text($0.json) } ?? "none: it tells labels apart"),
                ("schedule", Self.text(description.schedule.json)),
            ]
            + (ignored.isEmpty
                ? []
                : [("ignored", JSONProblem.printable(ignored.joined(separator: ", ")) + ": tensors without numbers")])
        let width = tensors.map(\.name.count).max() ?? 0
        func padded(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(0, width - text.count))
        }
        return
            (facts.map { padded($0.0, 13) + $0.1 }
            + tensors.map {
                "\(padded($0.name, width))  \(padded($0.type, 4)) \(padded("\($0.shape)", 12)) norm "
                    + String(format: "%.4g", $0.norm)
            } + [path]).joined(separator: "\n")
    }

    /// A description's kind and what else it says, as in "cosine: levels 100".
    private static func text(_ description: JSONText) -> String {
        guard case .object(let members) = description, case .string(let kind)? = members.first?.1 else {
            return description.canonical
        }
        let rest = members.dropFirst().map { name, value in
            let text = if case .string(let word) = value { word } else { value.canonical }
            return name.replacing("_", with: " ") + " " + text.replacing(",", with: ", ")
        }
        return kind + ": " + rest.joined(separator: ", ")
    }

    /// The same, for programs; the description in the words of the file.
    package var json: String {
        let architecture = description.architecture
        return JSONText.object([
            ("file", .string(path)), ("sha256", .string(sha256)), ("bytes", .integer(byteCount)),
            ("parameters", .integer(architecture.parameterCount)), ("description", description.json),
            (
                "tensors",
                .array(
                    tensors.map {
                        .object([
                            ("name", .string($0.name)), ("type", .string($0.type)),
                            ("shape", .array($0.shape.map { .integer($0) })), ("norm", .number($0.norm)),
                        ])
                    })
            ), ("ignored", .array(ignored.map { .string($0) })),
        ]).pretty
    }
}
