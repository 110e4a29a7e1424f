#include "CVectorMath.h"
#include "elementary.h"

RRR_CLONES void rrr_exp(size_t n, const double *x, double *y) {
    for (size_t i = 0; i < n; i++) y[i] = rrr_exp1(x[i]);
}

RRR_CLONES void rrr_log(size_t n, const double *x, double *y) {
    for (size_t i = 0; i < n; i++) y[i] = rrr_log1(x[i]);
}

RRR_CLONES void rrr_cosine_of_turns(size_t n, const double *x, double *y) {
    for (size_t i = 0; i < n; i++) y[i] = rrr_turn(x[i]).cosine;
}

RRR_CLONES void rrr_erfcx(size_t n, const double *x, double *y) {
    for (size_t i = 0; i < n; i++) y[i] = rrr_erfcx1(x[i]);
}

RRR_CLONES void rrr_combine(size_t n, double a, const double *restrict x, double b,
                            double *restrict y) {
    for (size_t i = 0; i < n; i++) y[i] = __builtin_fma(a, x[i], b * y[i]);
}

RRR_CLONES void rrr_scale(size_t n, double a, double *y) {
    for (size_t i = 0; i < n; i++) y[i] = a == 0.0 ? 0.0 : a * y[i];
}

RRR_CLONES void rrr_set_scaled(size_t n, double a, const double *restrict x, double *restrict y) {
    for (size_t i = 0; i < n; i++) y[i] = a * x[i];
}

RRR_CLONES void rrr_add_weighted(size_t rows, size_t lanes, const double *restrict weights,
                                 const double *restrict x, double *restrict y) {
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < lanes; i++)
            y[r * lanes + i] = __builtin_fma(weights[i], x[r * lanes + i], y[r * lanes + i]);
}

RRR_CLONES void rrr_add_scaled(size_t n, const double *restrict base, double a,
                               const double *restrict x, double *restrict out) {
    for (size_t i = 0; i < n; i++) out[i] = __builtin_fma(a, x[i], base[i]);
}

RRR_CLONES void rrr_squared_norms(size_t rows, size_t lanes, const double *restrict x,
                                  double *restrict out) {
    for (size_t i = 0; i < lanes; i++) out[i] = 0.0;
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < lanes; i++) {
            double v = x[r * lanes + i];
            out[i] = __builtin_fma(v, v, out[i]);
        }
}

RRR_CLONES void rrr_drift_residuals(size_t rows, size_t lanes, const double *restrict to,
                                    const double *restrict from, double h,
                                    const double *restrict drift, double *restrict out) {
    for (size_t i = 0; i < lanes; i++) out[i] = 0.0;
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < lanes; i++) {
            size_t j = r * lanes + i;
            double v = __builtin_fma(-h, drift[j], to[j] - from[j]);
            out[i] = __builtin_fma(v, v, out[i]);
        }
}

RRR_CLONES void rrr_copy_lanes(size_t rows, size_t lanes, const uint8_t *restrict take,
                               const double *restrict from, double *restrict to) {
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < lanes; i++) {
            size_t j = r * lanes + i;
            to[j] = take[i] ? from[j] : to[j];
        }
}

RRR_CLONES void rrr_negate_lanes(size_t rows, size_t lanes, const uint8_t *restrict flip,
                                 double *restrict x) {
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < lanes; i++) {
            size_t j = r * lanes + i;
            x[j] = flip[i] ? -x[j] : x[j];
        }
}

RRR_CLONES void rrr_matrix_times_lanes(size_t rows, size_t columns, size_t lanes,
                                       const double *restrict matrix, const double *restrict x,
                                       double *restrict out) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < lanes; i++) out[r * lanes + i] = 0.0;
        for (size_t c = 0; c < columns; c++) {
            double a = matrix[r * columns + c];
            for (size_t i = 0; i < lanes; i++)
                out[r * lanes + i] = __builtin_fma(a, x[c * lanes + i], out[r * lanes + i]);
        }
    }
}

RRR_CLONES void rrr_matrix_of_spectrum(size_t n, const double *restrict vectors, const double *restrict values,
                                       double *restrict out) {
    enum { ROWS = 8 };  // of the result that are summed while an eigenvector is in cache
    for (size_t first = 0; first < n; first += ROWS) {
        size_t last = n - first < ROWS ? n : first + ROWS;
        for (size_t i = first * n; i < last * n; i++) out[i] = 0.0;
        for (size_t k = 0; k < n; k++)
            for (size_t i = first; i < last; i++) {
                double a = vectors[k * n + i] * values[k];
                for (size_t j = 0; j < n; j++) out[i * n + j] += a * vectors[k * n + j];
            }
    }
}
