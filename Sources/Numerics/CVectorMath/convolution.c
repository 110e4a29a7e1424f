#include "CConvolution.h"

#include <string.h>

#include "bordered_image.h"
#include "convolution_tiles.h"
#include "group_norm.h"

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

// What a convolution or its gradient by the input reads.
static rrr_bordered rrr_source_image(const rrr_convolution *layer, rrr_direction direction) {
    return direction == RRR_TO_OUTPUT ? rrr_input_image(layer) : rrr_output_image(layer);
}

static size_t rrr_result_channels(const rrr_convolution *layer, rrr_direction direction) {
    return direction == RRR_TO_OUTPUT ? layer->outputs : layer->channels;
}

size_t rrr_convolution_weights_count(const rrr_convolution *layer, rrr_direction direction) {
    size_t channels = direction == RRR_TO_OUTPUT ? layer->channels : layer->outputs;
    return rrr_blocks(rrr_result_channels(layer, direction)) * RRR_BLOCK * channels * layer->kernel * layer->kernel;
}

size_t rrr_convolution_scratch(const rrr_convolution *layer, rrr_direction direction) {
    rrr_bordered image = rrr_source_image(layer, direction);
    return rrr_bordered_count(&image);
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
                            *to++ = o < outputs
                                        ? weights[o * along_outputs + c * along_channels + a * layer->kernel + b]
                                        : 0.0f;
    return to;
}

void rrr_convolution_pack(const rrr_convolution *layer, rrr_direction direction, const float *weights, float *packed) {
    size_t taps = layer->kernel * layer->kernel;
    if (direction == RRR_TO_OUTPUT) {
        rrr_pack_taps(layer, 0, 0, 1, layer->channels, taps, layer->outputs, layer->channels * taps, weights, packed);
        return;
    }
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

// The pixels (top + i step, left + j step) of a result, which are all sums of the same taps, and where the first of
// them begins to read.
typedef struct {
    rrr_sum sum;
    size_t top, left, step, rows, columns;
} rrr_part;

// All of a convolution's output.
static rrr_part rrr_output_part(const rrr_convolution *layer, const rrr_bordered *image) {
    size_t taps = layer->kernel * layer->kernel;
    rrr_part part = {{layer->channels, rrr_block_size(image), taps, {0}, layer->outputs, RRR_BLOCK},
                     0, 0, 1, layer->output_height, layer->output_width};
    for (size_t tap = 0; tap < taps; tap++)
        part.sum.offsets[tap] = rrr_bordered_at(image, tap / layer->kernel, tap % layer->kernel);
    return part;
}

// A convolution of single pixels, either way: all of an image's in one row.
static rrr_part rrr_pixels_part(const rrr_convolution *layer, size_t channels, size_t outputs) {
    return (rrr_part){{channels, RRR_BLOCK, 1, {0}, outputs, channels}, 0, 0, 1, 1, layer->height * layer->width};
}

// Of the gradient by the input, the pixels x[i][j] whose (i + p) mod s is a and (j + p) mod s is b: they meet the taps
// a, a + s, … and b, b + s, ….
static rrr_part rrr_input_part(const rrr_convolution *layer, const rrr_bordered *image, size_t a, size_t b) {
    size_t s = layer->stride, top = (a + s - layer->padding % s) % s, left = (b + s - layer->padding % s) % s;
    rrr_part part = {{layer->outputs, rrr_block_size(image), 0, {0}, layer->channels, RRR_BLOCK}, top, left, s,
                     top < layer->height ? (layer->height - top + s - 1) / s : 0,
                     left < layer->width ? (layer->width - left + s - 1) / s : 0};
    // The first y that the first of them goes into at the tap (a, b), counted from the border.
    size_t row = image->before + (top + layer->padding - a) / s;
    size_t column = image->before + (left + layer->padding - b) / s;
    for (size_t u = a; u < layer->kernel; u += s)
        for (size_t v = b; v < layer->kernel; v += s)
            part.sum.offsets[part.sum.taps++] =
                ((row - (u - a) / s) * image->columns + column - (v - b) / s) * RRR_BLOCK;
    return part;
}

// The images as a convolution reads them, in borders and normalised first where they are to be.
static const float *rrr_readable(rrr_kernel kernel, const rrr_bordered *image, const rrr_normalization *norm, size_t n,
                                 const float *source, float *scratch) {
    if (!norm) {
        rrr_border(image, source, scratch);
        return scratch;
    }
    rrr_pixel_layout layout = {image->height, image->width, image->columns * RRR_BLOCK, RRR_BLOCK,
                               rrr_block_size(image)};
    rrr_clear_border(image, scratch);
    rrr_group_normalize_image(kernel, norm, n, source, &layout,
                              scratch + rrr_bordered_at(image, image->before, image->before));
    return scratch;
}

int rrr_convolve(rrr_kernel kernel, const rrr_convolution *layer, rrr_direction direction, size_t images,
                 const float *source, const rrr_normalization *norm, const float *packed, const rrr_addends *addends,
                 float *result, float *scratch) {
    const rrr_convolution_kernel *functions = rrr_convolution_kernel_of(kernel);
    if (!functions) return 0;
    rrr_bordered image = rrr_source_image(layer, direction);
    int is_plain = rrr_is_pointwise(layer) && !norm, is_forward = direction == RRR_TO_OUTPUT;
    size_t channels = rrr_result_channels(layer, direction), phases = is_forward || is_plain ? 1 : layer->stride;
    size_t row = (is_forward ? layer->output_width : layer->width) * channels;
    size_t source_size = image.height * image.width * image.channels;
    size_t result_size = (is_forward ? layer->output_height : layer->height) * row;
    for (size_t n = 0; n < images; n++, source += source_size, result += result_size) {
        const float *pixels = is_plain ? source : rrr_readable(kernel, &image, norm, n, source, scratch);
        rrr_addends all = rrr_addends_of(addends, n, result_size);
        const float *weights = packed;
        for (size_t a = 0; a < phases; a++)
            for (size_t b = 0; b < phases; b++) {
                rrr_part part = is_plain     ? rrr_pixels_part(layer, image.channels, channels)
                                : is_forward ? rrr_output_part(layer, &image)
                                             : rrr_input_part(layer, &image, a, b);
                size_t first = part.top * row + part.left * channels;
                rrr_addends added = all;
                if (added.numbers) added.numbers += first;
                if (part.rows > 0 && part.columns > 0)
                    functions->tiles(&part.sum, part.rows, part.columns, pixels, image.columns * RRR_BLOCK, weights,
                                     &added, result + first, part.step * row, part.step * channels);
                weights += rrr_blocks(channels) * RRR_BLOCK * image.channels * part.sum.taps;
            }
    }
    return 1;
}

// The output as the gradient by weights reads it: in blocks, without borders.
static rrr_bordered rrr_plain_output(const rrr_convolution *layer) {
    return (rrr_bordered){layer->output_height, layer->output_width, layer->outputs, 0, 1, layer->output_height,
                          layer->output_width};
}

size_t rrr_convolution_gradient_scratch(const rrr_convolution *layer) {
    rrr_bordered output = rrr_plain_output(layer);
    return rrr_convolution_scratch(layer, RRR_TO_OUTPUT) + rrr_bordered_count(&output)
           + rrr_convolution_weights_count(layer, RRR_TO_OUTPUT);
}

int rrr_convolve_to_weights(rrr_kernel kernel, const rrr_convolution *layer, size_t images, const float *x,
                            const float *dy, float *dw, float *scratch) {
    const rrr_convolution_kernel *functions = rrr_convolution_kernel_of(kernel);
    if (!functions) return 0;
    rrr_bordered input = rrr_input_image(layer), output = rrr_plain_output(layer);
    float *input_at = scratch, *output_at = input_at + rrr_bordered_count(&input);
    float *sums = output_at + rrr_bordered_count(&output);
    size_t taps = layer->kernel * layer->kernel, panel = taps * layer->channels * RRR_BLOCK;
    memset(sums, 0, rrr_convolution_weights_count(layer, RRR_TO_OUTPUT) * sizeof(float));
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
