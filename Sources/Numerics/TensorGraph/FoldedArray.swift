import CVectorMath

/// An array that plans read of what a graph's fixed tensors come to: a node's numbers as they are, or packed for a
/// product. A tensor that is packed alone is in memory in no other form.
struct FoldedArray: Hashable {
    /// The node whose numbers they are; it depends on nothing but fixed tensors.
    let source: Int
    /// How it is packed, if it is.
    let packing: PlanCompiler.Packing.Kind?
}

extension Graph {
    /// Computes an array, or finds it if a plan of this graph had it before.
    ///
    /// What it is computed from goes again, so that no more than one array's sources are in memory at a time.
    ///
    /// - Parameter parameters: gives the numbers of a parameter.
    func fold<Failure: Error>(
        _ array: FoldedArray, parameters: (Int) throws(Failure) -> [Float]
    ) throws(Failure) -> ConstantMemory {
        if let known = folded[array] { return known }
        var compiler = PlanCompiler(graph: self, inputs: [], outputs: [array.source])
        var steps = compiler.compile(.constant)
        let work = Memory.ofGraph(count: compiler.counts[.constant] ?? 0)
        for index in compiler.needed {
            guard let place = compiler.places[index] else { continue }
            let values: [Float]
            switch nodes[index].operation {
            case .constant(let tensor): values = constants[tensor].values
            case .parameter(let number): values = try parameters(number)
            default: continue
            }
            precondition(values.count == nodes[index].shape.elementCount, "\(values.count) values for a parameter")
            values.withUnsafeBufferPointer { values in
                guard let first = values.baseAddress else { return }
                (work.start + place.offset).update(from: first, count: values.count)
            }
        }
        let source = compiler.place(array.source)
        let result: Memory
        if let packing = array.packing {
            result = Memory.ofGraph(count: packing.count)
            steps.append(compiler.pack(packing, from: source, to: MemoryAddress(foldedArray: 0)))
        } else {
            result = Memory.ofGraph(count: nodes[array.source].shape.elementCount)
        }
        let scratch = Memory.ofGraph(count: (steps.map(\.registers).max() ?? 0) * Int(RRR_STRIP))
        let memory = ConstantMemory(result)
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: 1) { none in
            guard let none = none.baseAddress else { return }
            let starts = Regions.starts(constant: work, folded: [memory])
            defer { starts.deallocate() }
            let regions = Regions(starts: starts, indices: none, scratch: scratch.start)
            for step in steps { step.run(regions) }
        }
        if array.packing == nil { result.start.update(from: work.start + source.offset, count: result.count) }
        folded[array] = memory
        return memory
    }

    /// Bytes of the arrays that plans of this graph share.
    package var foldedBytes: Int { folded.values.reduce(0) { $0 + $1.count * MemoryLayout<Float>.stride } }
}
