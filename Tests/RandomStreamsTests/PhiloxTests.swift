import RandomStreams
import Testing

@Suite("Philox")
struct PhiloxTests {
    @Test("The published answers for counter and key zero")
    func zeros() {
        let words = Philox.words(counter: (0, 0, 0, 0), key: (0, 0))
        #expect(words == (0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    }

    @Test("The published answers for counter and key of ones")
    func ones() {
        let ones = UInt32.max
        let words = Philox.words(counter: (ones, ones, ones, ones), key: (ones, ones))
        #expect(words == (0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    }

    @Test("The published answers for the digits of pi")
    func digitsOfPi() {
        let words = Philox.words(
            counter: (0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), key: (0xa409_3822, 0x299f_31d0))
        #expect(words == (0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
    }

    @Test("Every bit of counter and key changes about half of the words' bits")
    func avalanche() {
        let base = Philox.words(counter: (1, 2, 3, 4), key: (5, 6))
        var inputs: [(UInt32, UInt32, UInt32, UInt32, UInt32, UInt32)] = []
        for bit in 0..<32 {
            let flip = UInt32(1) << UInt32(bit)
            inputs += [
                (1 ^ flip, 2, 3, 4, 5, 6), (1, 2 ^ flip, 3, 4, 5, 6), (1, 2, 3 ^ flip, 4, 5, 6),
                (1, 2, 3, 4 ^ flip, 5, 6), (1, 2, 3, 4, 5 ^ flip, 6), (1, 2, 3, 4, 5, 6 ^ flip),
            ]
        }
        for input in inputs {
            let words = Philox.words(
                counter: (input.0, input.1, input.2, input.3), key: (input.4, input.5))
            let changed =
                (words.0 ^ base.0).nonzeroBitCount + (words.1 ^ base.1).nonzeroBitCount
                + (words.2 ^ base.2).nonzeroBitCount + (words.3 ^ base.3).nonzeroBitCount
            // Binomial(128, 1/2): P(outside 29...99) = 4e-10 each, 192 of them: 8e-8 in all.
            #expect((29...99).contains(changed))
        }
    }
}
