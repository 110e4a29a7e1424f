package import RunFolder

/// A finished run, as its folder tells of it.
package struct FinishedRun: Sendable {
    /// Nil if it can't be read.
    package let summary: RunSummary?
    /// The arithmetic of the workers that did it; nil if that is not known, or they were of several.
    package let arithmetic: String?

    /// Both as given.
    package init(_ summary: RunSummary?, arithmetic: String?) {
        (self.summary, self.arithmetic) = (summary, arithmetic)
    }
}
