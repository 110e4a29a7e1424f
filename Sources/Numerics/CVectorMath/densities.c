#include "CVectorMath.h"
#include "elementary.h"

RRR_CLONES void rrr_gaussian_mixture(size_t dimension, size_t lanes, size_t components,
                                     const double *restrict x, const double *restrict means,
                                     const double *restrict inverse_variances,
                                     const double *restrict log_coefficients,
                                     double *restrict log_density, double *restrict score,
                                     double *restrict scratch) {
    double *restrict highest = log_density;
    for (size_t i = 0; i < lanes; i++) highest[i] = -__builtin_inf();
    for (size_t k = 0; k < components; k++) {
        double *restrict term = scratch + k * lanes;
        for (size_t i = 0; i < lanes; i++) term[i] = 0.0;
        for (size_t d = 0; d < dimension; d++) {
            double mean = means[k * dimension + d];
            double precision = inverse_variances[k * dimension + d];
            for (size_t i = 0; i < lanes; i++) {
                double r = x[d * lanes + i] - mean;
                term[i] = __builtin_fma(r * precision, r, term[i]);
            }
        }
        for (size_t i = 0; i < lanes; i++) {
            term[i] = __builtin_fma(-0.5, term[i], log_coefficients[k]);
            highest[i] = term[i] > highest[i] ? term[i] : highest[i];
        }
    }
    for (size_t j = 0; j < dimension * lanes; j++) score[j] = 0.0;
    // Each term becomes its weight relative to the highest one.
    for (size_t k = 0; k < components; k++) {
        double *restrict term = scratch + k * lanes;
        for (size_t i = 0; i < lanes; i++) term[i] = rrr_exp1(term[i] - highest[i]);
        for (size_t d = 0; d < dimension; d++) {
            double mean = means[k * dimension + d];
            double precision = inverse_variances[k * dimension + d];
            for (size_t i = 0; i < lanes; i++) {
                double pull = precision * (mean - x[d * lanes + i]);
                score[d * lanes + i] = __builtin_fma(term[i], pull, score[d * lanes + i]);
            }
        }
    }
    for (size_t k = 1; k < components; k++)
        for (size_t i = 0; i < lanes; i++) scratch[i] += scratch[k * lanes + i];
    for (size_t i = 0; i < lanes; i++) log_density[i] = highest[i] + rrr_log1(scratch[i]);
    for (size_t d = 0; d < dimension; d++)
        for (size_t i = 0; i < lanes; i++) score[d * lanes + i] /= scratch[i];
}

#define RRR_INVERSE_SQRT_2PI 0x1.9884533d43651p-2
#define RRR_LOG_SQRT_2PI 0x1.d67f1c864beb5p-1
#define RRR_SQRT_HALF 0x1.6a09e667f3bcdp-1

// The density at x is [Phi(upper) - Phi(lower)] / (high - low) with upper = (x - low) / sigma and
// lower = (x - high) / sigma. The sign of x is turned so that the middle of the two is never
// negative: upper >= |lower|, and both tails come from erfcx without loss.
RRR_CLONES static void rrr_wide_interval(size_t lanes, const double *restrict x, double low,
                                         double high, double sigma, double *restrict log_density,
                                         double *restrict score) {
    double centre = 0.5 * (low + high), half = 0.5 * (high - low) / sigma;
    double log_width = rrr_log1(high - low);
    for (size_t i = 0; i < lanes; i++) {
        double offset = (x[i] - centre) / sigma;
        double middle = __builtin_fabs(offset);
        double upper = middle + half, lower = middle - half;
        double near = rrr_erfcx1(__builtin_fabs(lower) * RRR_SQRT_HALF);
        double far = rrr_erfcx1(upper * RRR_SQRT_HALF);
        double ratio = rrr_exp1(-2.0 * middle * half);  // phi(upper) / phi(lower)
        double exponent = -0.5 * lower * lower;
        double peak = rrr_exp1(exponent);  // phi(lower) / phi(0)
        int outside = lower > 0.0;
        double tails = outside ? __builtin_fma(-ratio, far, near) : __builtin_fma(ratio, far, near);
        double mass = outside ? 0.5 * tails : __builtin_fma(-0.5 * peak, tails, 1.0);
        double slope = (ratio - 1.0) * RRR_INVERSE_SQRT_2PI * (outside ? 1.0 : peak) / mass;
        log_density[i] += (outside ? exponent : 0.0) + rrr_log1(mass) - log_width;
        score[i] = (offset < 0.0 ? -slope : slope) / sigma;
    }
}

// Where the box is narrow against the noise the difference of the two Phi loses digits; to second
// order in width / sigma the density is phi(middle) sinh(k) / k with k = middle * half.
RRR_CLONES static void rrr_narrow_interval(size_t lanes, const double *restrict x, double low,
                                           double high, double sigma, double *restrict log_density,
                                           double *restrict score) {
    double centre = 0.5 * (low + high), half = 0.5 * (high - low) / sigma;
    double log_sigma = rrr_log1(sigma);
    for (size_t i = 0; i < lanes; i++) {
        double offset = (x[i] - centre) / sigma;
        double k = __builtin_fabs(offset) * half;
        double k2 = k * k;
        double decay = rrr_exp1(-2.0 * k);
        int small = k < 0.02;
        // log(sinh(k) / k) and its derivative coth(k) - 1 / k.
        double series = k2 * (1.0 / 6.0 - k2 * (1.0 / 180.0 - k2 / 2835.0));
        double closed = k + rrr_log1((1.0 - decay) / (small ? 1.0 : 2.0 * k));
        double slope_series = k * (1.0 / 3.0 - k2 * (1.0 / 45.0 - k2 * (2.0 / 945.0)));
        double slope_closed = (1.0 + decay) / (small ? 1.0 : 1.0 - decay) - 1.0 / (small ? 1.0 : k);
        double slope = (small ? slope_series : slope_closed) * half;
        log_density[i] += (small ? series : closed) - 0.5 * offset * offset - RRR_LOG_SQRT_2PI - log_sigma;
        score[i] = ((offset < 0.0 ? -slope : slope) - offset) / sigma;
    }
}

void rrr_noised_interval(size_t lanes, const double *x, double low, double high, double sigma,
                         double *log_density, double *score) {
    if ((high - low) / sigma < 1e-4)
        rrr_narrow_interval(lanes, x, low, high, sigma, log_density, score);
    else
        rrr_wide_interval(lanes, x, low, high, sigma, log_density, score);
}
