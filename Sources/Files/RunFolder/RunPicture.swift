import Pictures

extension RunStaging {
    /// The bytes of the picture of some samples; nil for a run without one.
    func picture(of samples: borrowing ArrayStaging) throws(RunFolderError) -> [UInt8]? {
        guard let layout = description.picture else { return nil }
        let (draws, dimension) = (description.draws, description.dimension)
        let shown = SampleIndex.shown(chains: description.chains, draws: draws, cells: layout.grid.cells)
        var sheet = PictureSheet(layout)
        for (cell, sample) in shown.enumerated() {
            let picture: [Float] = try samples.numbers(sample.numbers(draws: draws, dimension: dimension))
            sheet.paint(picture[...], cell: cell)
        }
        return try sheet.image.fileBytes(path: Folder.path(folder, RunFolder.pictureName))
    }
}
