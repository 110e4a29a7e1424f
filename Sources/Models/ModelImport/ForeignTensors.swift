import Safetensors
import StrictJSON

/// The tensors of another program's file, or of the several files that a model is split into.
struct ForeignTensors {
    /// Names and shapes, the prefix of all names left out.
    let shapes: ForeignShapes
    /// What all names began with, such as `module.`; empty for nothing.
    let prefix: String
    private let tensors: [String: (file: OpenFile, entry: TensorEntry)]

    /// A file that several tensors are read from.
    private final class OpenFile: Sendable {
        let file: SafetensorsFile

        init(_ file: consuming SafetensorsFile) { self.file = file }
    }

    /// Prefixes that wrappers of PyTorch leave before all names: torch.compile, and DataParallel and its like.
    private static let wrappers = ["_orig_mod.", "module."]

    /// Those of one file. - Throws: ``ImportError``, of a pickle with what to do about it.
    init(file path: String) throws(ImportError) {
        try self.init(origin: path, files: [path])
    }

    /// Those of the files that an index names. - Throws: ``ImportError``.
    init(index path: String) throws(ImportError) {
        let index = try ShardIndex(path: path)
        try self.init(origin: path, files: index.files.map { index.folder + $0 }, wanted: index.places)
    }

    /// - Parameter wanted: in which of the files, by its place among them, each tensor is; nil if there is one file.
    private init(origin: String, files: [String], wanted: [String: Int]? = nil) throws(ImportError) {
        var tensors: [String: (file: OpenFile, entry: TensorEntry)] = [:]
        for (place, path) in files.enumerated() {
            let file = try Self.open(path)
            for entry in file.file.tensors {
                guard let wanted else {
                    tensors[entry.name] = (file, entry)
                    continue
                }
                guard let right = wanted[entry.name] else {
                    throw .badData(path, "tensor \"\(entry.name)\" is not in the index \(origin)")
                }
                guard right == place else {
                    throw .badData(
                        path,
                        "tensor \"\(entry.name)\" is here, but the index \(origin) has it in \(files[right]); each must be "
                            + "in one file")
                }
                tensors[entry.name] = (file, entry)
            }
        }
        for (name, place) in (wanted ?? [:]).sorted(by: { $0.key < $1.key }) where tensors[name] == nil {
            throw .badData(files[place], "tensor \"\(name)\" is missing, which the index \(origin) has here")
        }
        guard !tensors.isEmpty else { throw .badData(origin, "has no tensors") }
        var prefix = ""
        while let wrapper = Self.wrappers.first(where: { wrapper in
            tensors.keys.allSatisfy { $0.hasPrefix(prefix + wrapper) }
        }) {
            prefix += wrapper
        }
        self.prefix = prefix
        self.tensors = Dictionary(
            uniqueKeysWithValues: tensors.map { (String($0.key.dropFirst(prefix.count)), $0.value) })
        shapes = ForeignShapes(origin: origin, shapes: self.tensors.mapValues(\.entry.shape))
    }

    private static func open(_ path: String) throws(ImportError) -> OpenFile {
        try PickledFile.refuse(path)
        do {
            return OpenFile(try SafetensorsFile(path: path))
        } catch {
            throw ImportError(error)
        }
    }

    /// How the numbers of a tensor are stored.
    func type(of name: String) -> ElementType? { tensors[name]?.entry.type }

    /// The numbers of a tensor that is there, all of them finite.
    func floats(_ name: String) throws(SafetensorsError) -> [Float] {
        guard let (open, entry) = tensors[name] else { preconditionFailure("no tensor \(name)") }
        let numbers = try open.file.floats(entry)
        if let place = numbers.firstIndex(where: { !$0.isFinite }) {
            throw SafetensorsError(
                .badData, file: open.file.path,
                "tensor \"\(entry.name)\": number \(place) is \(numbers[place]) in single precision; weights must be "
                    + "finite")
        }
        return numbers
    }
}
