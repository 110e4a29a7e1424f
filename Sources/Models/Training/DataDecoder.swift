import EnergyModels
import RunFolder
import StrictJSON

/// Reads where the points of a training come from.
struct DataDecoder {
    private static let kinds = ["distribution", "npy", "png", "sprites"] + ModelDescription.analyticKinds

    /// What relative file names are put behind: empty, or a folder with a slash at its end.
    let folder: String

    func data(_ field: JSONField) throws(JSONProblem) -> DataDescription {
        let members = try field.members("data such as {\"kind\": \"distribution\", \"name\": \"eight_gaussians\"}")
        switch try members.required("kind", "one of \(Self.kinds)").choice(Self.kinds, "data of kind") {
        case "distribution":
            let members = try field.members("a distribution", allowed: ["kind", "name", "labels"])
            return try density(try named(members), members)
        case "npy":
            let members = try field.members("an array file", allowed: ["kind", "file", "labels", "flip", "held_out"])
            let file = try members.required("file", "the array of points, such as \"points.npy\"")
            let labels = try members["labels"]?.path("\"labels.npy\"", in: folder)
            return .arrays(
                points: try file.path("\"points.npy\"", in: folder), labels: labels,
                flipped: try members["flip"]?.bool() ?? false,
                heldOut: try members["held_out"]?.integer(0...1 << 31) ?? 0)
        case "png":
            let members = try field.members(
                "a folder of pictures", allowed: ["kind", "folder", "labels", "flip", "held_out"])
            if let labels = members["labels"] {
                let wish = "\"folder\", for labels by sub-folder"
                guard try labels.string(wish) == "folder" else { throw labels.problem("must be \(wish)") }
            }
            return .pictures(
                folder: try members.required("folder", "the folder of PNG files, such as \"pictures\"")
                    .path("\"pictures\"", in: folder),
                labelled: members["labels"] != nil, flipped: try members["flip"]?.bool() ?? false,
                heldOut: try members["held_out"]?.integer(0...1 << 31) ?? 0)
        case "sprites":
            _ = try field.members("pictures of sprites, whose labels need no other key", allowed: ["kind"])
            return .sprites
        default:
            return try density(try ModelDescription.decode(field, alsoAllowed: ["labels"]), members)
        }
    }

    private func named(_ members: JSONMembers) throws(JSONProblem) -> ModelDescription {
        let names = NamedDistributions.all.map(\.name)
        let field = try members.required("name", "one of \(names)")
        let name = try field.choice(names, "distribution")
        guard let found = NamedDistributions.all.first(where: { $0.name == name }) else {
            throw field.problem("must be one of \(names)")
        }
        return found.density
    }

    private func density(
        _ density: ModelDescription, _ members: JSONMembers
    ) throws(JSONProblem) -> DataDescription {
        if let labels = members["labels"] {
            let wish = "\"component\""
            guard try labels.string(wish) == "component" else { throw labels.problem("must be \(wish)") }
            guard case .gaussianMixture = density else {
                throw labels.problem("only a mixture has components to be labelled by; leave it out")
            }
        }
        return .density(density, labelledByComponent: members["labels"] != nil)
    }

    /// Coordinates of a point; of an array file, what its header says.
    func dimension(of data: DataDescription) throws(RunFolderError) -> Int {
        switch data {
        case .density(let density, _): return density.shape.dimension
        case .sprites: return SpriteScene.shape.lengths.reduce(1, *)
        case .pictures(let folder, _, _, _):
            throw RunFolderError(
                .malformed, path: folder, reason: "pictures need a \"unet\", whose \"size\" and \"channels\" are given")
        case .arrays(let points, _, _, _):
            let shape = try NpyReader(path: points).header.shape
            guard let last = shape.last, shape.count > 1, 1...4096 ~= last else {
                throw RunFolderError(.malformed, path: points, reason: "has the shape \(shape), no rows of coordinates")
            }
            return last
        }
    }

    /// Looks whether data fit a network: they have its dimension, and labels come with classes, and classes with labels.
    func check(
        _ data: DataDescription, _ field: JSONField, for architecture: NetworkDescription.Architecture
    ) throws(JSONProblem) {
        let members = try field.members("data")
        if case .sprites = data { return try Self.checkSprites(field, for: architecture) }
        if case .pictures = data {
            let lengths = architecture.shape.lengths
            guard lengths.count == 3, [1, 3].contains(lengths[0]) else {
                throw field.problem(
                    "pictures are grey or coloured, the architecture takes \(architecture.shape); give a \"unet\" with 1 or "
                        + "3 \"channels\"")
            }
        }
        if case .arrays(_, _, true, _) = data, architecture.shape.lengths.count != 3, let flip = members["flip"] {
            throw flip.problem("only images can be mirrored, which a \"unet\" takes; leave it out")
        }
        if case .density(let density, _) = data, density.shape.dimension != architecture.dimension {
            throw field.problem(
                "has \(density.shape.dimension) dimensions, the architecture \(architecture.dimension); give both the same"
            )
        }
        if case .density(.gaussianMixture(let means, _, _), true) = data, let labels = members["labels"],
            let classes = architecture.classes, means.count > classes
        {
            throw labels.problem("\(means.count) components need as many classes; the architecture has \(classes)")
        }
        if architecture.classes == nil, let labels = members["labels"] {
            throw labels.problem("the network takes no labels; leave them out, or give the architecture \"classes\"")
        }
        if members["labels"] == nil, let classes = architecture.classes {
            throw field.problem("\"labels\" are missing; a network of \(classes) classes learns from labelled points")
        }
    }

    private static func checkSprites(
        _ field: JSONField, for architecture: NetworkDescription.Architecture
    ) throws(JSONProblem) {
        let shape = SpriteScene.shape
        guard architecture.shape.lengths == shape.lengths else {
            throw field.problem(
                "sprites are images of the shape \(shape.lengths), the architecture takes \(architecture.shape); give a "
                    + "\"unet\" with \"size\": [\(shape.height), \(shape.width)] and \"channels\": \(shape.channels)")
        }
        guard let classes = architecture.classes, classes != SpriteScene.classes else { return }
        throw field.problem(
            "sprites have \(SpriteScene.classes) labels, the architecture \(classes) classes; give "
                + "\(SpriteScene.classes), or leave \"classes\" out")
    }
}

extension JSONField {
    /// A file name, relative to a folder.
    func path(_ example: String, in folder: String) throws(JSONProblem) -> String {
        let name = try string("a file name such as \(example)")
        guard !name.isEmpty, !name.contains("\0") else { throw problem("must be a file name such as \(example)") }
        return name.hasPrefix("/") ? name : folder + name
    }
}
