// Single-precision convolutions of images [height][width][channels], with weights packed in advance.
//
// With x the input, y the output, w the weights [outputs][channels][kernel][kernel] as PyTorch stores
// them, s the stride and p the padding, and zeros outside of x:
//
//   y[i][j][o] = sum over c, a, b of w[o][c][a][b] x[s i + a - p][s j + b - p][c].
//
// The gradients by x and by w are sums of the same kind, so that the three are closed under
// differentiation. Every element is one chain of fused multiply-adds from 0, whose order the layer alone
// fixes: sixteen channels at a time, then tap by tap, then channel by channel; of a gradient by weights
// image by image, then row by row, then pixel by pixel. Nothing else decides its bits: neither the
// processor, nor the number of images, nor an image's place among them.
#ifndef RRR_CCONVOLUTION_H
#define RRR_CCONVOLUTION_H

#include <stddef.h>

#include "CGroupNorm.h"

typedef struct {
    size_t height, width, channels;                  // of the input
    size_t output_height, output_width, outputs;     // of the output
    size_t kernel, stride;                           // the same down and across; 1 or more
    size_t padding;                                  // zeros above and left; below and right as needed
} rrr_convolution;

// Where a convolution goes: to its output, or, as its gradient, back to its input.
typedef enum { RRR_TO_OUTPUT, RRR_TO_INPUT } rrr_direction;

// Floats of packed weights, whose last panel is filled up with zeros.
size_t rrr_convolution_weights_count(const rrr_convolution *layer, rrr_direction direction);

// Packs weights [outputs][channels][kernel][kernel].
void rrr_convolution_pack(const rrr_convolution *layer, rrr_direction direction, const float *weights, float *packed);

// Floats of scratch memory, whatever the number of images.
size_t rrr_convolution_scratch(const rrr_convolution *layer, rrr_direction direction);
size_t rrr_convolution_gradient_scratch(const rrr_convolution *layer);

// What is added to every number of a result just before it is stored, one after the other: of its channel,
// then of its channel, then of its own place. Null where there is nothing.
typedef struct {
    const float *channels[2];  // [channels of the result]
    size_t channels_step[2];   // from one image to the next: as many, or 0 where all have the same
    const float *numbers;      // as the result lies
} rrr_addends;

// Of so many images, one after the other: y from the source x, or the gradient by x of the sum of dy y from the source
// dy. `norm`, unless null, is applied to the source while it is packed (a stride of 1 alone). `addends` may be null.
// Returns 0 and computes nothing if this processor cannot run the kernel, else 1; so does the next.
int rrr_convolve(rrr_kernel kernel, const rrr_convolution *layer, rrr_direction direction, size_t images,
                 const float *source, const rrr_normalization *norm, const float *packed, const rrr_addends *addends,
                 float *result, float *scratch);

// The gradient by w of the sum of dy y over all images, [outputs][channels][kernel][kernel].
int rrr_convolve_to_weights(rrr_kernel kernel, const rrr_convolution *layer, size_t images, const float *x,
                            const float *dy, float *dw, float *scratch);

#endif
