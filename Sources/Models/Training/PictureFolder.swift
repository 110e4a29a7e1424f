import EnergyModels
import Pictures
import RunFolder

/// The PNG files of a folder in the order in which a training counts them, and their labels.
struct PictureFolder {
    private let path: String
    /// In their order.
    let files: [String]
    /// A label for each file; nil where there are none.
    let labels: [Int32]?

    /// Looks which files there are: those of the folder in the order of their names, or where they are labelled those of its
    /// sub-folders, the first of each, then the second of each, and so on. Hidden names don't count.
    ///
    /// Sub-folders that are called 0, 1, … are these labels; others have labels in the order of their names.
    /// - Parameter classes: labels that there are, where pictures are labelled.
    /// - Throws: `.missing` where there is no folder, `.malformed` for what is not to be in it; `.inputOutput`.
    init(_ path: String, labelled: Bool, classes: Int) throws(RunFolderError) {
        self.path = path
        guard labelled else {
            files = try Self.pictures(in: path)
            labels = nil
            return
        }
        var labelledFiles: [(place: Int, label: Int, file: String)] = []
        for (name, label) in try Self.labels(of: path, classes: classes) {
            for (place, file) in try Self.pictures(in: Folder.path(path, name)).enumerated() {
                labelledFiles.append((place, label, file))
            }
        }
        labelledFiles.sort { ($0.place, $0.label) < ($1.place, $1.label) }
        files = labelledFiles.map(\.file)
        labels = labelledFiles.map { Int32($0.label) }
    }

    /// Reads all of them: tones [n, channels, height, width]. Grey files are taken for coloured pictures too.
    ///
    /// Throws `.malformed` for a file that is damaged or of another size or kind; `.inputOutput`.
    func tones(shape: PointShape) throws(RunFolderError) -> [UInt8] {
        let (channels, height, width) = (shape.lengths[0], shape.lengths[1], shape.lengths[2])
        var tones: [UInt8] = []
        tones.reserveCapacity(files.count * shape.dimension)
        for path in files {
            let image = try PNGImage(file: path)
            let problem: String? =
                if image.height != height || image.width != width {
                    "has \(image.height) x \(image.width) pixels, height and width, and the architecture takes "
                        + "\(height) x \(width); scale or cut all pictures to one size"
                } else if image.channels == 4 {
                    "has transparent pixels, which can't be learned; lay it on a colour"
                } else if image.channels > channels {
                    "is coloured, and the architecture has 1 channel; make it grey, or give 3 \"channels\""
                } else {
                    nil
                }
            if let problem { throw RunFolderError(.malformed, path: path, reason: problem) }
            for channel in 0..<channels {
                let first = min(channel, image.channels - 1)
                for pixel in 0..<height * width { tones.append(image.bytes[pixel * image.channels + first]) }
            }
        }
        return tones
    }

    /// The sub-folders and their labels.
    private static func labels(
        of path: String, classes: Int
    ) throws(RunFolderError) -> [(name: String, label: Int)] {
        let names = try names(in: path)
        if let file = names.first(where: { !Folder.isFolder(Folder.path(path, $0)) }) {
            throw RunFolderError(
                .malformed, path: Folder.path(path, file),
                reason: "is no folder; with \"labels\": \"folder\" each label's pictures are in a folder of its own")
        }
        let numbers = names.compactMap { name in Int(name).flatMap { String($0) == name && $0 >= 0 ? $0 : nil } }
        let labelled = zip(names, numbers.count == names.count ? numbers : Array(names.indices))
        if let (name, label) = labelled.first(where: { $0.1 >= classes }) {
            throw RunFolderError(
                .malformed, path: Folder.path(path, name),
                reason: "would be label \(label), and labels go from 0 to \(classes - 1); give the architecture more "
                    + "\"classes\", or take it away")
        }
        return labelled.map { ($0.0, $0.1) }
    }

    /// The paths of a folder's pictures.
    private static func pictures(in path: String) throws(RunFolderError) -> [String] {
        let names = try names(in: path)
        for name in names {
            let file = Folder.path(path, name)
            if Folder.isFolder(file) {
                throw RunFolderError(
                    .malformed, path: file,
                    reason: "is a folder among pictures; move it, or let folders be labels: \"labels\": \"folder\"")
            }
            guard name.lowercased().hasSuffix(".png") else {
                throw RunFolderError(.malformed, path: file, reason: "is no .png file; take it away")
            }
        }
        guard !names.isEmpty else {
            throw RunFolderError(.malformed, path: path, reason: "holds no pictures; give at least one .png file")
        }
        return names.map { Folder.path(path, $0) }
    }

    /// Names that are not hidden, in the order of their bytes.
    private static func names(in path: String) throws(RunFolderError) -> [String] {
        guard Folder.isFolder(path) else {
            throw RunFolderError(.missing, path: path, reason: "no such folder")
        }
        let names = try Folder.names(in: path).filter { !$0.hasPrefix(".") }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
