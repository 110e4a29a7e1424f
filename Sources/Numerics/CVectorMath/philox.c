// Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3"
// (SC 2011), and what is made of its words.
#include "CVectorMath.h"
#include "elementary.h"

// Each word sits in the low half of 64 bits: the width of the doubles it is made into, so that a
// loop over lanes keeps one vector width throughout.
typedef struct {
    uint64_t a, b, c, d;
} rrr_words;

#define RRR_LOW(x) ((x) & 0xffffffffULL)

RRR_INLINE rrr_words rrr_rounds(rrr_words w, uint32_t k0, uint32_t k1) {
    _Pragma("clang loop unroll(full)") for (int round = 0; round < 10; round++) {
        uint64_t p = 0xD2511F53ULL * w.a;
        uint64_t q = 0xCD9E8D57ULL * w.c;
        w = (rrr_words){(q >> 32) ^ w.b ^ k0, RRR_LOW(q), (p >> 32) ^ w.d ^ k1, RRR_LOW(p)};
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return w;
}

RRR_INLINE rrr_words rrr_words_at(rrr_random_address a, uint64_t lane, uint32_t index) {
    uint64_t chain = a.first_chain + lane;
    rrr_words counter = {index | (uint32_t)a.purpose << 24, a.transition, RRR_LOW(chain),
                         chain >> 32 | (uint32_t)a.level << 16};
    return rrr_rounds(counter, (uint32_t)a.seed, (uint32_t)(a.seed >> 32));
}

// The high 52 bits of two words as a multiple of 2^-52 in [0, 1): placed in the mantissa of a number
// in [1, 2), which needs no conversion between integers and floats.
RRR_INLINE double rrr_fraction(uint64_t low, uint64_t high) {
    uint64_t bits = high << 32 | low;
    return rrr_from_bits(bits >> 12 | 0x3ff0000000000000ULL) - 1.0;
}

// Two normals from one counter, by Box and Muller. (The elementwise root, unlike sqrt, sets no errno
// and so becomes vector code.)
RRR_INLINE rrr_point rrr_normal_pair(rrr_words w) {
    double radius = __builtin_elementwise_sqrt(-2.0 * rrr_log1(1.0 - rrr_fraction(w.a, w.b)));
    rrr_point p = rrr_turn(rrr_fraction(w.c, w.d));
    return (rrr_point){radius * p.sine, radius * p.cosine};
}

void rrr_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
    rrr_words w = rrr_rounds((rrr_words){counter[0], counter[1], counter[2], counter[3]}, key[0], key[1]);
    out[0] = (uint32_t)w.a;
    out[1] = (uint32_t)w.b;
    out[2] = (uint32_t)w.c;
    out[3] = (uint32_t)w.d;
}

RRR_CLONES void rrr_fill_normals(size_t rows, size_t lanes, rrr_random_address address,
                                 double *restrict out) {
    for (size_t r = 0; r + 1 < rows; r += 2)
        for (size_t i = 0; i < lanes; i++) {
            rrr_point p = rrr_normal_pair(rrr_words_at(address, i, (uint32_t)(r / 2)));
            out[r * lanes + i] = p.cosine;
            out[(r + 1) * lanes + i] = p.sine;
        }
    if (rows % 2 == 1)
        for (size_t i = 0; i < lanes; i++)
            out[(rows - 1) * lanes + i] =
                rrr_normal_pair(rrr_words_at(address, i, (uint32_t)(rows / 2))).cosine;
}

RRR_CLONES void rrr_fill_uniforms(size_t lanes, rrr_random_address address, double *restrict out) {
    for (size_t i = 0; i < lanes; i++) {
        rrr_words w = rrr_words_at(address, i, 0);
        out[i] = 1.0 - rrr_fraction(w.a, w.b);
    }
}
