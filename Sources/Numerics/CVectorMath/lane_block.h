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

// 1 / (1 + e^-x), with the bits of rrr_sigmoidf1.
RRR_INLINE void rrr_sigmoid_block(const rrr_lane_block *from, rrr_lane_block *to) {
    rrr_lane_block x = *from, low = -85.8f, high = 85.8f, rounder = RRR_FLOAT_ROUNDER;
    rrr_lane_block clamped = x < low ? low : x;
    clamped = -(clamped > high ? high : clamped);
    // As in rrr_expf_inside.
    rrr_lane_block log2e = 0x1.715476p0f, high_part = 0x1.62e4p-1f, low_part = 0x1.7f7d1cp-20f;
    rrr_lane_block shifted = __builtin_elementwise_fma(clamped, log2e, rounder);
    rrr_lane_block n = shifted - rounder;
    rrr_lane_block r = __builtin_elementwise_fma(-n, high_part, clamped);
    r = __builtin_elementwise_fma(-n, low_part, r);
    rrr_lane_block tail = expf_tail[0];
#pragma clang loop unroll(full)
    for (size_t i = 1; i < sizeof(expf_tail) / sizeof(float); i++) {
        rrr_lane_block next = expf_tail[i];
        tail = __builtin_elementwise_fma(tail, r, next);
    }
    rrr_lane_block p = __builtin_elementwise_fma(tail, r * r, r) + 1.0f;
    // Casts between vectors keep the bits.
    rrr_integer_block whole = (rrr_integer_block)shifted << 23;
    rrr_lane_block power = (rrr_lane_block)((rrr_integer_block)(p * 0.5f) + whole) * 2.0f;
    rrr_lane_block y = 1.0f / (1.0f + power);
    *to = x != x ? x : y;
}

#endif
