// Images with borders of zeros, in blocks of channels: what convolutions read.
#ifndef RRR_BORDERED_IMAGE_H
#define RRR_BORDERED_IMAGE_H

#include <stddef.h>
#include <string.h>

#include "lane_block.h"

// An image with its borders, [block][phase][phase][rows][columns][16]: pixel (i, j) of the bordered image
// lies in phase (i mod s, j mod s) at (i / s, j / s). So whatever the stride s, the pixels that one tap
// reads for neighbouring outputs are neighbours.
typedef struct {
    size_t height, width, channels;  // without borders
    size_t before;                   // border pixels above and left
    size_t stride;
    size_t rows, columns;  // of a phase
} rrr_bordered;

static size_t rrr_plane(const rrr_bordered *image) { return image->rows * image->columns * RRR_BLOCK; }
static size_t rrr_block_size(const rrr_bordered *image) {
    return image->stride * image->stride * rrr_plane(image);
}
static size_t rrr_bordered_count(const rrr_bordered *image) {
    return rrr_blocks(image->channels) * rrr_block_size(image);
}

// Where the pixel (i, j) of the bordered image is within a block.
static size_t rrr_bordered_at(const rrr_bordered *image, size_t i, size_t j) {
    size_t s = image->stride;
    return ((i % s) * s + j % s) * rrr_plane(image) + ((i / s) * image->columns + j / s) * RRR_BLOCK;
}

// Zeros all around, for an image without phases (stride 1).
static void rrr_clear_border(const rrr_bordered *image, float *to) {
    size_t row = image->columns * RRR_BLOCK, left = image->before * RRR_BLOCK;
    size_t first = image->before, last = image->before + image->height, right = left + image->width * RRR_BLOCK;
    for (size_t block = 0; block < rrr_blocks(image->channels); block++, to += rrr_block_size(image)) {
        memset(to, 0, first * row * sizeof(float));
        for (size_t i = first; i < last; i++) {
            memset(to + i * row, 0, left * sizeof(float));
            memset(to + i * row + right, 0, (row - right) * sizeof(float));
        }
        memset(to + last * row, 0, (image->rows - last) * row * sizeof(float));
    }
}

// Copies an image [height][width][channels] behind borders of zeros.
static void rrr_border(const rrr_bordered *image, const float *pixels, float *to) {
    size_t s = image->stride, channels = image->channels;
    for (size_t first = 0; first < channels; first += RRR_BLOCK, to += rrr_block_size(image)) {
        size_t width = channels - first < RRR_BLOCK ? channels - first : RRR_BLOCK;
        for (size_t i = 0; i < image->rows * s; i++) {
            int is_border = i < image->before || i >= image->before + image->height;
            for (size_t phase = 0; phase < s; phase++) {
                float *row = to + rrr_bordered_at(image, i, phase);
                // Border columns of this phase: the first that are not of the image, and those behind it.
                size_t begin = image->before > phase ? (image->before - phase + s - 1) / s : 0;
                size_t end = image->before + image->width > phase
                                 ? (image->before + image->width - phase + s - 1) / s
                                 : 0;
                if (is_border || end <= begin) begin = end = image->columns;
                memset(row, 0, begin * RRR_BLOCK * sizeof(float));
                size_t pixel = (i - image->before) * image->width + begin * s + phase - image->before;
                for (size_t j = begin; j < end; j++, pixel += s) {
                    const float *from = pixels + pixel * channels + first;
                    if (width == RRR_BLOCK)
                        *(rrr_unaligned_block *)(row + j * RRR_BLOCK) = *(const rrr_unaligned_block *)from;
                    else
                        for (size_t k = 0; k < width; k++) row[j * RRR_BLOCK + k] = from[k];
                }
                memset(row + end * RRR_BLOCK, 0, (image->columns - end) * RRR_BLOCK * sizeof(float));
            }
        }
    }
}

#endif
