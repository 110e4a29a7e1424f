import CVectorMath

/// Symmetric matrices from their eigenvectors.
package enum SpectralMatrix {
    /// The matrix with these eigenvectors and eigenvalues, [d][d], row after row. Every element is a sum over the
    /// eigenvectors in their order, whatever the processor.
    ///
    /// - Parameters:
    ///   - eigenvectors: [d][d], one after the other.
    ///   - eigenvalues: [d].
    package static func matrix(eigenvectors: [Double], eigenvalues: [Double]) -> [Double] {
        let count = eigenvalues.count
        precondition(eigenvectors.count == count * count)
        return [Double](unsafeUninitializedCapacity: count * count) { buffer, initialized in
            rrr_matrix_of_spectrum(count, eigenvectors, eigenvalues, buffer.baseAddress)
            initialized = count * count
        }
    }
}
