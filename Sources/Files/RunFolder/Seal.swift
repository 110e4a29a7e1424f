import ContentHash
import StrictJSON

/// The SHA-256 that a JSON text of ours carries of itself, so that a digit that was changed on the disk doesn't pass for what
/// was written.
///
/// It is the value of the object's last name, in hexadecimal digits, and of all bytes that stand before the comma and the
/// line of that name. Whoever writes the text anew, with other white space too, leaves the name out.
enum Seal {
    /// What a text's seal tells.
    enum Condition {
        /// It has none: an earlier program, or somebody else, wrote it.
        case none
        case sound
        /// The text is not what was sealed.
        case broken
    }

    /// What is wrong with a text whose seal is broken.
    static let complaint = "the text is not the one that was written: its SHA-256 is another"

    private static let name = "content_sha256"
    private static let beginning = Array(",\n  \"\(name)\": \"".utf8)
    private static let ending = Array("\"\n}\n".utf8)

    /// The text of an object that has these names, one or more, and its seal.
    static func text(of members: [(String, JSONText)]) -> [UInt8] {
        let content = Array(JSONText.object(members).pretty.utf8).dropLast("\n}\n".utf8.count)
        return content + beginning + hash(of: content).utf8 + ending
    }

    /// Compares a text with the seal that it ends with.
    static func condition(of text: [UInt8]) -> Condition {
        let size = beginning.count + 2 * Digest.byteCount + ending.count
        let seal = text.suffix(size)
        guard seal.starts(with: beginning), seal.ends(with: ending) else {
            return text.firstRange(of: Array(name.utf8)) == nil ? .none : .broken
        }
        let digits = seal.dropFirst(beginning.count).dropLast(ending.count)
        return digits.elementsEqual(hash(of: text.dropLast(size)).utf8) ? .sound : .broken
    }

    private static func hash(of content: ArraySlice<UInt8>) -> String {
        var hash = SHA256()
        hash.update(content)
        return hash.finalize().hex
    }
}

extension ArraySlice<UInt8> {
    fileprivate func ends(with other: [UInt8]) -> Bool { suffix(other.count).elementsEqual(other) }
}
