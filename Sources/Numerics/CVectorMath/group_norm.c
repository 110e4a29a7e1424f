#include "group_norm.h"

#include "lane_block.h"
#include "processor.h"

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

// The sums over pixels of all channels.
RRR_INLINE void rrr_sum_channels(const rrr_group_norm *layer, const float *x, const float *means, float *sums) {
    for (size_t first = 0; first < layer->channels; first += RRR_BLOCK) {
        size_t width = layer->channels - first < RRR_BLOCK ? layer->channels - first : RRR_BLOCK;
        const float *mean = means ? means + first : NULL;
        if (width == RRR_BLOCK)
            rrr_sum_pixels(layer, RRR_BLOCK, x + first, mean, sums + first);
        else
            rrr_sum_pixels(layer, width, x + first, mean, sums + first);
    }
}

// The terms of an image n; `slope` takes 1 / (variance + epsilon). Its statistics are read if they are known.
RRR_INLINE void rrr_measure(const rrr_normalization *norm, size_t n, int are_known, const float *x,
                            const rrr_norm_terms *terms) {
    const rrr_group_norm *layer = &norm->layer;
    size_t channels = layer->channels;
    const float *weight = norm->weight + n * norm->weight_step, *bias = norm->bias + n * norm->bias_step;
    float *statistics = norm->statistics ? norm->statistics + 2 * n * channels : NULL;
    if (statistics && are_known) {
        memcpy(terms->mean, statistics, channels * sizeof(float));
        memcpy(terms->slope, statistics + channels, channels * sizeof(float));
    } else {
        rrr_sum_channels(layer, x, NULL, terms->sums);
        rrr_group_means(layer, terms->sums, terms->mean);
        rrr_sum_channels(layer, x, terms->mean, terms->sums);
        rrr_group_means(layer, terms->sums, terms->slope);
        for (size_t c = 0; c < channels; c++) terms->slope[c] = 1.0f / (terms->slope[c] + layer->epsilon);
        if (statistics) {
            memcpy(statistics, terms->mean, channels * sizeof(float));
            memcpy(statistics + channels, terms->slope, channels * sizeof(float));
        }
    }
    for (size_t c = 0; c < channels; c++) {
        terms->scale[c] = __builtin_sqrtf(terms->slope[c]) * weight[c];
        terms->bias[c] = bias[c];
    }
}

// Chains of pixels, of which the last stretch may have fewer: zeros stand for the others.
RRR_INLINE void rrr_load_pixels(const float *from, size_t count, size_t step, size_t width, rrr_lane_block *to) {
    RRR_EACH_CHAIN(c) {
        to[c] = 0.0f;
        if (c < count) rrr_load_block(from + c * step, width, &to[c]);
    }
}

RRR_INLINE void rrr_store_pixels(const rrr_lane_block *from, size_t count, size_t step, size_t width, float *to) {
    RRR_EACH_CHAIN(c) {
        if (c < count) rrr_store_block(&from[c], width, to + c * step);
    }
}

RRR_INLINE void rrr_normalize_pixels(size_t count, size_t step, size_t width, int has_swish, const float *x,
                                     const rrr_lane_block *mean, const rrr_lane_block *scale,
                                     const rrr_lane_block *bias, size_t result_step, float *y) {
    rrr_lane_block v[RRR_CHAINS], s[RRR_CHAINS];
    rrr_load_pixels(x, count, step, width, v);
    RRR_EACH_CHAIN(c) v[c] = __builtin_elementwise_fma(v[c] - *mean, *scale, *bias);
    if (has_swish) {
        rrr_sigmoid_blocks(v, s);
        RRR_EACH_CHAIN(c) v[c] *= s[c];
    }
    rrr_store_pixels(v, count, result_step, width, y);
}

RRR_INLINE void rrr_normalize_block(const rrr_pixel_layout *layout, size_t step, size_t width, int has_swish,
                                    const float *x, const rrr_norm_terms *terms, size_t first, float *y) {
    rrr_lane_block mean, scale, bias;
    rrr_load_block(terms->mean + first, RRR_BLOCK, &mean);
    rrr_load_block(terms->scale + first, RRR_BLOCK, &scale);
    rrr_load_block(terms->bias + first, RRR_BLOCK, &bias);
    for (size_t row = 0; row < layout->rows; row++, y += layout->row_step) {
        float *to = y;
        size_t left = layout->columns;
        for (; left >= RRR_CHAINS; left -= RRR_CHAINS) {
            rrr_normalize_pixels(RRR_CHAINS, step, width, has_swish, x, &mean, &scale, &bias, layout->pixel_step, to);
            x += RRR_CHAINS * step;
            to += RRR_CHAINS * layout->pixel_step;
        }
        if (left > 0)
            rrr_normalize_pixels(left, step, width, has_swish, x, &mean, &scale, &bias, layout->pixel_step, to);
        x += left * step;
    }
}

// What sums over pixels go on from, in chains.
typedef struct {
    rrr_lane_block sums[RRR_CHAINS], products[RRR_CHAINS];
} rrr_pixel_sums;

RRR_INLINE void rrr_send_pixels_back(size_t count, size_t step, size_t width, int has_swish, const float *dy,
                                     const float *x, const rrr_lane_block *mean, const rrr_lane_block *scale,
                                     const rrr_lane_block *bias, rrr_pixel_sums *sums, float *dx) {
    rrr_lane_block centred[RRR_CHAINS], t[RRR_CHAINS];
    rrr_load_pixels(x, count, step, width, centred);
    rrr_load_pixels(dy, count, step, width, t);
    RRR_EACH_CHAIN(c) centred[c] -= *mean;
    if (has_swish) {
        rrr_lane_block v[RRR_CHAINS], s[RRR_CHAINS];
        RRR_EACH_CHAIN(c) v[c] = __builtin_elementwise_fma(centred[c], *scale, *bias);
        rrr_sigmoid_blocks(v, s);
        RRR_EACH_CHAIN(c) t[c] *= __builtin_elementwise_fma(v[c] * s[c], 1.0f - s[c], s[c]);
    }
    RRR_EACH_CHAIN(c) t[c] *= *scale;
    RRR_EACH_CHAIN(c) if (c < count) {
        sums->sums[c] += t[c];
        sums->products[c] = __builtin_elementwise_fma(t[c], centred[c], sums->products[c]);
    }
    rrr_store_pixels(t, count, step, width, dx);
}

// dx takes scale dv, and the terms the sums of that and of its products with x - mean.
RRR_INLINE void rrr_send_back_block(size_t pixels, size_t step, size_t width, int has_swish, const float *dy,
                                    const float *x, const rrr_norm_terms *terms, size_t first, float *dx) {
    rrr_lane_block mean, scale, bias;
    rrr_load_block(terms->mean + first, RRR_BLOCK, &mean);
    rrr_load_block(terms->scale + first, RRR_BLOCK, &scale);
    rrr_load_block(terms->bias + first, RRR_BLOCK, &bias);
    rrr_pixel_sums sums;
    RRR_EACH_CHAIN(c) sums.sums[c] = sums.products[c] = 0.0f;
    size_t i = 0;
    for (; i + RRR_CHAINS <= pixels; i += RRR_CHAINS)
        rrr_send_pixels_back(RRR_CHAINS, step, width, has_swish, dy + i * step, x + i * step, &mean, &scale, &bias,
                             &sums, dx + i * step);
    if (i < pixels)
        rrr_send_pixels_back(pixels - i, step, width, has_swish, dy + i * step, x + i * step, &mean, &scale, &bias,
                             &sums, dx + i * step);
    rrr_lane_block sum = (sums.sums[0] + sums.sums[1]) + (sums.sums[2] + sums.sums[3]);
    rrr_lane_block product = (sums.products[0] + sums.products[1]) + (sums.products[2] + sums.products[3]);
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
                                    const rrr_pixel_layout *layout, float *y) {
    size_t step = layer->channels;
    for (size_t first = 0; first < step; first += RRR_BLOCK, y += layout->block_step) {
        size_t width = step - first < RRR_BLOCK ? step - first : RRR_BLOCK;
        if (width < RRR_BLOCK)
            rrr_normalize_block(layout, step, width, layer->has_swish, x + first, terms, first, y);
        else if (layer->has_swish)
            rrr_normalize_block(layout, step, RRR_BLOCK, 1, x + first, terms, first, y);
        else
            rrr_normalize_block(layout, step, RRR_BLOCK, 0, x + first, terms, first, y);
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
    void (*normalize)(const rrr_normalization *norm, size_t n, const float *x, const rrr_norm_terms *terms,
                      const rrr_pixel_layout *layout, float *y);
    void (*send_back)(const rrr_normalization *norm, size_t n, const float *dy, const float *x,
                      const rrr_norm_terms *terms, const float *addend, float *dx);
} rrr_group_norm_kernel;

#define RRR_GROUP_NORM_KERNEL(name, attributes)                                                                   \
    attributes static void name##_normalize(const rrr_normalization *norm, size_t n, const float *x,             \
                                            const rrr_norm_terms *terms, const rrr_pixel_layout *layout, float *y) { \
        rrr_measure(norm, n, 0, x, terms);                                                                       \
        rrr_normalize_image(&norm->layer, x, terms, layout, y);                                                  \
    }                                                                                                            \
    attributes static void name##_send_back(const rrr_normalization *norm, size_t n, const float *dy,            \
                                            const float *x, const rrr_norm_terms *terms, const float *addend,    \
                                            float *dx) {                                                         \
        rrr_measure(norm, n, 1, x, terms);                                                                       \
        rrr_send_image_back(&norm->layer, dy, x, terms, addend, dx);                                             \
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
    kernel = rrr_resolved(kernel);
    if (!rrr_has_kernel(kernel)) return NULL;
    switch (kernel) {
#if defined(__x86_64__)
        case RRR_KERNEL_X86_64_V3: return &rrr_group_norm_v3;
        case RRR_KERNEL_X86_64_V4: return &rrr_group_norm_v4;
#endif
        default: return &rrr_group_norm_portable;
    }
}

int rrr_group_normalize_image(rrr_kernel kernel, const rrr_normalization *norm, size_t n, const float *x,
                              const rrr_pixel_layout *layout, float *y) {
    const rrr_group_norm_kernel *functions = rrr_group_norm_kernel_of(kernel);
    if (!functions) return 0;
    rrr_norm_terms terms = rrr_terms(&norm->layer, norm->scratch);
    functions->normalize(norm, n, x, &terms, layout, y);
    return 1;
}

int rrr_group_normalize(rrr_kernel kernel, const rrr_normalization *norm, size_t images, const float *x, float *y) {
    size_t pixels = norm->layer.pixels, channels = norm->layer.channels;
    rrr_pixel_layout layout = {1, pixels, 0, channels, RRR_BLOCK};
    for (size_t n = 0; n < images; n++)
        if (!rrr_group_normalize_image(kernel, norm, n, x + n * pixels * channels, &layout, y + n * pixels * channels))
            return 0;
    return 1;
}

int rrr_group_norm_to_input(rrr_kernel kernel, const rrr_normalization *norm, size_t images, const float *dy,
                            const float *x, const float *addend, float *dx) {
    const rrr_group_norm_kernel *functions = rrr_group_norm_kernel_of(kernel);
    if (!functions) return 0;
    rrr_norm_terms terms = rrr_terms(&norm->layer, norm->scratch);
    size_t size = norm->layer.pixels * norm->layer.channels;
    for (size_t n = 0; n < images; n++)
        functions->send_back(norm, n, dy + n * size, x + n * size, &terms, addend ? addend + n * size : NULL,
                             dx + n * size);
    return 1;
}
