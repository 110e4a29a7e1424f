import CVectorMath
import Testing
import VectorMath

@Suite("Group norms")
struct GroupNormTests {
    private static let kernels = [RRR_KERNEL_PORTABLE, RRR_KERNEL_X86_64_V3, RRR_KERNEL_X86_64_V4]

    struct Case: Sendable, CustomTestStringConvertible {
        var images = 3
        let pixels: Int
        let channels: Int
        let groups: Int
        var hasSwish = true
        var hasAddend = false

        var testDescription: String {
            "\(images) x \(pixels) x \(channels) in \(groups) groups" + (hasSwish ? ", swish" : "")
                + (hasAddend ? ", addend" : "")
        }

        var layer: rrr_group_norm {
            rrr_group_norm(
                pixels: pixels, channels: channels, groups: groups, epsilon: 1e-5, has_swish: hasSwish ? 1 : 0)
        }

        func floats(_ count: Int, salt: Int) -> [Float] {
            filled(rows: 1, lanes: count, salt: salt).elements.map { Float($0) }
        }
    }

    private static let cases = [
        Case(pixels: 64, channels: 96, groups: 8), Case(pixels: 7, channels: 32, groups: 8, hasAddend: true),
        Case(pixels: 9, channels: 20, groups: 4), Case(pixels: 5, channels: 6, groups: 3, hasSwish: false),
        Case(images: 1, pixels: 1, channels: 17, groups: 1, hasAddend: true),
        Case(pixels: 256, channels: 16, groups: 1, hasSwish: false, hasAddend: true),
    ]

    /// Results and gradients of some of the images by one kernel; nil if this processor does not have it.
    private func computed(
        _ test: Case, _ kernel: rrr_kernel, _ images: Range<Int>, keepsStatistics: Bool = false
    ) -> [Float]? {
        let size = test.pixels * test.channels
        func part(_ numbers: [Float], _ size: Int) -> [Float] {
            Array(numbers[images.lowerBound * size..<images.upperBound * size])
        }
        let all = test.images * size
        let (x, dy, addend) = (
            part(test.floats(all, salt: 1), size), part(test.floats(all, salt: 2), size),
            part(test.floats(all, salt: 3), size)
        )
        var weight = part(test.floats(test.images * test.channels, salt: 4), test.channels)
        var bias = test.floats(test.channels, salt: 5)
        var statistics = [Float](repeating: .nan, count: 2 * images.count * test.channels)
        var (y, dx) = ([Float](repeating: 42, count: x.count + 16), [Float](repeating: 42, count: x.count + 16))
        var isComputed = false
        weight.withUnsafeMutableBufferPointer { weight in
            bias.withUnsafeMutableBufferPointer { bias in
                statistics.withUnsafeMutableBufferPointer { statistics in
                    withNormScratch(test.layer) { scratch in
                        var norm = rrr_normalization(
                            layer: test.layer, weight: weight.baseAddress, bias: bias.baseAddress,
                            weight_step: test.channels, bias_step: 0,
                            statistics: keepsStatistics ? statistics.baseAddress : nil, scratch: scratch)
                        isComputed =
                            rrr_group_normalize(kernel, &norm, images.count, x, &y) == 1
                            && rrr_group_norm_to_input(
                                kernel, &norm, images.count, dy, x, test.hasAddend ? addend : nil, &dx) == 1
                    }
                }
            }
        }
        guard isComputed else { return nil }
        #expect(statistics.allSatisfy { $0.isNaN != keepsStatistics }, "statistics are kept where they are asked for")
        #expect(y.suffix(16).allSatisfy { $0 == 42 } && dx.suffix(16).allSatisfy { $0 == 42 })
        return y.dropLast(16) + dx.dropLast(16)
    }

    @Test("Every kernel gives the same bits", arguments: cases)
    func kernels(_ test: Case) throws {
        let portable = try #require(computed(test, RRR_KERNEL_PORTABLE, 0..<test.images))
        for kernel in Self.kernels {
            guard let found = computed(test, kernel, 0..<test.images) else { continue }
            #expect(found.map(\.bitPattern) == portable.map(\.bitPattern), "kernel \(kernel.rawValue)")
        }
        #expect(test.pixels * test.channels < 20 || Set(portable).count > portable.count / 2, "the numbers differ")
    }

    @Test("A gradient that reads the norm's statistics has the bits of one that measures them", arguments: cases)
    func statistics(_ test: Case) throws {
        for kernel in Self.kernels {
            guard let measured = computed(test, kernel, 0..<test.images) else { continue }
            let read = try #require(computed(test, kernel, 0..<test.images, keepsStatistics: true))
            #expect(read.map(\.bitPattern) == measured.map(\.bitPattern), "kernel \(kernel.rawValue)")
        }
    }

    @Test("An image has the same bits alone and among others")
    func images() throws {
        let test = Self.cases[0]
        let all = try #require(computed(test, RRR_KERNEL_PORTABLE, 0..<3))
        let each = try (0..<3).map { try #require(computed(test, RRR_KERNEL_PORTABLE, $0..<$0 + 1)) }
        let half = each[0].count / 2
        let joined = each.flatMap { $0.prefix(half) } + each.flatMap { $0.suffix(half) }
        #expect(all.map(\.bitPattern) == joined.map(\.bitPattern))
    }

    @Test("What is not finite stays so")
    func notFinite() {
        let layer = rrr_group_norm(pixels: 2, channels: 4, groups: 2, epsilon: 1e-5, has_swish: 1)
        var (weight, bias): ([Float], [Float]) = ([1, 1, 1, 1], [0, 0, 0, 0])
        var y = [Float](repeating: 0, count: 8)
        weight.withUnsafeMutableBufferPointer { weight in
            bias.withUnsafeMutableBufferPointer { bias in
                withNormScratch(layer) { scratch in
                    var norm = rrr_normalization(
                        layer: layer, weight: weight.baseAddress, bias: bias.baseAddress, weight_step: 0, bias_step: 0,
                        statistics: nil, scratch: scratch)
                    rrr_group_normalize(RRR_KERNEL_BEST, &norm, 1, [1, .nan, 1, 2, 3, 4, 5, 6], &y)
                }
            }
        }
        #expect(y[0].isNaN && y[1].isNaN && y[4].isNaN && y[2].isFinite && y[7].isFinite)
    }

    @Test("A swish is right to six units in the last place, far out too")
    func swish() {
        // The two pixels are opposite, so that the mean is 0 and the weight alone scales.
        let layer = rrr_group_norm(pixels: 2, channels: 64, groups: 64, epsilon: 0, has_swish: 1)
        var weight = (0..<64).map { Float($0) * 1.34 + 0.01 }
        var bias = [Float](repeating: 0, count: 64)
        var y = [Float](repeating: 0, count: 128)
        weight.withUnsafeMutableBufferPointer { weight in
            bias.withUnsafeMutableBufferPointer { bias in
                withNormScratch(layer) { scratch in
                    var norm = rrr_normalization(
                        layer: layer, weight: weight.baseAddress, bias: bias.baseAddress, weight_step: 0, bias_step: 0,
                        statistics: nil, scratch: scratch)
                    let x = [Float](repeating: 1, count: 64) + [Float](repeating: -1, count: 64)
                    rrr_group_normalize(RRR_KERNEL_BEST, &norm, 1, x, &y)
                }
            }
        }
        for (place, found) in y.enumerated() {
            let v = Double(weight[place % 64]) * (place < 64 ? 1 : -1)
            let exact = v / (1 + Elementary.exp(-v))
            #expect(abs(Double(found) - exact) <= 6 * Double(Float(exact).ulp), "swish of \(v)")
        }
    }
}
