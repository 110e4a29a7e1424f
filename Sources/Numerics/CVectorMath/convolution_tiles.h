// Tiles: the sums over taps and channels that convolutions are made of, by the kernels of each processor.
#ifndef RRR_CONVOLUTION_TILES_H
#define RRR_CONVOLUTION_TILES_H

#include "CConvolution.h"
#include "lane_block.h"

// Taps of a layer at most.
#define RRR_TAPS 64

// A sum over taps and channels for pixels side by side: what a tile is computed from.
typedef struct {
    size_t channels;
    size_t block_size;  // from one block of channels to the next
    size_t taps;
    size_t offsets[RRR_TAPS];  // of each tap, from a pixel's place
    size_t outputs;            // of a pixel, of which the last panel may have fewer than 16
    size_t pixel_step;         // from one pixel to the next one's; as they lie in blocks, or in a plain image
} rrr_sum;

typedef struct {
    // Sums for a rectangle of pixels: rows from `row_size` to `row_size` in the image, pixels from one block to the
    // next; in the result by steps of their own. A panel of weights is [block][tap][channel][16].
    void (*tiles)(const rrr_sum *sum, size_t rows, size_t columns, const float *pixels, size_t row_size,
                  const float *weights, const rrr_addends *addends, float *results, size_t row_step, size_t step);
    // At most `depth` channels x `panels` blocks of outputs of the gradient by weights at one tap, over all pixels of
    // an image; sums go on from what images before have left.
    void (*weights)(size_t depth, size_t panels, size_t rows, size_t columns, const float *x, size_t x_row,
                    const float *dy, size_t dy_row, size_t dy_block, float *sums, size_t sums_panel);
    size_t panels, depth;
} rrr_convolution_kernel;

// Null if this processor cannot run it.
const rrr_convolution_kernel *rrr_convolution_kernel_of(rrr_kernel kernel);

#endif
