/// Whether what a run has staged is still what was staged.
extension RunStaging {
    /// Throws `.missing` or `.malformed` when somebody has removed, replaced or cut one of the staging files: then
    /// nothing that was recorded can be relied on.
    package func expectFilesInPlace() throws(RunFolderError) {
        try expectOpen()
        try draws.expectInPlace()
        try statistics.expectInPlace()
        try job.file.expectInPlace(size: description.canonicalJob.count)
    }

    /// Those of some neighbouring blocks whose rows, as they are in the files, have another ``BlockRecord/checksum``.
    ///
    /// - Parameters:
    ///   - blocks: all recorded.
    ///   - checksums: one a block; nil where none is known, and then the block counts as sound.
    /// Throws `.invalidValue` for blocks that are not all of the run; `.inputOutput`.
    package func damagedBlocks(
        among blocks: Range<Int>, checksums: [UInt64?]
    ) throws(RunFolderError) -> [Int] {
        try expectOpen()
        guard blocks.lowerBound >= 0, blocks.upperBound <= description.blocks, checksums.count == blocks.count else {
            throw RunFolderError(
                .invalidValue, path: folder,
                reason: "\(checksums.count) checksums of the blocks \(blocks), of \(description.blocks)")
        }
        var damaged: [Int] = []
        var next = blocks.lowerBound
        while next < blocks.upperBound {
            let piece = next..<min(next + blocksAPiece, blocks.upperBound)
            for (block, found) in zip(piece, try self.checksums(ofBlocks: piece)) {
                if let expected = checksums[block - blocks.lowerBound], expected != found { damaged.append(block) }
            }
            next = piece.upperBound
        }
        return damaged
    }

    /// Blocks whose rows are read together.
    private var blocksAPiece: Int {
        let samples = description.block * description.draws * description.dimension * MemoryLayout<Float>.size
        let sizes = description.statistics.map { $0.size(chains: description.block, blocks: 1) }
        return max(1, File.pieceSize / max(1, max(samples, sizes.max() ?? 0)))
    }

    /// Whether the rows of a block, as they are in the files, are byte for byte those of a record.
    ///
    /// - Parameter record: of one block, which is recorded here.
    /// Throws `.inputOutput`, and `.missing` or `.malformed` where files are not in place.
    package func holds(_ record: BlockRecord) throws(RunFolderError) -> Bool {
        try expectOpen()
        let block = record.firstChain / description.block
        let stored = try rows(ofBlocks: block..<block + 1).map(\.bytes)
        return stored == record.rows
    }

    /// The rows of some neighbouring blocks, as they are in the files: those of the samples, then those of one statistic
    /// after the other.
    private func rows(
        ofBlocks blocks: Range<Int>
    ) throws(RunFolderError) -> [(rows: RunStatistic.Rows, rowBytes: Int, bytes: [UInt8])] {
        let size = description.block
        let chains = blocks.lowerBound * size..<min(blocks.upperBound * size, description.chains)
        let samplesRow = draws.header.rowSize * draws.header.elementType.size
        return [(rows: .chains, rowBytes: samplesRow, bytes: try draws.bytes(ofRows: chains))]
            + (try statistics.bytes(ofBlocks: blocks, chains: chains))
    }

    private func checksums(ofBlocks blocks: Range<Int>) throws(RunFolderError) -> [UInt64] {
        let size = description.block
        let arrays = try rows(ofBlocks: blocks)
        return (0..<blocks.count).map { index in
            var checksum = BlockChecksum()
            for array in arrays {
                let step = array.rowBytes * (array.rows == .chains ? size : 1)
                checksum.update(array.bytes[index * step..<min((index + 1) * step, array.bytes.count)])
            }
            return checksum.value
        }
    }
}
