// exp, log and the logistic function in single precision: branch-free, so that loops over them become
// vector code. Errors are at most two units in the last place.
#ifndef RRR_FLOAT_ELEMENTARY_H
#define RRR_FLOAT_ELEMENTARY_H

#include "elementary.h"

#define RRR_FLOAT_HORNER(table, x)                                                    \
    ({                                                                                \
        float sum_ = (table)[0];                                                      \
        _Pragma("clang loop unroll(full)") for (size_t i_ = 1;                        \
                                                i_ < sizeof(table) / sizeof(float);   \
                                                i_++) sum_ = __builtin_fmaf(sum_, (x), (table)[i_]); \
        sum_;                                                                         \
    })

RRR_INLINE float rrr_float_from_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

RRR_INLINE uint32_t rrr_float_to_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

// Adding and subtracting it rounds to an integer and leaves that integer in the low bits.
#define RRR_FLOAT_ROUNDER 0x1.8p23f

// 2^n e^r for x = n log 2 + r, x between -85.8 and 88.73, where it overflows; r below 0.35 in size.
RRR_INLINE float rrr_expf_inside(float x) {
    float shifted = __builtin_fmaf(x, 0x1.715476p0f, RRR_FLOAT_ROUNDER);
    float n = shifted - RRR_FLOAT_ROUNDER;
    float r = __builtin_fmaf(-n, 0x1.62e4p-1f, x);
    r = __builtin_fmaf(-n, 0x1.7f7d1cp-20f, r);
    float p = __builtin_fmaf(RRR_FLOAT_HORNER(expf_tail, r), r * r, r) + 1.0f;
    // The exponent in two halves, so that n = 128 does not overflow before its time.
    uint32_t whole = rrr_float_to_bits(shifted) << 23;
    return rrr_float_from_bits(rrr_float_to_bits(p * 0.5f) + whole) * 2.0f;
}

RRR_INLINE float rrr_expf1(float x) {
    float clamped = x < -85.8f ? -85.8f : x;
    clamped = clamped > 88.73f ? 88.73f : clamped;
    float y = rrr_expf_inside(clamped);
    y = x < -85.8f ? 0.0f : y;
    return x != x ? x : y;
}

RRR_INLINE float rrr_logf1(float x) {
    int tiny = x < 0x1p-126f;
    uint32_t bits = rrr_float_to_bits(tiny ? x * 0x1p23f : x);
    // The mantissa is brought into [sqrt(1/2), sqrt(2)), the exponent adjusted to match.
    int32_t exponent = (int32_t)(bits - 0x3f3504f3u) >> 23;
    float e = (float)exponent - (tiny ? 23.0f : 0.0f);
    float f = rrr_float_from_bits(bits - ((uint32_t)exponent << 23)) - 1.0f;
    float s = f / (2.0f + f);
    float z = s * s;
    // log(1 + f) = f - s (f - z tail(z)): exact where f is, so that log is accurate near one.
    float correction = __builtin_fmaf(z, RRR_FLOAT_HORNER(logf_tail, z), -f);
    float y = __builtin_fmaf(
        e, 0x1.62e4p-1f, __builtin_fmaf(e, 0x1.7f7d1cp-20f, __builtin_fmaf(s, correction, f)));
    y = x == 0.0f ? -__builtin_inff() : y;
    y = x == __builtin_inff() ? x : y;
    return x >= 0.0f ? y : __builtin_nanf("");
}

// 1 / (1 + e^-x).
RRR_INLINE float rrr_sigmoidf1(float x) {
    float clamped = x < -85.8f ? -85.8f : x;
    clamped = clamped > 85.8f ? 85.8f : clamped;
    float y = 1.0f / (1.0f + rrr_expf_inside(-clamped));
    return x != x ? x : y;
}

#endif
