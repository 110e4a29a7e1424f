#include "CGroupNorm.h"

#include "lane_block.h"

// Sums of a channel over pixels run in so many chains, which hide the latency of an addition.
#define RRR_CHAINS 4

// What an image's numbers are normalised by, channel by channel.
typedef struct {
    float *mean, *scale, *bias;  // scale: weight / sqrt(variance + epsilon)
    float *slope;                // of the gradient: what x - mean is multiplied by
    float *sums, *products;      // over the pixels
} rrr_norm_terms;

size_t rrr_group_norm_scratch(const rrr_group_norm *layer) { return 6 * rrr_blocks(layer->channels) * RRR_BLOCK; }

static rrr_norm_terms rrr_terms(const rrr_group_norm *layer, float *scratch) {
    size_t n = rrr_blocks(layer->channels) * RRR_BLOCK;
    return (rrr_norm_terms){scratch, scratch + n, scratch + 2 * n, scratch + 3 * n, scratch + 4 * n, scratch + 5 * n};
}

// The sums over pixels of x - mean and of its square, for a block of channels; of x itself if mean is null.
RRR_INLINE void rrr_sum_pixels(const rrr_group_norm *layer, size_t width, const float *x, const float *mean,
                               float *result) {
    rrr_lane_block sums[RRR_CHAINS], centre = 0.0f;
    if (mean) rrr_load_block(mean, RRR_BLOCK, &centre);
#pragma clang loop unroll(full)
    for (size_t c = 0; c < RRR_CHAINS; c++) sums[c] = 0.0f;
    size_t whole = layer->pixels / RRR_CHAINS * RRR_CHAINS, step = layer->channels;
    for (size_t i = 0; i < whole; i += RRR_CHAINS)
#pragma clang loop unroll(full)
        for (size_t c = 0; c < RRR_CHAINS; c++) {
            rrr_lane_block v;
            rrr_load_block(x + (i + c) * step, width, &v);
            v -= centre;
            sums[c] = mean ? __builtin_elementwise_fma(v, v, sums[c]) : sums[c] + v;
        }
#pragma clang loop unroll(full)
    for (size_t c = 0; c < RRR_CHAINS; c++)
        if (whole + c < layer->pixels) {
            rrr_lane_block v;
            rrr_load_block(x + (whole + c) * step, width, &v);
            v -= centre;
            sums[c] = mean ? __builtin_elementwise_fma(v, v, sums[c]) : sums[c] + v;
        }
    rrr_lane_block sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    rrr_store_block(&sum, RRR_BLOCK, result);
}

// The mean of so many channels' sums over pixels, for each group in the place of its channels.
static void rrr_group_means(const rrr_group_norm *layer, const float *sums, float *means) {
    size_t size = layer->channels / layer->groups;
    float count = (float)size * (float)layer->pixels;
    for (size_t first = 0; first < layer->channels; first += size) {
        float sum = 0.0f;
        for (size_t c = first; c < first + size; c++) sum += sums[c];
        for (size_t c = first; c < first + size; c++) means[c] = sum / count;
    }
}

// The terms of one image. `slope` takes 1 / (variance + epsilon).
RRR_INLINE void rrr_measure(const rrr_group_norm *layer, const float *x, const float *weight, const float *bias,
                            const rrr_norm_terms *terms) {
    size_t channels = layer->channels;
    for (size_t first = 0; first < channels; first += RRR_BLOCK) {
        size_t width = channels - first < RRR_BLOCK ? channels - first : RRR_BLOCK;
        if (width == RRR_BLOCK)
            rrr_sum_pixels(layer, RRR_BLOCK, x + first, NULL, terms->sums + first);
        else
            rrr_sum_pixels(layer, width, x + first, NULL, terms->sums + first);
    }
    rrr_group_means(layer, terms->sums, terms->mean);
    for (size_t first = 0; first < channels; first += RRR_BLOCK) {
        size_t width = channels - first < RRR_BLOCK ? channels - first : RRR_BLOCK;
        if (width == RRR_BLOCK)
            rrr_sum_pixels(layer, RRR_BLOCK, x + first, terms->mean + first, terms->sums + first);
        else
            rrr_sum_pixels(layer, width, x + first, terms->mean + first, terms->sums + first);
    }
    rrr_group_means(layer, terms->sums, terms->slope);
    for (size_t c = 0; c < channels; c++) {
        terms->slope[c] = 1.0f / (terms->slope[c] + layer->epsilon);
        terms->scale[c] = __builtin_sqrtf(terms->slope[c]) * weight[c];
        terms->bias[c] = bias[c];
    }
}

RRR_INLINE void rrr_normalize_block(size_t pixels, size_t step, size_t width, int has_swish, const float *x,
                                    const rrr_norm_terms *terms, size_t first, float *y) {
    rrr_lane_block mean, scale, bias;
    rrr_load_block(terms->mean + first, RRR_BLOCK, &mean);
    rrr_load_block(terms->scale + first, RRR_BLOCK, &scale);
    rrr_load_block(terms->bias + first, RRR_BLOCK, &bias);
    for (size_t i = 0; i < pixels; i++, x += step, y += step) {
        rrr_lane_block v;
        rrr_load_block(x, width, &v);
        v = __builtin_elementwise_fma(v - mean, scale, bias);
        if (has_swish) {
            rrr_lane_block s;
            rrr_sigmoid_block(&v, &s);
            v *= s;
        }
        rrr_store_block(&v, width, y);
    }
}

// dx takes scale dv, and the terms the sums of that and of its products with x - mean.
RRR_INLINE void rrr_send_back_block(size_t pixels, size_t step, size_t width, int has_swish, const float *dy,
                                    const float *x, const rrr_norm_terms *terms, size_t first, float *dx) {
    rrr_lane_block mean, scale, bias, sums[RRR_CHAINS], products[RRR_CHAINS];
    rrr_load_block(terms->mean + first, RRR_BLOCK, &mean);
    rrr_load_block(terms->scale + first, RRR_BLOCK, &scale);
    rrr_load_block(terms->bias + first, RRR_BLOCK, &bias);
#pragma clang loop unroll(full)
    for (size_t c = 0; c < RRR_CHAINS; c++) sums[c] = products[c] = 0.0f;
    for (size_t i = 0; i < pixels; i += RRR_CHAINS)
#pragma clang loop unroll(full)
        for (size_t c = 0; c < RRR_CHAINS; c++) {
            if (i + c >= pixels) break;
            rrr_lane_block centred, t;
            rrr_load_block(x + (i + c) * step, width, &centred);
            rrr_load_block(dy + (i + c) * step, width, &t);
            centred -= mean;
            if (has_swish) {
                rrr_lane_block v = __builtin_elementwise_fma(centred, scale, bias), s;
                rrr_sigmoid_block(&v, &s);
                t *= __builtin_elementwise_fma(v * s, 1.0f - s, s);
            }
            t *= scale;
            sums[c] += t;
            products[c] = __builtin_elementwise_fma(t, centred, products[c]);
            rrr_store_block(&t, width, dx + (i + c) * step);
        }
    rrr_lane_block sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    rrr_lane_block product = (products[0] + products[1]) + (products[2] + products[3]);
    rrr_store_block(&sum, RRR_BLOCK, terms->sums + first);
    rrr_store_block(&product, RRR_BLOCK, terms->products + first);
}

// Takes from scale dv what its mean and its part along x - mean are.
RRR_INLINE void rrr_project_block(size_t pixels, size_t step, size_t width, const float *x,
                                  const rrr_norm_terms *terms, size_t first, const float *addend, float *dx) {
    rrr_lane_block mean, shift, slope;
    rrr_load_block(terms->mean + first, RRR_BLOCK, &mean);
    rrr_load_block(terms->sums + first, RRR_BLOCK, &shift);
    rrr_load_block(terms->slope + first, RRR_BLOCK, &slope);
    for (size_t i = 0; i < pixels; i++) {
        rrr_lane_block v, t;
        rrr_load_block(x + i * step, width, &v);
        rrr_load_block(dx + i * step, width, &t);
        t = __builtin_elementwise_fma(mean - v, slope, t - shift);
        if (addend) {
            rrr_load_block(addend + i * step, width, &v);
            t += v;
        }
        rrr_store_block(&t, width, dx + i * step);
    }
}

RRR_INLINE void rrr_normalize_image(const rrr_group_norm *layer, const float *x, const rrr_norm_terms *terms,
                                    float *y) {
    size_t pixels = layer->pixels, step = layer->channels;
    for (size_t first = 0; first < step; first += RRR_BLOCK) {
        size_t width = step - first < RRR_BLOCK ? step - first : RRR_BLOCK;
        if (width < RRR_BLOCK)
            rrr_normalize_block(pixels, step, width, layer->has_swish, x + first, terms, first, y + first);
        else if (layer->has_swish)
            rrr_normalize_block(pixels, step, RRR_BLOCK, 1, x + first, terms, first, y + first);
        else
            rrr_normalize_block(pixels, step, RRR_BLOCK, 0, x + first, terms, first, y + first);
    }
}

RRR_INLINE void rrr_send_image_back(const rrr_group_norm *layer, const float *dy, const float *x,
                                    const rrr_norm_terms *terms, const float *addend, float *dx) {
    size_t pixels = layer->pixels, step = layer->channels;
    for (size_t first = 0; first < step; first += RRR_BLOCK) {
        size_t width = step - first < RRR_BLOCK ? step - first : RRR_BLOCK;
        if (width < RRR_BLOCK)
            rrr_send_back_block(pixels, step, width, layer->has_swish, dy + first, x + first, terms, first, dx + first);
        else if (layer->has_swish)
            rrr_send_back_block(pixels, step, RRR_BLOCK, 1, dy + first, x + first, terms, first, dx + first);
        else
            rrr_send_back_block(pixels, step, RRR_BLOCK, 0, dy + first, x + first, terms, first, dx + first);
    }
    rrr_group_means(layer, terms->sums, terms->sums);
    rrr_group_means(layer, terms->products, terms->products);
    for (size_t c = 0; c < layer->channels; c++) terms->slope[c] *= terms->products[c];
    for (size_t first = 0; first < step; first += RRR_BLOCK) {
        size_t width = step - first < RRR_BLOCK ? step - first : RRR_BLOCK;
        const float *added = addend ? addend + first : NULL;
        if (width < RRR_BLOCK)
            rrr_project_block(pixels, step, width, x + first, terms, first, added, dx + first);
        else if (added)
            rrr_project_block(pixels, step, RRR_BLOCK, x + first, terms, first, added, dx + first);
        else
            rrr_project_block(pixels, step, RRR_BLOCK, x + first, terms, first, NULL, dx + first);
    }
}

// Every processor has a function of its own for the two.
typedef struct {
    void (*normalize)(const rrr_group_norm *layer, const float *x, const float *weight, const float *bias,
                      const rrr_norm_terms *terms, float *y);
    void (*send_back)(const rrr_group_norm *layer, const float *dy, const float *x, const float *weight,
                      const float *bias, const rrr_norm_terms *terms, const float *addend, float *dx);
} rrr_group_norm_kernel;

#define RRR_GROUP_NORM_KERNEL(name, attributes)                                                                  \
    attributes static void name##_normalize(const rrr_group_norm *layer, const float *x, const float *weight,    \
                                            const float *bias, const rrr_norm_terms *terms, float *y) {          \
        rrr_measure(layer, x, weight, bias, terms);                                                              \
        rrr_normalize_image(layer, x, terms, y);                                                                 \
    }                                                                                                            \
    attributes static void name##_send_back(const rrr_group_norm *layer, const float *dy, const float *x,        \
                                            const float *weight, const float *bias, const rrr_norm_terms *terms, \
                                            const float *addend, float *dx) {                                    \
        rrr_measure(layer, x, weight, bias, terms);                                                              \
        rrr_send_image_back(layer, dy, x, terms, addend, dx);                                                    \
    }                                                                                                            \
    static const rrr_group_norm_kernel name = {name##_normalize, name##_send_back};

RRR_GROUP_NORM_KERNEL(rrr_group_norm_portable, )
#if defined(__x86_64__)
// Not target_clones: without the last attribute the compiler would halve the vectors of v4.
RRR_GROUP_NORM_KERNEL(rrr_group_norm_v3, __attribute__((target("arch=x86-64-v3"))))
RRR_GROUP_NORM_KERNEL(rrr_group_norm_v4, __attribute__((target("arch=x86-64-v4"), min_vector_width(512))))
#endif

// Null if this processor cannot run it.
static const rrr_group_norm_kernel *rrr_group_norm_kernel_of(rrr_kernel kernel) {
    switch (kernel) {
        case RRR_KERNEL_PORTABLE: return &rrr_group_norm_portable;
#if defined(__x86_64__)
        case RRR_KERNEL_X86_64_V3: return __builtin_cpu_supports("x86-64-v3") ? &rrr_group_norm_v3 : NULL;
        case RRR_KERNEL_X86_64_V4: return __builtin_cpu_supports("x86-64-v4") ? &rrr_group_norm_v4 : NULL;
#endif
        default: return NULL;
    }
}

int rrr_group_normalize_with(rrr_kernel kernel, const rrr_group_norm *layer, size_t images, const float *x,
                             const float *weight, const float *bias, float *y, float *scratch) {
    const rrr_group_norm_kernel *functions = rrr_group_norm_kernel_of(kernel);
    if (!functions) return 0;
    rrr_norm_terms terms = rrr_terms(layer, scratch);
    size_t size = layer->pixels * layer->channels;
    for (size_t n = 0; n < images; n++)
        functions->normalize(layer, x + n * size, weight + n * layer->weight_step, bias + n * layer->bias_step, &terms,
                             y + n * size);
    return 1;
}

int rrr_group_norm_to_input_with(rrr_kernel kernel, const rrr_group_norm *layer, size_t images,
                                 const float *dy, const float *x, const float *weight, const float *bias,
                                 const float *addend, float *dx, float *scratch) {
    const rrr_group_norm_kernel *functions = rrr_group_norm_kernel_of(kernel);
    if (!functions) return 0;
    rrr_norm_terms terms = rrr_terms(layer, scratch);
    size_t size = layer->pixels * layer->channels;
    for (size_t n = 0; n < images; n++)
        functions->send_back(layer, dy + n * size, x + n * size, weight + n * layer->weight_step,
                             bias + n * layer->bias_step, &terms, addend ? addend + n * size : NULL, dx + n * size);
    return 1;
}

void rrr_group_normalize(const rrr_group_norm *layer, size_t images, const float *x, const float *weight,
                         const float *bias, float *y, float *scratch) {
    for (int kernel = RRR_KERNEL_X86_64_V4; kernel >= RRR_KERNEL_PORTABLE; kernel--)
        if (rrr_group_normalize_with(kernel, layer, images, x, weight, bias, y, scratch)) return;
}

void rrr_group_norm_to_input(const rrr_group_norm *layer, size_t images, const float *dy, const float *x,
                             const float *weight, const float *bias, const float *addend, float *dx,
                             float *scratch) {
    for (int kernel = RRR_KERNEL_X86_64_V4; kernel >= RRR_KERNEL_PORTABLE; kernel--)
        if (rrr_group_norm_to_input_with(kernel, layer, images, dy, x, weight, bias, addend, dx, scratch)) return;
}
