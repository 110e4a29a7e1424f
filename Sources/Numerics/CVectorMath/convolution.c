#include "CConvolution.h"

#include <string.h>

#include "bordered_image.h"
#include "elementary.h"

// Pixels and blocks of outputs of a tile at most.
#define RRR_LONGEST 14
#define RRR_WIDEST 2
// Channels of a tile of a gradient by weights at most.
#define RRR_DEEPEST 8
// Taps of a layer at most.
#define RRR_TAPS 64

// The input as the output reads it.
static rrr_bordered rrr_input_image(const rrr_convolution *layer) {
    // The last pixel that a tap reads, or the last that there is.
    size_t down = (layer->output_height - 1) * layer->stride + layer->kernel;
    size_t across = (layer->output_width - 1) * layer->stride + layer->kernel;
    size_t high = layer->padding + layer->height, wide = layer->padding + layer->width;
    if (down > high) high = down;
    if (across > wide) wide = across;
    return (rrr_bordered){layer->height, layer->width, layer->channels, layer->padding, layer->stride,
                          (high + layer->stride - 1) / layer->stride, (wide + layer->stride - 1) / layer->stride};
}

// The output as the gradient by the input reads it: x[i] goes into y[(i + p - a) / s] for each tap a that
// leaves a whole number.
static rrr_bordered rrr_output_image(const rrr_convolution *layer) {
    size_t before = (layer->kernel - 1) / layer->stride;
    size_t high = before + (layer->height - 1 + layer->padding) / layer->stride + 1;
    size_t wide = before + (layer->width - 1 + layer->padding) / layer->stride + 1;
    if (high < before + layer->output_height) high = before + layer->output_height;
    if (wide < before + layer->output_width) wide = before + layer->output_width;
    return (rrr_bordered){layer->output_height, layer->output_width, layer->outputs, before, 1, high, wide};
}

// A sum over taps and channels for pixels side by side: what a tile is computed from.
typedef struct {
    size_t channels;
    size_t block_size;  // from one block of channels to the next
    size_t taps;
    size_t offsets[RRR_TAPS];  // of each tap, from a pixel's place
    size_t outputs;            // of a pixel, of which the last panel may have fewer than 16
    size_t pixel_step;         // from one pixel to the next one's; as they lie in blocks, or in a plain image
} rrr_sum;

// Adds numbers of a tile's channels to its sums.
#define RRR_ADD_CHANNELS(from)                                                                     \
    _Pragma("clang loop unroll(full)") for (size_t p = 0; p < panels; p++) {                       \
        rrr_lane_block added;                                                                      \
        rrr_load_block((from) + p * RRR_BLOCK, p + 1 < panels ? RRR_BLOCK : last_width, &added);   \
        _Pragma("clang loop unroll(full)") for (size_t i = 0; i < pixels; i++) sums[i][p] += added; \
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
#pragma clang loop unroll(disable)
            for (size_t k = 0; k < depth; k++) {
                rrr_lane_block right[RRR_WIDEST];
#pragma clang loop unroll(full)
                for (size_t p = 0; p < panels; p++)
                    right[p] = *(const rrr_unaligned_block *)(weights + p * panel + k * RRR_BLOCK);
#pragma clang loop unroll(full)
                for (size_t i = 0; i < pixels; i++) {
                    rrr_lane_block factor = from[i * pixel_step + k];
#pragma clang loop unroll(full)
                    for (size_t p = 0; p < panels; p++)
                        sums[i][p] = __builtin_elementwise_fma(factor, right[p], sums[i][p]);
                }
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

// Every processor has a function of its own for the two kinds of tiles; the number of registers decides
// their shapes.
typedef struct {
    void (*tiles)(const rrr_sum *sum, size_t rows, size_t columns, const float *pixels, size_t row_size,
                  const float *weights, const rrr_addends *addends, float *results, size_t row_step, size_t step);
    void (*weights)(size_t depth, size_t panels, size_t rows, size_t columns, const float *x, size_t x_row,
                    const float *dy, size_t dy_row, size_t dy_block, float *sums, size_t sums_panel);
    size_t panels, depth;
} rrr_convolution_kernel;

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

// Null if this processor cannot run it.
static const rrr_convolution_kernel *rrr_convolution_kernel_of(rrr_kernel kernel) {
    switch (kernel) {
        case RRR_KERNEL_PORTABLE: return &rrr_convolution_portable;
#if defined(__x86_64__)
        case RRR_KERNEL_X86_64_V3: return __builtin_cpu_supports("x86-64-v3") ? &rrr_convolution_v3 : NULL;
        case RRR_KERNEL_X86_64_V4: return __builtin_cpu_supports("x86-64-v4") ? &rrr_convolution_v4 : NULL;
#endif
        default: return NULL;
    }
}

static rrr_kernel rrr_best_kernel(void) {
    for (int kernel = RRR_KERNEL_X86_64_V4; kernel > RRR_KERNEL_PORTABLE; kernel--)
        if (rrr_convolution_kernel_of(kernel)) return kernel;
    return RRR_KERNEL_PORTABLE;
}

size_t rrr_convolution_weights_count(const rrr_convolution *layer) {
    return rrr_blocks(layer->outputs) * RRR_BLOCK * layer->channels * layer->kernel * layer->kernel;
}

size_t rrr_convolution_input_weights_count(const rrr_convolution *layer) {
    return rrr_blocks(layer->channels) * RRR_BLOCK * layer->outputs * layer->kernel * layer->kernel;
}

// Packs, for the taps (a, b) with a = a0, a0 + s, … and likewise b, weights from so many channels to so
// many outputs, which lie so far apart; returns where the next ones go.
static float *rrr_pack_taps(const rrr_convolution *layer, size_t a0, size_t b0, size_t s, size_t channels,
                            size_t along_channels, size_t outputs, size_t along_outputs, const float *weights,
                            float *to) {
    for (size_t panel = 0; panel < outputs; panel += RRR_BLOCK)
        for (size_t first = 0; first < channels; first += RRR_BLOCK)
            for (size_t a = a0; a < layer->kernel; a += s)
                for (size_t b = b0; b < layer->kernel; b += s)
                    for (size_t c = first; c < channels && c < first + RRR_BLOCK; c++)
                        for (size_t o = panel; o < panel + RRR_BLOCK; o++)
                            *to++ = o < outputs ? weights[o * along_outputs + c * along_channels + a * layer->kernel + b]
                                                : 0.0f;
    return to;
}

void rrr_convolution_pack(const rrr_convolution *layer, const float *weights, float *packed) {
    size_t taps = layer->kernel * layer->kernel;
    rrr_pack_taps(layer, 0, 0, 1, layer->channels, taps, layer->outputs, layer->channels * taps, weights, packed);
}

void rrr_convolution_input_pack(const rrr_convolution *layer, const float *weights, float *packed) {
    size_t taps = layer->kernel * layer->kernel;
    for (size_t a = 0; a < layer->stride; a++)
        for (size_t b = 0; b < layer->stride; b++)
            packed = rrr_pack_taps(layer, a, b, layer->stride, layer->outputs, layer->channels * taps, layer->channels,
                                   taps, weights, packed);
}

// Whether every output reads a single pixel, its own: images are read as they lie.
static int rrr_is_pointwise(const rrr_convolution *layer) {
    return layer->kernel == 1 && layer->stride == 1 && layer->padding == 0;
}

// What is added to image n of so many numbers.
static rrr_addends rrr_addends_of(const rrr_addends *addends, size_t n, size_t size) {
    rrr_addends own = {{NULL, NULL}, {0, 0}, NULL};
    if (!addends) return own;
    for (size_t k = 0; k < 2; k++)
        if (addends->channels[k]) own.channels[k] = addends->channels[k] + n * addends->channels_step[k];
    if (addends->numbers) own.numbers = addends->numbers + n * size;
    return own;
}

// A convolution of single pixels: all of an image's in one row.
static void rrr_convolve_pixels(const rrr_convolution_kernel *functions, size_t images, size_t pixels, size_t channels,
                                size_t outputs, const float *x, const float *packed, const rrr_addends *addends,
                                float *y) {
    rrr_sum sum = {channels, RRR_BLOCK, 1, {0}, outputs, channels};
    for (size_t n = 0; n < images; n++) {
        rrr_addends added = rrr_addends_of(addends, n, pixels * outputs);
        functions->tiles(&sum, 1, pixels, x + n * pixels * channels, 0, packed, &added, y + n * pixels * outputs, 0,
                         outputs);
    }
}

size_t rrr_convolution_scratch(const rrr_convolution *layer) {
    rrr_bordered image = rrr_input_image(layer);
    return rrr_bordered_count(&image);
}

size_t rrr_convolution_input_scratch(const rrr_convolution *layer) {
    rrr_bordered image = rrr_output_image(layer);
    return rrr_bordered_count(&image);
}

// The output as the gradient by weights reads it: in blocks, without borders.
static rrr_bordered rrr_plain_output(const rrr_convolution *layer) {
    return (rrr_bordered){layer->output_height, layer->output_width, layer->outputs, 0, 1, layer->output_height,
                          layer->output_width};
}

size_t rrr_convolution_weights_scratch(const rrr_convolution *layer) {
    rrr_bordered output = rrr_plain_output(layer);
    return rrr_convolution_scratch(layer) + rrr_bordered_count(&output) + rrr_convolution_weights_count(layer);
}

int rrr_convolve_with(rrr_kernel kernel, const rrr_convolution *layer, size_t images, const float *x,
                      const float *packed, const rrr_addends *addends, float *y, float *scratch) {
    const rrr_convolution_kernel *functions = rrr_convolution_kernel_of(kernel);
    if (!functions) return 0;
    if (rrr_is_pointwise(layer)) {
        rrr_convolve_pixels(functions, images, layer->height * layer->width, layer->channels, layer->outputs, x, packed,
                            addends, y);
        return 1;
    }
    rrr_bordered image = rrr_input_image(layer);
    rrr_sum sum = {layer->channels,  rrr_block_size(&image), layer->kernel * layer->kernel, {0},
                   layer->outputs, RRR_BLOCK};
    for (size_t tap = 0; tap < sum.taps; tap++)
        sum.offsets[tap] = rrr_bordered_at(&image, tap / layer->kernel, tap % layer->kernel);
    size_t row = layer->output_width * layer->outputs;
    for (size_t n = 0; n < images; n++) {
        rrr_addends added = rrr_addends_of(addends, n, layer->output_height * row);
        rrr_border(&image, x, scratch);
        functions->tiles(&sum, layer->output_height, layer->output_width, scratch, image.columns * RRR_BLOCK, packed,
                         &added, y, row, layer->outputs);
        x += layer->height * layer->width * layer->channels;
        y += layer->output_height * row;
    }
    return 1;
}

int rrr_convolve_to_input_with(rrr_kernel kernel, const rrr_convolution *layer, size_t images,
                               const float *dy, const float *packed, const rrr_addends *addends, float *dx,
                               float *scratch) {
    const rrr_convolution_kernel *functions = rrr_convolution_kernel_of(kernel);
    if (!functions) return 0;
    if (rrr_is_pointwise(layer)) {
        rrr_convolve_pixels(functions, images, layer->height * layer->width, layer->outputs, layer->channels, dy, packed,
                            addends, dx);
        return 1;
    }
    size_t s = layer->stride, row = layer->width * layer->channels;
    rrr_bordered image = rrr_output_image(layer);
    for (size_t n = 0; n < images; n++) {
        rrr_addends all = rrr_addends_of(addends, n, layer->height * row);
        rrr_border(&image, dy, scratch);
        const float *weights = packed;
        // Pixels x[i][j] whose (i + p) mod s is a and (j + p) mod s is b meet the taps a, a + s, … and b, b + s, ….
        for (size_t a = 0; a < s; a++)
            for (size_t b = 0; b < s; b++) {
                rrr_sum sum = {layer->outputs, rrr_block_size(&image), 0, {0}, layer->channels, RRR_BLOCK};
                // The first such pixel, and the first y that it goes into at the tap a, counted from the border.
                size_t i0 = (a + s - layer->padding % s) % s, j0 = (b + s - layer->padding % s) % s;
                size_t top = image.before + (i0 + layer->padding - a) / s, left = image.before + (j0 + layer->padding - b) / s;
                for (size_t u = a; u < layer->kernel; u += s)
                    for (size_t v = b; v < layer->kernel; v += s)
                        sum.offsets[sum.taps++] =
                            ((top - (u - a) / s) * image.columns + left - (v - b) / s) * RRR_BLOCK;
                if (i0 < layer->height && j0 < layer->width) {
                    size_t rows = (layer->height - i0 + s - 1) / s, columns = (layer->width - j0 + s - 1) / s;
                    rrr_addends added = all;
                    if (added.numbers) added.numbers += i0 * row + j0 * layer->channels;
                    functions->tiles(&sum, rows, columns, scratch, image.columns * RRR_BLOCK, weights, &added,
                                     dx + i0 * row + j0 * layer->channels, s * row, s * layer->channels);
                }
                weights += rrr_blocks(layer->channels) * RRR_BLOCK * layer->outputs * sum.taps;
            }
        dy += layer->output_height * layer->output_width * layer->outputs;
        dx += layer->height * row;
    }
    return 1;
}

int rrr_convolve_to_weights_with(rrr_kernel kernel, const rrr_convolution *layer, size_t images,
                                 const float *x, const float *dy, float *dw, float *scratch) {
    const rrr_convolution_kernel *functions = rrr_convolution_kernel_of(kernel);
    if (!functions) return 0;
    rrr_bordered input = rrr_input_image(layer), output = rrr_plain_output(layer);
    float *input_at = scratch, *output_at = input_at + rrr_bordered_count(&input);
    float *sums = output_at + rrr_bordered_count(&output);
    size_t taps = layer->kernel * layer->kernel, panel = taps * layer->channels * RRR_BLOCK;
    memset(sums, 0, rrr_convolution_weights_count(layer) * sizeof(float));
    for (size_t n = 0; n < images; n++) {
        rrr_border(&input, x, input_at);
        rrr_border(&output, dy, output_at);
        size_t blocks = rrr_blocks(layer->outputs);
        for (size_t block = 0, panels; block < blocks; block += panels) {
            panels = blocks - block < functions->panels ? blocks - block : functions->panels;
            for (size_t tap = 0; tap < taps; tap++)
                for (size_t c = 0, depth; c < layer->channels; c += depth) {
                    depth = layer->channels - c < functions->depth ? layer->channels - c : functions->depth;
                    functions->weights(
                        depth, panels, layer->output_height, layer->output_width,
                        input_at + c / RRR_BLOCK * rrr_block_size(&input) + c % RRR_BLOCK
                            + rrr_bordered_at(&input, tap / layer->kernel, tap % layer->kernel),
                        input.columns * RRR_BLOCK, output_at + block * rrr_block_size(&output),
                        output.columns * RRR_BLOCK, rrr_block_size(&output),
                        sums + block * panel + (tap * layer->channels + c) * RRR_BLOCK, panel);
                }
        }
        x += layer->height * layer->width * layer->channels;
        dy += layer->output_height * layer->output_width * layer->outputs;
    }
    for (size_t o = 0; o < layer->outputs; o++)
        for (size_t c = 0; c < layer->channels; c++)
            for (size_t tap = 0; tap < taps; tap++)
                *dw++ = sums[o / RRR_BLOCK * panel + (tap * layer->channels + c) * RRR_BLOCK + o % RRR_BLOCK];
    return 1;
}

void rrr_convolve(const rrr_convolution *layer, size_t images, const float *x, const float *packed,
                  const rrr_addends *addends, float *y, float *scratch) {
    rrr_convolve_with(rrr_best_kernel(), layer, images, x, packed, addends, y, scratch);
}

void rrr_convolve_to_input(const rrr_convolution *layer, size_t images, const float *dy,
                           const float *packed, const rrr_addends *addends, float *dx, float *scratch) {
    rrr_convolve_to_input_with(rrr_best_kernel(), layer, images, dy, packed, addends, dx, scratch);
}

void rrr_convolve_to_weights(const rrr_convolution *layer, size_t images, const float *x,
                             const float *dy, float *dw, float *scratch) {
    rrr_convolve_to_weights_with(rrr_best_kernel(), layer, images, x, dy, dw, scratch);
}
