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

#include "CPackedMultiply.h"

typedef struct {
    size_t height, width, channels;                  // of the input
    size_t output_height, output_width, outputs;     // of the output
    size_t kernel, stride;                           // the same down and across; 1 or more
    size_t padding;                                  // zeros above and left; below and right as needed
} rrr_convolution;

// Floats of packed weights, for the output and for the gradient by the input: the two have the same
// number of numbers, and fill their last panel up with zeros.
size_t rrr_convolution_weights_count(const rrr_convolution *layer);
size_t rrr_convolution_input_weights_count(const rrr_convolution *layer);

// Packs weights [outputs][channels][kernel][kernel].
void rrr_convolution_pack(const rrr_convolution *layer, const float *weights, float *packed);
void rrr_convolution_input_pack(const rrr_convolution *layer, const float *weights, float *packed);

// Floats of scratch memory that each of the three takes, whatever the number of images.
size_t rrr_convolution_scratch(const rrr_convolution *layer);
size_t rrr_convolution_input_scratch(const rrr_convolution *layer);
size_t rrr_convolution_weights_scratch(const rrr_convolution *layer);

// What is added to every number of a result just before it is stored, one after the other: of its channel,
// then of its channel, then of its own place. Null where there is nothing.
typedef struct {
    const float *channels[2];  // [channels of the result]
    size_t channels_step[2];   // from one image to the next: as many, or 0 where all have the same
    const float *numbers;      // as the result lies
} rrr_addends;

// y of so many images, one after the other. `addends` may be null.
void rrr_convolve(const rrr_convolution *layer, size_t images, const float *x, const float *packed,
                  const rrr_addends *addends, float *y, float *scratch);

// The gradient by x of the sum of dy y: what dy sends back.
void rrr_convolve_to_input(const rrr_convolution *layer, size_t images, const float *dy,
                           const float *packed, const rrr_addends *addends, float *dx, float *scratch);

// The gradient by w of the sum of dy y over all images, [outputs][channels][kernel][kernel].
void rrr_convolve_to_weights(const rrr_convolution *layer, size_t images, const float *x,
                             const float *dy, float *dw, float *scratch);

// The same by the given kernel, for tests. They return 0 and compute nothing if this processor cannot
// run it, else 1.
int rrr_convolve_with(rrr_kernel kernel, const rrr_convolution *layer, size_t images, const float *x,
                      const float *packed, const rrr_addends *addends, float *y, float *scratch);
int rrr_convolve_to_input_with(rrr_kernel kernel, const rrr_convolution *layer, size_t images,
                               const float *dy, const float *packed, const rrr_addends *addends, float *dx,
                               float *scratch);
int rrr_convolve_to_weights_with(rrr_kernel kernel, const rrr_convolution *layer, size_t images,
                                 const float *x, const float *dy, float *dw, float *scratch);

#endif
