import RunFolder

/// A file as torch.save writes it: a pickle, alone or in a zip archive. It is a program that its reader runs, and is not
/// read here.
enum PickledFile {
    /// What turns one into a file that is read.
    static let conversion =
        "these lines of Python make a file that is read: import torch, safetensors.torch; "
        + "tensors = torch.load(FILE, map_location=\"cpu\", weights_only=True); safetensors.torch.save_file("
        + "{name: tensor.contiguous() for name, tensor in tensors.items()}, NEW_FILE)"

    /// Endings of names that such files have.
    static let endings = [".pt", ".pth", ".bin", ".ckpt", ".pkl"]

    /// Refuses a file that begins as a pickle does, or a zip archive. - Throws: ``ImportError``.
    static func refuse(_ path: String) throws(ImportError) {
        let start: [UInt8]
        do {
            let file = try File(path, for: .reading)
            start = try file.read(count: min(4, try file.size()), at: 0)
        } catch {
            throw ImportError(error)
        }
        // A safetensors file begins with the length of its header, of which the upper bytes are zero.
        let isArchive = start == Array("PK\u{3}\u{4}".utf8)
        let isPickle = start.count == 4 && start[0] == 0x80 && (2...5).contains(start[1]) && start[2...] != [0, 0]
        if isArchive || isPickle {
            throw .badData(path, "this is a Python pickle, as torch.save writes, which is not read; " + conversion)
        }
    }
}
