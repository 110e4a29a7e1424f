// Elementwise double-precision kernels over lanes.
//
// A matrix of lanes is [rows][lanes], row after row: row = coordinate, lane = chain. Every function
// gives the same bits on every x86-64 processor: no libm, no contraction, fused multiply-adds
// where they are written and nowhere else, reductions over rows in order. Arrays must not overlap
// unless a function says so.
#ifndef RRR_CVECTORMATH_H
#define RRR_CVECTORMATH_H

#include <stddef.h>
#include <stdint.h>

#include "CConvolution.h"
#include "CGroupNorm.h"
#include "CPackedMultiply.h"
#include "CResampling.h"
#include "CVectorLoops.h"

// y[i] = exp(x[i]); zero for x below -708. x and y may be the same array.
void rrr_exp(size_t n, const double *x, double *y);

// y[i] = log(x[i]), with log(0) = -inf and log(negative) = NaN. x and y may be the same array.
void rrr_log(size_t n, const double *x, double *y);

// y[i] = cos(2 pi x[i]) for x in [0, 1].
void rrr_cosine_of_turns(size_t n, const double *x, double *y);

// y[i] = exp(x[i]^2) erfc(x[i]) for x >= 0.
void rrr_erfcx(size_t n, const double *x, double *y);

// y = a x + b y.
void rrr_combine(size_t n, double a, const double *x, double b, double *y);

// y = a y, and 0 throughout for a = 0.
void rrr_scale(size_t n, double a, double *y);

// y = a x.
void rrr_set_scaled(size_t n, double a, const double *x, double *y);

// y[row][lane] += weights[lane] x[row][lane].
void rrr_add_weighted(size_t rows, size_t lanes, const double *weights, const double *x, double *y);

// out = base + a x.
void rrr_add_scaled(size_t n, const double *base, double a, const double *x, double *out);

// out[lane] = sum over rows of x^2.
void rrr_squared_norms(size_t rows, size_t lanes, const double *x, double *out);

// out[lane] = sum over rows of (to - from - h drift)^2.
void rrr_drift_residuals(size_t rows, size_t lanes, const double *to, const double *from, double h,
                         const double *drift, double *out);

// to[row][lane] = from[row][lane] where take[lane] is not zero.
void rrr_copy_lanes(size_t rows, size_t lanes, const uint8_t *take, const double *from, double *to);

// x[row][lane] = -x[row][lane] where flip[lane] is not zero.
void rrr_negate_lanes(size_t rows, size_t lanes, const uint8_t *flip, double *x);

// out[row][lane] = sum over columns of matrix[row][column] x[column][lane].
void rrr_matrix_times_lanes(size_t rows, size_t columns, size_t lanes, const double *matrix,
                            const double *x, double *out);

// out[i][j] = sum over k of vectors[k][i] values[k] vectors[k][j], all n x n: the matrix of eigenvectors and eigenvalues.
void rrr_matrix_of_spectrum(size_t n, const double *vectors, const double *values, double *out);

// Log density and score of a mixture of axis-aligned Gaussians.
// means, inverse_variances: [components][dimension]; log_coefficients: [components], the logarithm
// of weight and normaliser; scratch: [components][lanes].
void rrr_gaussian_mixture(size_t dimension, size_t lanes, size_t components, const double *x,
                          const double *means, const double *inverse_variances,
                          const double *log_coefficients, double *log_density, double *score,
                          double *scratch);

// One axis of a noised uniform box: the density of U(low, high) + sigma N(0, 1).
// Adds its log density to log_density[lane] and writes its derivative to score[lane].
void rrr_noised_interval(size_t lanes, const double *x, double low, double high, double sigma,
                         double *log_density, double *score);

// How a block of random words is addressed: the counter of Philox4x32-10 is
// (index | purpose << 24, transition, chain, chain >> 32 | level << 16); its key is the seed.
typedef struct {
    uint64_t seed;
    uint64_t first_chain;  // lane i belongs to chain first_chain + i; below 2^48
    uint16_t level;
    uint32_t transition;
    uint8_t purpose;
} rrr_random_address;

// The ten rounds themselves, for one counter.
void rrr_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

// out[row][lane]: standard normals by Box and Muller; rows 2 i and 2 i + 1 come from index i,
// which must stay below 2^24.
void rrr_fill_normals(size_t rows, size_t lanes, rrr_random_address address, double *out);

// out[lane]: uniform in (0, 1], a multiple of 2^-52, from index 0.
void rrr_fill_uniforms(size_t lanes, rrr_random_address address, double *out);

#endif
