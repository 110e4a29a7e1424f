import ArgumentParser
import CommandFrame
package import EnergyModels
import ModelImport
import StrictJSON

struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a model file of another program's network.",
        discussion: """
            Reads the U-Nets of reduce_reuse_recycle, those of guided-diffusion and its classifiers, and the UNet2DModel of \
            diffusers: a safetensors file, the index of several, or a folder with config.json. Prints what it found and \
            why. What no file says is told by options; an option that contradicts a file is refused.
            """)

    @Argument(help: "The file, the index or the folder.")
    var source: String

    @Argument(help: ArgumentHelp("The model file to write; or --output.", valueName: "output"))
    var file: String?

    @Option(help: "The model file to write.")
    var output: String?

    @OptionGroup(title: "What no file may say")
    var told: ToldOptions

    @Option(help: "How weights are stored (default: float16 where all tensors are, else float32).")
    var weights: NetworkFile.Storage?

    @Flag(help: "Replace the model file.")
    var force = false

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard (file == nil) != (output == nil) else {
            throw ValidationError("Give the model file to write: rrr-model import SOURCE --output FILE.")
        }
    }

    func run() throws {
        try reportingFailure {
            guard let path = output ?? file else { throw ExitCode(64) }
            var options = told.options
            options.weights = weights
            let model = try ModelImport(source: source, options: options)
            try model.write(to: path, replacing: force)
            let told = JSONText.object([
                ("output", .string(path)), ("decisions", .array(model.decisions.map { .string($0) })),
            ])
            try printResult(json ? told.pretty : (model.decisions + [path]).joined(separator: "\n"))
        }
    }
}

/// What the user says of a network.
struct ToldOptions: ParsableArguments {
    @Option(help: "Height and width of the images, such as 64x48, or one number for both.")
    var size: ImageSize?

    @Option(help: "What energy the output f makes.")
    var energy: EnergyForm?

    @Option(help: "What the energy's form is multiplied by (default 1); 0.5 for 1/2 sum of (x - f)^2.")
    var scale: Double?

    @Option(help: "What a network without an energy predicts (default epsilon).")
    var prediction: NetworkDescription.Energy.Prediction?

    @Flag(help: "Noise levels of the cosine schedule.")
    var cosine = false

    @Option(parsing: .upToNextOption, help: "Noise levels of betas from FIRST to LAST, such as 1e-4 0.02.")
    var linear: [Double] = []

    @Option(parsing: .upToNextOption, help: "The same, of betas whose roots are in a line.")
    var scaledLinear: [Double] = []

    @Option(help: "How many noise levels (default 1000).")
    var levels: Int?

    @Option(help: "Heads of attention.")
    var heads: Int?

    @Option(help: "Features of a head, in place of --heads.")
    var headChannels: Int?

    @Option(help: "The order of queries, keys and values: head by head, or all queries first.")
    var qkv: UNet.Projections?

    @Option(help: "Groups of the norms (default 32).")
    var groups: Int?

    @Option(help: "Residual blocks of a resolution, for classifiers whose tensors leave it open.")
    var blocks: Int?

    func validate() throws {
        if let scale, !(scale > 0 && scale.isFinite) { throw ValidationError("--scale must be a number above zero.") }
        guard [cosine, !linear.isEmpty, !scaledLinear.isEmpty].count(where: \.self) <= 1 else {
            throw ValidationError("Give one of --cosine, --linear and --scaled-linear.")
        }
        for (name, ends) in [("--linear", linear), ("--scaled-linear", scaledLinear)] where !ends.isEmpty {
            guard ends.count == 2, ends.allSatisfy({ $0 > 0 && $0 <= 0.999 }), ends[0] <= ends[1] else {
                throw ValidationError("\(name) takes the first and the last beta, such as 1e-4 0.02.")
            }
        }
        if heads != nil, headChannels != nil { throw ValidationError("Give one of --heads and --head-channels.") }
        for (name, number, most) in [
            ("--levels", levels, 65_535), ("--heads", heads, 16_384), ("--head-channels", headChannels, 16_384),
            ("--groups", groups, 16_384), ("--blocks", blocks, 64),
        ] {
            if let number, !(1...most).contains(number) {
                throw ValidationError("\(name) must be from 1 to \(most), is \(number).")
            }
        }
    }

    var options: ImportOptions {
        var options = ImportOptions()
        options.size = size.map { [$0.height, $0.width] }
        (options.energy, options.scale, options.prediction) = (energy?.kind, scale, prediction)
        if cosine { options.schedule = .cosine }
        if !linear.isEmpty { options.schedule = .linear(first: linear[0], last: linear[1]) }
        if !scaledLinear.isEmpty { options.schedule = .scaledLinear(first: scaledLinear[0], last: scaledLinear[1]) }
        options.levels = levels
        options.heads = heads.map { .count($0) } ?? headChannels.map { .channels($0) }
        (options.projections, options.groups, options.blocks) = (qkv, groups, blocks)
        return options
    }
}

/// The size of an image as the command line has it: `64`, or `64x48`, each from 1 to 4096.
struct ImageSize: ExpressibleByArgument {
    let height: Int
    let width: Int

    init?(argument: String) {
        let lengths = argument.split(separator: "x", omittingEmptySubsequences: false).compactMap { Int($0) }
        guard (1...2).contains(lengths.count), lengths.allSatisfy({ (1...4096).contains($0) }),
            lengths.map(String.init).joined(separator: "x") == argument
        else { return nil }
        (height, width) = (lengths[0], lengths[lengths.count - 1])
    }
}

/// An energy's form as the command line has it.
enum EnergyForm: String, CaseIterable, ExpressibleByArgument {
    case denoising
    case squaredNorm = "squared_norm"
    case innerProduct = "inner_product"
    case none

    var kind: NetworkDescription.Energy.Kind {
        switch self {
        case .denoising: .denoising
        case .squaredNorm: .squaredNorm
        case .innerProduct: .innerProduct
        case .none: .noise
        }
    }
}

extension NetworkDescription.Energy.Prediction: ExpressibleByArgument {}
extension UNet.Projections: ExpressibleByArgument {}
extension NetworkFile.Storage: ExpressibleByArgument {}
