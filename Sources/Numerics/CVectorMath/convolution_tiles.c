#include "convolution_tiles.h"

#include "elementary.h"
#include "processor.h"

// Pixels and blocks of outputs of a tile at most.
#define RRR_LONGEST 14
#define RRR_WIDEST 2
// Channels of a tile of a gradient by weights at most.
#define RRR_DEEPEST 8

// Adds numbers of a tile's channels to its sums.
#define RRR_ADD_CHANNELS(from)                                                                     \
    _Pragma("clang loop unroll(full)") for (size_t p = 0; p < panels; p++) {                       \
        rrr_lane_block added;                                                                      \
        rrr_load_block((from) + p * RRR_BLOCK, p + 1 < panels ? RRR_BLOCK : last_width, &added);   \
        _Pragma("clang loop unroll(full)") for (size_t i = 0; i < pixels; i++) sums[i][p] += added; \
    }

// Adds the products of one channel to a tile's sums.
#define RRR_ADD_PRODUCTS(k)                                                                        \
    {                                                                                              \
        rrr_lane_block right[RRR_WIDEST];                                                          \
        _Pragma("clang loop unroll(full)") for (size_t p = 0; p < panels; p++)                     \
            right[p] = *(const rrr_unaligned_block *)(weights + p * panel + (k) * RRR_BLOCK);      \
        _Pragma("clang loop unroll(full)") for (size_t i = 0; i < pixels; i++) {                   \
            rrr_lane_block factor = from[i * pixel_step + (k)];                                    \
            _Pragma("clang loop unroll(full)") for (size_t p = 0; p < panels; p++)                 \
                sums[i][p] = __builtin_elementwise_fma(factor, right[p], sums[i][p]);              \
        }                                                                                          \
    }

// pixels x panels sums, which stay in registers once both numbers are constants. A panel of weights is
// [block][tap][channel][16].
RRR_INLINE void rrr_convolution_tile(size_t pixels, size_t panels, const rrr_sum *sum, const float *image,
                                     size_t pixel_step, const float *weights, size_t width,
                                     const rrr_addends *addends, float *result, size_t step) {
    rrr_lane_block sums[RRR_LONGEST][RRR_WIDEST];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < pixels; i++)
#pragma clang loop unroll(full)
        for (size_t p = 0; p < panels; p++) sums[i][p] = 0.0f;
    size_t panel = sum->channels * sum->taps * RRR_BLOCK;
#pragma clang loop unroll(disable)
    for (size_t first = 0; first < sum->channels; first += RRR_BLOCK, image += sum->block_size) {
        size_t depth = sum->channels - first < RRR_BLOCK ? sum->channels - first : RRR_BLOCK;
#pragma clang loop unroll(disable)
        for (size_t tap = 0; tap < sum->taps; tap++, weights += depth * RRR_BLOCK) {
            const float *from = image + sum->offsets[tap];
            // A whole block's steps go by fours: alone they leave a core that two threads share waiting.
            if (depth == RRR_BLOCK) {
#pragma clang loop unroll_count(4)
                for (size_t k = 0; k < RRR_BLOCK; k++) RRR_ADD_PRODUCTS(k)
            } else {
#pragma clang loop unroll(disable)
                for (size_t k = 0; k < depth; k++) RRR_ADD_PRODUCTS(k)
            }
        }
    }
    size_t last_width = width - (panels - 1) * RRR_BLOCK;
    if (addends->channels[0]) RRR_ADD_CHANNELS(addends->channels[0])
    if (addends->channels[1]) RRR_ADD_CHANNELS(addends->channels[1])
    if (addends->numbers) {
#pragma clang loop unroll(full)
        for (size_t i = 0; i < pixels; i++)
#pragma clang loop unroll(full)
            for (size_t p = 0; p < panels; p++) {
                rrr_lane_block added;
                rrr_load_block(addends->numbers + i * step + p * RRR_BLOCK, p + 1 < panels ? RRR_BLOCK : last_width,
                               &added);
                sums[i][p] += added;
            }
    }
#pragma clang loop unroll(full)
    for (size_t i = 0; i < pixels; i++)
#pragma clang loop unroll(full)
        for (size_t p = 0; p < panels; p++) {
            // Sums whose address were taken would not stay in registers.
            rrr_lane_block value = sums[i][p];
            rrr_store_block(&value, p + 1 < panels ? RRR_BLOCK : last_width, result + i * step + p * RRR_BLOCK);
        }
}

#define RRR_PIXELS(pixels)                                                                            \
    case (pixels):                                                                                    \
        if ((pixels) <= longest) {                                                                    \
            if (wide)                                                                                 \
                rrr_convolution_tile(pixels, RRR_WIDEST, sum, image, pixel_step, weights, width, &added, result, \
                                     step);                                                           \
            else                                                                                      \
                rrr_convolution_tile(pixels, 1, sum, image, pixel_step, weights, width, &added, result, step); \
        }                                                                                             \
        break;

// Sums for a rectangle of pixels: rows from `row` to `row` in the image, pixels from one block to the next;
// in the result by steps of their own. Panel after panel, which stays in cache while all pixels pass by.
RRR_INLINE void rrr_convolution_tiles(size_t longest, size_t widest, const rrr_sum *sum, size_t pixel_step,
                                      size_t rows, size_t columns, const float *all_pixels, size_t row_size,
                                      const float *weights, const rrr_addends *addends, float *all_results,
                                      size_t row_step, size_t step) {
    size_t panel = sum->channels * sum->taps * RRR_BLOCK;
    for (size_t first = 0; first < sum->outputs;) {
        size_t remaining = sum->outputs - first;
        int wide = widest > 1 && remaining > RRR_BLOCK;
        size_t panels = wide ? RRR_WIDEST : 1;
        size_t width = remaining < panels * RRR_BLOCK ? remaining : panels * RRR_BLOCK;
        for (size_t row = 0; row < rows; row++) {
            const float *image = all_pixels + row * row_size;
            float *result = all_results + row * row_step + first;
            rrr_addends added = *addends;
            for (size_t k = 0; k < 2; k++)
                if (added.channels[k]) added.channels[k] += first;
            if (added.numbers) added.numbers += row * row_step + first;
            for (size_t tiles = (columns + longest - 1) / longest, done = 0; tiles > 0; tiles--) {
                size_t pixels = (columns - done + tiles - 1) / tiles;
                switch (pixels) {
                    RRR_PIXELS(1) RRR_PIXELS(2) RRR_PIXELS(3) RRR_PIXELS(4) RRR_PIXELS(5) RRR_PIXELS(6)
                    RRR_PIXELS(7) RRR_PIXELS(8) RRR_PIXELS(9) RRR_PIXELS(10) RRR_PIXELS(11) RRR_PIXELS(12)
                    RRR_PIXELS(13) RRR_PIXELS(14)
                }
                done += pixels;
                image += pixels * pixel_step;
                result += pixels * step;
                if (added.numbers) added.numbers += pixels * step;
            }
        }
        first += width;
        weights += panels * panel;
    }
}

// depth channels x panels of outputs of the gradient by weights at one tap, over all pixels of an image:
// sums go on from what images before have left.
RRR_INLINE void rrr_weights_tile(size_t depth, size_t panels, size_t rows, size_t columns, const float *x,
                                 size_t x_row, const float *dy, size_t dy_row, size_t dy_block, float *sums_at,
                                 size_t sums_panel) {
    rrr_lane_block sums[RRR_DEEPEST][RRR_WIDEST];
#pragma clang loop unroll(full)
    for (size_t k = 0; k < depth; k++)
#pragma clang loop unroll(full)
        for (size_t p = 0; p < panels; p++)
            sums[k][p] = *(const rrr_unaligned_block *)(sums_at + p * sums_panel + k * RRR_BLOCK);
#pragma clang loop unroll(disable)
    for (size_t i = 0; i < rows; i++)
#pragma clang loop unroll(disable)
        for (size_t j = 0; j < columns; j++) {
            const float *pixel = x + i * x_row + j * RRR_BLOCK;
            rrr_lane_block right[RRR_WIDEST];
#pragma clang loop unroll(full)
            for (size_t p = 0; p < panels; p++)
                right[p] = *(const rrr_unaligned_block *)(dy + p * dy_block + i * dy_row + j * RRR_BLOCK);
#pragma clang loop unroll(full)
            for (size_t k = 0; k < depth; k++) {
                rrr_lane_block factor = pixel[k];
#pragma clang loop unroll(full)
                for (size_t p = 0; p < panels; p++)
                    sums[k][p] = __builtin_elementwise_fma(factor, right[p], sums[k][p]);
            }
        }
#pragma clang loop unroll(full)
    for (size_t k = 0; k < depth; k++)
#pragma clang loop unroll(full)
        for (size_t p = 0; p < panels; p++)
            *(rrr_unaligned_block *)(sums_at + p * sums_panel + k * RRR_BLOCK) = sums[k][p];
}

// The number of registers decides the shapes of a processor's tiles.
#define RRR_CONVOLUTION_KERNEL(name, attributes, longest, widest, deepest)                                   \
    attributes static void name##_tiles(const rrr_sum *sum, size_t rows, size_t columns, const float *pixels, \
                                        size_t row_size, const float *weights, const rrr_addends *addends,   \
                                        float *results, size_t row_step, size_t step) {                      \
        if (sum->pixel_step == RRR_BLOCK)                                                                    \
            rrr_convolution_tiles(longest, widest, sum, RRR_BLOCK, rows, columns, pixels, row_size, weights, \
                                  addends, results, row_step, step);                                         \
        else                                                                                                 \
            rrr_convolution_tiles(longest, widest, sum, sum->pixel_step, rows, columns, pixels, row_size,    \
                                  weights, addends, results, row_step, step);                                \
    }                                                                                                        \
    attributes static void name##_weights(size_t depth, size_t panels, size_t rows, size_t columns,          \
                                          const float *x, size_t x_row, const float *dy, size_t dy_row,      \
                                          size_t dy_block, float *sums, size_t sums_panel) {                 \
        if (depth == deepest && panels == widest)                                                            \
            rrr_weights_tile(deepest, widest, rows, columns, x, x_row, dy, dy_row, dy_block, sums, sums_panel); \
        else                                                                                                 \
            for (size_t k = 0; k < depth; k++)                                                               \
                for (size_t p = 0; p < panels; p++)                                                          \
                    rrr_weights_tile(1, 1, rows, columns, x + k, x_row, dy + p * dy_block, dy_row, dy_block, \
                                     sums + p * sums_panel + k * RRR_BLOCK, sums_panel);                     \
    }                                                                                                        \
    static const rrr_convolution_kernel name = {name##_tiles, name##_weights, widest, deepest};

RRR_CONVOLUTION_KERNEL(rrr_convolution_portable, , 4, 1, 4)
#if defined(__x86_64__)
RRR_CONVOLUTION_KERNEL(rrr_convolution_v3, __attribute__((target("arch=x86-64-v3"))), 6, 1, 4)
RRR_CONVOLUTION_KERNEL(rrr_convolution_v4, __attribute__((target("arch=x86-64-v4"), min_vector_width(512))), 14, 2, 8)
#endif

const rrr_convolution_kernel *rrr_convolution_kernel_of(rrr_kernel kernel) {
    kernel = rrr_resolved(kernel);
    if (!rrr_has_kernel(kernel)) return NULL;
    switch (kernel) {
#if defined(__x86_64__)
        case RRR_KERNEL_X86_64_V3: return &rrr_convolution_v3;
        case RRR_KERNEL_X86_64_V4: return &rrr_convolution_v4;
#endif
        default: return &rrr_convolution_portable;
    }
}
