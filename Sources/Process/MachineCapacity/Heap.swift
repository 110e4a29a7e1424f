import CMalloc

/// How the C library keeps the memory that is freed.
package enum Heap {
    /// From 4 MiB on a block goes back to the system as soon as it is freed.
    ///
    /// By itself the C library raises that limit up to 32 MiB as large blocks are freed (mallopt(3), M_MMAP_THRESHOLD), and a
    /// process that was once sent many large messages keeps the memory for them.
    package static func returnsLargeBlocks() {
        mallopt(M_MMAP_THRESHOLD, 4 << 20)
        // Setting one ends the adjustment of both: smaller blocks are to be kept, as after a result of 3 MB.
        mallopt(M_TRIM_THRESHOLD, 16 << 20)
    }
}
