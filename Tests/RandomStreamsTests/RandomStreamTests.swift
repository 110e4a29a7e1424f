import Foundation
import RandomStreams
import Testing
import VectorMath

private func normals(
    _ stream: RandomStream, rows: Int = 1, lanes: Int, purpose: RandomStream.Purpose = .proposal,
    level: Int = 0, transition: Int = 0
) -> LaneMatrix {
    var x = LaneMatrix(rows: rows, lanes: lanes)
    stream.fillNormals(&x, purpose: purpose, level: level, transition: transition)
    return x
}

private func uniforms(
    _ stream: RandomStream, lanes: Int, level: Int = 0, transition: Int = 0
) -> [Double] {
    var x = [Double](repeating: 0, count: lanes)
    stream.fillUniforms(&x, purpose: .acceptance, level: level, transition: transition)
    return x
}

@Suite("Addresses of random numbers")
struct RandomStreamTests {
    @Test("No two addresses share a number")
    func distinct() {
        var seen = Set<UInt64>()
        var count = 0
        let firstChains = [0, 64, (1 << 32) - 4, 1 << 40, (1 << 48) - 8]
        for firstChain in firstChains {
            let stream = RandomStream(seed: 1, firstChain: firstChain)
            for purpose in RandomStream.Purpose.allCases {
                for level in [0, 1, 2, 256, 65_535] {
                    for transition in [0, 1, 2, 256, 65_536, 4_294_967_295] {
                        let x = normals(
                            stream, rows: 4, lanes: 8, purpose: purpose, level: level,
                            transition: transition)
                        for value in x.elements { seen.insert(value.bitPattern) }
                        count += x.elements.count
                    }
                }
            }
        }
        // 80 000 numbers of about 52 random bits: a chance meeting has probability 6e-7.
        #expect(count == 81_600)
        #expect(seen.count == count)
    }

    @Test("Levels below zero count from the end of the addresses")
    func belowZero() {
        let stream = RandomStream(seed: 4, firstChain: 9)
        for level in [1, 2, 16] {
            #expect(
                normals(stream, lanes: 8, level: -level)
                    == normals(stream, lanes: 8, level: RandomStream.levelLimit - level))
        }
    }

    @Test("Every bit of the seed counts")
    func seeds() {
        let seeds = [0] + (0..<64).map { UInt64(1) << UInt64($0) }
        let first = seeds.map { normals(RandomStream(seed: $0, firstChain: 0), lanes: 1)[0, 0] }
        #expect(Set(first).count == seeds.count)
    }

    @Test("A chain's numbers do not depend on its lane, its block or the block's width")
    func lanes() {
        let whole = RandomStream(seed: 9, firstChain: 0)
        let block = RandomStream(seed: 9, firstChain: 64)
        let alone = RandomStream(seed: 9, firstChain: 70)
        let all = normals(whole, rows: 3, lanes: 128, level: 5, transition: 7)
        let part = normals(block, rows: 3, lanes: 67, level: 5, transition: 7)
        let one = normals(alone, rows: 3, lanes: 1, level: 5, transition: 7)
        for row in 0..<3 {
            #expect(all[row, 70].bitPattern == one[row, 0].bitPattern)
            for lane in 0..<64 { #expect(part[row, lane].bitPattern == all[row, 64 + lane].bitPattern) }
        }
        #expect(uniforms(block, lanes: 64) == Array(uniforms(whole, lanes: 128)[64...]))
    }

    @Test("A lane's chain number carries beyond 32 bits")
    func carry() {
        let before = normals(RandomStream(seed: 3, firstChain: (1 << 32) - 2), lanes: 4)
        let after = normals(RandomStream(seed: 3, firstChain: 1 << 32), lanes: 2)
        #expect(before.elements.suffix(2) == after.elements.prefix(2))
        #expect(before[0, 2] != normals(RandomStream(seed: 3, firstChain: 0), lanes: 1)[0, 0])
    }

    @Test("A coordinate does not depend on how many coordinates there are")
    func dimensions() {
        let stream = RandomStream(seed: 4, firstChain: 0)
        let many = normals(stream, rows: 9, lanes: 5)
        for rows in 1..<9 {
            #expect(normals(stream, rows: rows, lanes: 5).elements == Array(many.elements.prefix(rows * 5)))
        }
    }

    @Test("Numbers are made of the Philox words at the documented counter")
    func counters() {
        let (seed, chain, level, transition) = (UInt64(0x0123_4567_89ab_cdef), (5 << 32) + 77, 42, 13)
        let stream = RandomStream(seed: seed, firstChain: chain)
        let key = (UInt32(truncatingIfNeeded: seed), UInt32(seed >> 32))
        func words(_ purpose: RandomStream.Purpose, index: UInt32) -> [UInt64] {
            let counter = (
                index | UInt32(purpose.rawValue) << 24, UInt32(transition), UInt32(77),
                UInt32(5) | UInt32(level) << 16
            )
            let words = Philox.words(counter: counter, key: key)
            return [words.0, words.1, words.2, words.3].map { UInt64($0) }
        }
        func fraction(_ low: UInt64, _ high: UInt64) -> Double {
            Double((high << 32 | low) >> 12) * 0x1p-52
        }
        let w = words(.acceptance, index: 0)
        #expect(uniforms(stream, lanes: 1, level: level, transition: transition)[0] == 1 - fraction(w[0], w[1]))
        let x = normals(stream, rows: 4, lanes: 1, purpose: .momentum, level: level, transition: transition)
        for index in 0..<2 {
            let w = words(.momentum, index: UInt32(index))
            let radius = (-2 * Foundation.log(1 - fraction(w[0], w[1]))).squareRoot()
            let angle = 2 * Double.pi * fraction(w[2], w[3])
            #expect((x[2 * index, 0] - radius * Foundation.cos(angle)).magnitude < 1e-14)
            #expect((x[2 * index + 1, 0] - radius * Foundation.sin(angle)).magnitude < 1e-14)
        }
    }

    @Test("The bits stay those of earlier versions")
    func golden() {
        let stream = RandomStream(seed: 20_230_222, firstChain: 7)
        let x = normals(stream, rows: 3, lanes: 2, purpose: .initialPosition, level: 99, transition: 0)
        #expect(
            x.elements.map(\.bitPattern) == [
                0x3ffa_a2ea_5af4_9858, 0xbfe1_1a1c_a009_d060, 0x3ff3_b38d_f0bc_fff4,
                0x3fc8_1507_3e23_2ce6, 0x3fed_0d16_dfd5_d314, 0xbff4_9e13_68b7_710e,
            ])
        let u = uniforms(stream, lanes: 2, level: 3, transition: 4)
        #expect(u.map(\.bitPattern) == [0x3fec_fd65_d14b_d3c4, 0x3fef_d1fb_c778_63ae])
        // FNV-1a over many numbers, so that a change in a rare branch shows too.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for value in normals(stream, rows: 101, lanes: 67, level: 1, transition: 2).elements {
            hash = (hash ^ value.bitPattern) &* 0x100_0000_01b3
        }
        #expect(hash == 0x38ef_44f6_d55a_cacd)
    }
}
