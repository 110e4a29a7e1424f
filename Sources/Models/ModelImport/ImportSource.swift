import Foundation

/// The files that a network of another program is in.
struct ImportSource {
    let tensors: ForeignTensors
    /// Where config.json and scheduler_config.json of diffusers are looked for.
    private let folder: String

    /// - Parameter path: a file of tensors, the index of several, or a folder with either, such as that of a pipeline.
    /// - Throws: ``ImportError``.
    init(_ path: String) throws(ImportError) {
        if Self.isFolder(path) {
            folder = Self.networkFolder(path)
            tensors = try Self.tensors(in: folder)
            return
        }
        let slash = path.lastIndex(of: "/")
        folder = slash.map { String(path[...$0]) } ?? "./"
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        switch name {
        case "config.json": tensors = try Self.tensors(in: folder)
        case _ where name.hasSuffix(".json"): tensors = try ForeignTensors(index: path)
        default: tensors = try ForeignTensors(file: path)
        }
    }

    /// The path of config.json. - Throws: if there is none.
    var config: String {
        get throws(ImportError) {
            let path = folder + "config.json"
            guard Self.isFile(path) else {
                throw .noInput(path, "is missing, and says what the network is; put the one of the model there")
            }
            return path
        }
    }

    /// That of scheduler_config.json: beside the network, or beside its folder as pipelines have it; nil if there is none.
    var scheduler: String? {
        ["scheduler_config.json", "scheduler/scheduler_config.json", "../scheduler/scheduler_config.json"]
            .map { folder + $0 }.first(where: Self.isFile)
    }

    /// That of a pipeline has the network in a folder of its own.
    private static func networkFolder(_ path: String) -> String {
        let folder = path.hasSuffix("/") ? path : path + "/"
        let isPipeline = !isFile(folder + "config.json") && isFile(folder + "unet/config.json")
        return isPipeline ? folder + "unet/" : folder
    }

    /// The tensors of a folder: those of its index, or of its one file.
    private static func tensors(in folder: String) throws(ImportError) -> ForeignTensors {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        } catch {
            throw .noInput(folder, "can't be read as a folder")
        }
        let indices = names.filter { $0.hasSuffix(".safetensors.index.json") }
        if indices.count == 1 { return try ForeignTensors(index: folder + indices[0]) }
        let files = names.filter { $0.hasSuffix(".safetensors") }
        let usual = "diffusion_pytorch_model.safetensors"
        if indices.isEmpty, files.contains(usual) { return try ForeignTensors(file: folder + usual) }
        if indices.isEmpty, files.count == 1 { return try ForeignTensors(file: folder + files[0]) }
        guard !files.isEmpty || !indices.isEmpty else {
            guard let pickle = names.first(where: { name in PickledFile.endings.contains(where: name.hasSuffix) })
            else {
                throw .badData(folder, "has no safetensors file")
            }
            throw .badData(
                folder,
                "has no safetensors file but \(pickle), a Python pickle, which is not read; "
                    + PickledFile.conversion)
        }
        let found = (indices.isEmpty ? files : indices).prefix(4).joined(separator: ", ")
        throw .badData(folder, "has several: \(found); name the one that is meant")
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    private static func isFile(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: path) && !isFolder(path)
    }
}
