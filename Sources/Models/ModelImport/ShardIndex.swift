import StrictJSON

/// The index of a model in several files: which of them has each tensor.
struct ShardIndex {
    /// Where the files are: empty, or a path with a slash at its end.
    let folder: String
    /// Names of files, in no folder of their own.
    let files: [String]
    /// By the name of a tensor, the place of its file among ``files``.
    let places: [String: Int]

    private static let longest = 16 << 20
    private static let mostFiles = 1000

    /// Reads `{"weight_map": {"conv_in.weight": "model-00001-of-00002.safetensors", …}}`. - Throws: ``ImportError``.
    init(path: String) throws(ImportError) {
        let (file, field) = try JSONDocument.read(path, longest: Self.longest)
        folder = file.folder
        do throws(JSONProblem) {
            let members = try field.members("an index of tensors")
            let map = try members.required("weight_map", "the file of each tensor").members("the file of each tensor")
            var files: [String] = []
            var numbers: [String: Int] = [:]
            var places: [String: Int] = [:]
            for name in map.names {
                guard let entry = map[name] else { continue }
                let file = try entry.string("the name of a file")
                guard !file.contains("/"), !file.hasPrefix("."), file.hasSuffix(".safetensors") else {
                    throw entry.problem("must be a safetensors file beside the index, is \"\(file)\"")
                }
                if numbers[file] == nil {
                    numbers[file] = files.count
                    files.append(file)
                }
                guard files.count <= Self.mostFiles else {
                    throw entry.problem("is file \(files.count); at most \(Self.mostFiles) are read")
                }
                places[name] = numbers[file]
            }
            (self.files, self.places) = (files, places)
        } catch {
            throw .badData(path, error)
        }
    }
}

/// A JSON file of another program.
enum JSONDocument {
    /// Reads one whole. - Throws: ``ImportError``.
    static func read(_ path: String, longest: Int = 1 << 20) throws(ImportError) -> (JSONFile, JSONField) {
        let file: JSONFile
        do { file = try JSONFile(path: path, most: longest) } catch { throw ImportError(error) }
        guard file.text.count <= longest else {
            throw .badData(path, "is longer than \(longest) bytes, which none of its kind is")
        }
        do {
            return (file, JSONField(node: try JSONParser.parse(file.text), pointer: ""))
        } catch {
            throw .badData(path, "is not JSON: line \(error.line), column \(error.column): \(error.message)")
        }
    }
}
