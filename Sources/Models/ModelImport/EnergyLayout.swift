import EnergyModels

/// The energies of reduce_reuse_recycle (Du et al. 2023): U-Nets of guided-diffusion's family with labels and a row for
/// points without one, queries, keys and values head by head, trained on 1000 levels of the cosine schedule.
enum EnergyLayout {
    static let name = "reduce_reuse_recycle"

    /// The row for no label is this layout's own.
    static func recognizes(_ tensors: ForeignShapes) -> Bool {
        GuidedFamily.recognizes(tensors) && tensors.has("null_emb")
    }

    /// - Throws: ``ImportError``; what is wrong with the tensors beside those that tell the layout is for later.
    static func model(_ tensors: ForeignShapes, _ options: ImportOptions) throws(ImportError) -> ForeignModel {
        let family = try GuidedFamily(tensors, blocks: options.blocks)
        guard family.kind == .energy, let classes = family.classes else {
            throw tensors.missing("label_emb.weight")
        }
        guard options.energy != nil else {
            throw .usage(
                "no file says what energy the network's output f makes: give --energy denoising --scale 0.5, "
                    + "1/2 sum of (x - f)^2, as this layout has it up to commit e5e0871 of 2024, and the checkpoint of 2023; "
                    + "--energy squared_norm, 1/2 sum of f^2, as it has since; or --energy inner_product or none")
        }
        let (size, sizeReason) = try family.size(options)
        let (schedule, scheduleReason) = try options.schedule(usual: .cosine)
        let (energy, energyReason) = try options.energy(notBecause: family.scoreReason)
        let network = family.network(
            size: size, heads: try options.heads(needed: family.attends),
            projections: options.projections ?? .interleaved,
            groups: options.groups ?? 32, levels: schedule.levels)
        var decisions = Decisions()
        decisions.add("layout", name, "null_emb, a row for points without a label, is this layout's own")
        decisions.add(shapeOf: network, "as the tensors are", size: sizeReason)
        if family.attends { decisions.add("heads", network.heads.text, "as told; no tensor says it") }
        decisions.add(
            "qkv", network.projections.rawValue, options.projections == nil ? "as this layout has it" : "as told")
        decisions.add("groups", "\(network.groups)", options.groups == nil ? "as this layout has it" : "as told")
        decisions.add("labels", "\(classes), and a row for none", "label_emb, null_emb")
        decisions.add(energy, energyReason)
        decisions.add(schedule, scheduleReason)
        return ForeignModel(network: network, energy: energy, schedule: schedule, decisions: decisions)
    }
}
