import RunFolder

/// What a file is that is no safetensors file, as far as its beginning tells.
enum ForeignFile {
    /// Bytes of the beginning that are looked at.
    static let looked = 4096

    /// What the file is, and how its content becomes a safetensors file; nil if it is nothing known.
    /// - Parameter start: the first bytes of the file, at most ``looked``.
    static func description(of start: [UInt8]) -> String? {
        func begins(_ bytes: [UInt8]) -> Bool { start.starts(with: bytes) }
        func begins(_ text: String) -> Bool { start.starts(with: text.utf8) }
        if begins("PK\u{3}\u{4}") {
            return "this is a zip archive, as torch.save writes (or numpy.savez); " + conversion
        }
        // A pickle by itself, as PyTorch wrote before version 1.6.
        if start.count > 1, start[0] == 0x80, (2...5).contains(start[1]) {
            return "this is a Python pickle, as old versions of torch.save wrote; " + conversion
        }
        if begins([0x93] + Array("NUMPY".utf8)) { return "this is a npy array; a model has its tensors in one file" }
        if begins([0x89] + Array("HDF".utf8)) { return "this is an HDF5 file, as Keras writes; save its weights anew" }
        if begins("GGUF") { return "this is a GGUF file, of quantised weights; save the model that it was made of" }
        if begins("version https://git-lfs") { return "this is a pointer of Git LFS; fetch the file with git lfs pull" }
        if begins("<") { return "this is a text such as a web page gives; download the file itself" }
        if begins("{") || begins("[") {
            return String(decoding: start, as: UTF8.self).contains("\"weight_map\"")
                ? "this is the index of a model that is split into several files; rrr-model import makes one model file "
                    + "of those of public layouts; load others with safetensors.torch.load_file into one dictionary and "
                    + "save that with save_file"
                : "this is a JSON text, not a model; a job goes to rrr-coordinator, a spec to rrr-model train"
        }
        return nil
    }

    private static let conversion =
        "convert it in Python: tensors = torch.load(file, weights_only=True); "
        + "safetensors.torch.save_file(tensors, new_file, metadata={\"rrr.model\": …}); or without metadata, and then "
        + "rrr-model import new_file"
}
