// exp, log, sine and cosine of a turn, and the scaled complementary error function: branch-free,
// so that loops over them become vector code. Errors are a few units in the last place.
#ifndef RRR_ELEMENTARY_H
#define RRR_ELEMENTARY_H

#include <stdint.h>
#include <string.h>

#include "coefficients.h"

// Products and sums stay apart unless written as rrr_fma.
#pragma STDC FP_CONTRACT OFF

#define RRR_INLINE static inline __attribute__((always_inline))

#if defined(__x86_64__)
// One clone per processor generation, chosen at run time; all give the same bits.
#define RRR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define RRR_CLONES
#endif

#define RRR_HORNER(table, x)                                                        \
    ({                                                                              \
        double sum_ = (table)[0];                                                   \
        _Pragma("clang loop unroll(full)") for (size_t i_ = 1;                      \
                                                i_ < sizeof(table) / sizeof(double); \
                                                i_++) sum_ = __builtin_fma(sum_, (x), (table)[i_]); \
        sum_;                                                                       \
    })

RRR_INLINE double rrr_from_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

RRR_INLINE uint64_t rrr_to_bits(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

// Adding and subtracting it rounds to an integer and leaves that integer in the low bits.
#define RRR_ROUNDER 0x1.8p52

RRR_INLINE double rrr_exp1(double x) {
    const double high = 0x1.62e42fefa38p-1, low = 0x1.ef35793c7673p-45;  // log 2 in two parts
    double clamped = x < -708.0 ? -708.0 : x;
    clamped = clamped > 709.79 ? 709.79 : clamped;
    double shifted = __builtin_fma(clamped, 0x1.71547652b82fep0, RRR_ROUNDER);
    double n = shifted - RRR_ROUNDER;
    double r = __builtin_fma(-n, low, __builtin_fma(-n, high, clamped));
    double p = __builtin_fma(r * r, RRR_HORNER(exp_tail, r), r) + 1.0;
    // 2^n in two factors, so that n = 1024 does not overflow before its time.
    double y = p * rrr_from_bits((rrr_to_bits(shifted) + 1022) << 52) * 2.0;
    y = x < -708.0 ? 0.0 : y;
    y = x > 0x1.62e42fefa39efp9 ? __builtin_inf() : y;
    return x != x ? x : y;
}

RRR_INLINE double rrr_log1(double x) {
    const double high = 0x1.62e42fefa38p-1, low = 0x1.ef35793c7673p-45;
    int tiny = x < 0x1p-1022;
    double scaled = tiny ? x * 0x1p54 : x;
    uint64_t bits = rrr_to_bits(scaled);
    // The mantissa is brought into [sqrt(1/2), sqrt(2)), the exponent adjusted to match.
    uint64_t offset = bits - 0x3fe6a09e667f3bcdULL;
    int64_t exponent = (int64_t)offset >> 52;
    double e = (double)exponent - (tiny ? 54.0 : 0.0);
    double m = rrr_from_bits(bits - ((uint64_t)exponent << 52));
    double f = m - 1.0;
    double s = f / (2.0 + f);
    double z = s * s;
    // log(1 + f) = f - s (f - z tail(z)): exact where f is, so that log is accurate near one.
    double correction = __builtin_fma(z, RRR_HORNER(log_tail, z), -f);
    double y = __builtin_fma(e, high, __builtin_fma(e, low, __builtin_fma(s, correction, f)));
    y = x == 0.0 ? -__builtin_inf() : y;
    y = x == __builtin_inf() ? x : y;
    return x >= 0.0 ? y : __builtin_nan("");
}

typedef struct {
    double sine, cosine;
} rrr_point;

// Sine and cosine of 2 pi u for u in [0, 1].
RRR_INLINE rrr_point rrr_turn(double u) {
    double shifted = __builtin_fma(u, 4.0, RRR_ROUNDER);
    uint64_t quarter = rrr_to_bits(shifted);
    double r = __builtin_fma(shifted - RRR_ROUNDER, -0.25, u);
    double z = r * r;
    double s = r * RRR_HORNER(sine_tail, z);
    double c = RRR_HORNER(cosine_tail, z);
    double a = quarter & 1 ? c : s;
    double b = quarter & 1 ? s : c;
    rrr_point p = {
        rrr_from_bits(rrr_to_bits(a) ^ ((quarter & 2) << 62)),
        rrr_from_bits(rrr_to_bits(b) ^ (((quarter + 1) & 2) << 62)),
    };
    return p;
}

// exp(x^2) erfc(x) for x >= 0.
RRR_INLINE double rrr_erfcx1(double x) {
    double q = (x - 4.0) / (x + 4.0);
    return RRR_HORNER(erfcx_tail, q) / __builtin_fma(2.0, x, 1.0);
}

#endif
