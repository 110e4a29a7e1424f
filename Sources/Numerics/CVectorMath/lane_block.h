// Sixteen numbers side by side, as the kernels of images compute with them.
#ifndef RRR_LANE_BLOCK_H
#define RRR_LANE_BLOCK_H

#include <string.h>

#include "float_elementary.h"

// Channels lie side by side in blocks of so many: one vector of AVX-512 or two of AVX2. The compiler splits
// what is wider than a processor's registers.
#define RRR_BLOCK 16

typedef float rrr_lane_block __attribute__((ext_vector_type(RRR_BLOCK)));
typedef float rrr_unaligned_block __attribute__((ext_vector_type(RRR_BLOCK), aligned(4)));
typedef int32_t rrr_integer_block __attribute__((ext_vector_type(RRR_BLOCK)));

static inline size_t rrr_blocks(size_t channels) { return (channels + RRR_BLOCK - 1) / RRR_BLOCK; }

// Vectors are handed over by their address: to pass one by value depends on the processor.

// Loads and stores so many numbers, at most 16; the others are zero. A width known to the compiler is one move.
RRR_INLINE void rrr_load_block(const float *from, size_t width, rrr_lane_block *to) {
    if (width == RRR_BLOCK) {
        *to = *(const rrr_unaligned_block *)from;
    } else {
        *to = 0.0f;
        memcpy(to, from, width * sizeof(float));
    }
}

RRR_INLINE void rrr_store_block(const rrr_lane_block *from, size_t width, float *to) {
    if (width == RRR_BLOCK)
        *(rrr_unaligned_block *)to = *from;
    else
        memcpy(to, from, width * sizeof(float));
}

// Several blocks are taken through long chains of operations side by side: one alone would wait for its own results.
#define RRR_CHAINS 4
#define RRR_EACH_CHAIN(c) _Pragma("clang loop unroll(full)") for (size_t c = 0; c < RRR_CHAINS; c++)

// 1 / (1 + e^-x), and any number for what is not one. Errors are at most three units in the last place.
RRR_INLINE void rrr_sigmoid_blocks(const rrr_lane_block *from, rrr_lane_block *to) {
    rrr_lane_block low = -85.8f, high = 85.8f, one = 1.0f, rounder = RRR_FLOAT_ROUNDER;
    rrr_lane_block to_binary = -0x1.715476p0f, to_binary_rest = -0x1.4ae0cp-26f;
    rrr_lane_block x[RRR_CHAINS], shifted[RRR_CHAINS], r[RRR_CHAINS], tail[RRR_CHAINS], d[RRR_CHAINS], e[RRR_CHAINS];
    RRR_EACH_CHAIN(c) x[c] = low > from[c] ? low : from[c];
    RRR_EACH_CHAIN(c) x[c] = x[c] > high ? high : x[c];
    // e^-x = 2^n 2^r with n a whole number, left in the low bits by adding what rounds, and |r| at most 1/2.
    RRR_EACH_CHAIN(c) shifted[c] = __builtin_elementwise_fma(x[c], to_binary, rounder);
    RRR_EACH_CHAIN(c) r[c] = __builtin_elementwise_fma(x[c], to_binary, rounder - shifted[c]);
    RRR_EACH_CHAIN(c) r[c] = __builtin_elementwise_fma(x[c], to_binary_rest, r[c]);
    RRR_EACH_CHAIN(c) tail[c] = exp2f_tail[0];
#pragma clang loop unroll(full)
    for (size_t i = 1; i < sizeof(exp2f_tail) / sizeof(float); i++) {
        rrr_lane_block next = exp2f_tail[i];
        RRR_EACH_CHAIN(c) tail[c] = __builtin_elementwise_fma(tail[c], r[c], next);
    }
    RRR_EACH_CHAIN(c) tail[c] = __builtin_elementwise_fma(tail[c], r[c], one);
    // Casts between vectors keep the bits.
    RRR_EACH_CHAIN(c) d[c] = (rrr_lane_block)((rrr_integer_block)tail[c] + ((rrr_integer_block)shifted[c] << 23)) + one;
    // 1 / d without a division, which takes longer than all this: a first value within 13 %, from the bits, whose
    // error e = 1 - d y each step cubes, y (1 + e + e^2).
    rrr_integer_block start = 0x7ef311c3;
    RRR_EACH_CHAIN(c) to[c] = (rrr_lane_block)(start - (rrr_integer_block)d[c]);
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 2; i++) {
        RRR_EACH_CHAIN(c) e[c] = __builtin_elementwise_fma(-d[c], to[c], one);
        RRR_EACH_CHAIN(c) e[c] = __builtin_elementwise_fma(e[c], e[c], e[c]);
        RRR_EACH_CHAIN(c) to[c] = __builtin_elementwise_fma(to[c], e[c], to[c]);
    }
}

#endif
