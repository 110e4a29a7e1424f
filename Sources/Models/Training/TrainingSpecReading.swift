import StrictJSON

extension TrainingSpec {
    /// The largest spec, in bytes.
    private static let largestText = 16 << 20

    /// Reads a spec file, or standard input for `-`; data files are relative to its folder.
    /// - Throws: ``TrainingError`` with exit status 65 or 66.
    package static func load(path: String) throws(TrainingError) -> TrainingSpec {
        let file: JSONFile
        do {
            file = try JSONFile(path: path, most: largestText)
        } catch {
            throw TrainingError(exitStatus: 66, "\(error.name): \(error.message)")
        }
        return try decode(file.text, file: file.name)
    }

    /// Reads the text of a spec. - Parameter file: what messages call it, and what data files are beside.
    /// - Throws: ``TrainingError`` with exit status 65, or 66 for a data file that is needed and not there.
    package static func decode(_ text: [UInt8], file: String) throws(TrainingError) -> TrainingSpec {
        guard text.count <= largestText else {
            throw TrainingError(
                spec: file,
                problems: [
                    JSONProblem(
                        line: 1, pointer: "",
                        message: "a spec has at most \(largestText) bytes; keep data in .npy files")
                ])
        }
        let root: JSONNode
        do {
            root = try JSONParser.parse(text)
        } catch {
            let place = "column \(error.column): \(error.message)"
            throw TrainingError(spec: file, problems: [JSONProblem(line: error.line, pointer: "", message: place)])
        }
        let folder = file.lastIndex(of: "/").map { String(file[..<$0]) + "/" } ?? ""
        var decoder = TrainingSpecDecoder(folder: folder)
        if let spec = decoder.decode(JSONField(node: root, pointer: "")), decoder.problems.isEmpty { return spec }
        let isInput = decoder.missesFile && decoder.problems.count == 1
        throw TrainingError(
            spec: file, problems: decoder.problems.sorted { $0.line < $1.line }, exitStatus: isInput ? 66 : 65)
    }
}
