import EnergyModels

/// The U-Nets of guided-diffusion (Dhariwal and Nichol 2021), with labels or without, and its classifiers.
enum GuidedLayout {
    static let name = "guided-diffusion"

    static func recognizes(_ tensors: ForeignShapes) -> Bool {
        GuidedFamily.recognizes(tensors) && !tensors.has("null_emb")
    }

    /// - Throws: ``ImportError``; what is wrong with the tensors beside those that tell the layout is for later.
    static func model(_ tensors: ForeignShapes, _ options: ImportOptions) throws(ImportError) -> ForeignModel {
        let family = try GuidedFamily(tensors, blocks: options.blocks)
        let isClassifier = family.kind == .classifier
        if isClassifier { try options.expectNoEnergy() }
        let (size, sizeReason) = try family.size(options)
        let heads = try options.heads(needed: family.attends)
        let (projections, projectionsReason) = try projections(family, heads, options)
        let energy = isClassifier ? nil : try options.energy(notBecause: family.scoreReason)
        let (schedule, scheduleReason) = try options.schedule()
        let network = family.network(
            size: size, heads: heads, projections: projections, groups: options.groups ?? 32, levels: schedule.levels)
        var decisions = Decisions()
        decisions.add(
            "layout", name + (isClassifier ? ", a classifier" : ""),
            isClassifier ? "input_blocks, no output_blocks, attention that pools" : "input_blocks, output_blocks")
        decisions.add(shapeOf: network, "as the tensors are", size: sizeReason)
        if family.attends {
            decisions.add("heads", heads.text, "as told; no tensor says it")
            decisions.add("qkv", projections.rawValue, projectionsReason)
        }
        decisions.add("groups", "\(network.groups)", options.groups == nil ? "as this layout has it" : "as told")
        decisions.add(
            "labels",
            family.classes.map { isClassifier ? "tells \($0) apart" : "\($0), and no row for none" } ?? "none",
            isClassifier ? "out.2.c_proj" : "label_emb")
        if network.outputs != network.channels, !isClassifier {
            decisions.add(
                "outputs", "\(network.outputs), of which \(network.channels) are used", "the others are a variance")
        }
        if let (energy, reason) = energy { decisions.add(energy, reason) }
        decisions.add(schedule, scheduleReason)
        return ForeignModel(network: network, energy: energy?.0, schedule: schedule, decisions: decisions)
    }

    private static func projections(
        _ family: GuidedFamily, _ heads: UNet.Heads, _ options: ImportOptions
    ) throws(ImportError) -> (UNet.Projections, String) {
        if let told = options.projections { return (told, "as told; no tensor says it") }
        if family.kind == .classifier { return (.interleaved, "as this layout's classifiers have it") }
        if heads == .count(1) || !family.attends { return (.interleaved, "there is one head, for which both are one") }
        throw .usage(
            "no tensor says in what order queries, keys and values are: give --qkv interleaved, head by head, as most "
                + "networks of this layout have them, or --qkv split, as those with use_new_attention_order, of the released "
                + "ones that of 64 x 64 images")
    }
}
