import RunFolder
import StrictJSON

/// What the provenance of a finished run tells.
enum Provenance {
    /// The arithmetic of the workers that did it; nil if that is not known, or they were of several.
    static func arithmetic(ofRunIn folder: String) -> String? {
        do {
            let text = try FileSlice.read(folder + "/" + RunFolder.provenanceName, offset: 0, length: 64 << 20).bytes
            let members = try JSONField(node: try JSONParser.parse(text), pointer: "").members("provenance")
            let groups = try members.required("workers", "workers").array("workers").map { worker in
                try worker.members("a worker").required("fingerprint", "a fingerprint").string("a fingerprint")
            }
            return Set(groups).count == 1 ? groups[0] : nil
        } catch {
            return nil
        }
    }
}
