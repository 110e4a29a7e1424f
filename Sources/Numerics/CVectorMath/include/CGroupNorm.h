// Group norm (Wu and He 2018) of single-precision images [pixels][channels], and its gradient.
//
// Of each image the channels, in groups of neighbours: with m the mean of a group over its channels and
// all pixels, and r = 1 / sqrt(variance + epsilon),
//
//   v = (x - m) r weight + bias,  y = v, or v / (1 + e^-v) if the layer has swish.
//
// Sums run pixel by pixel in four chains for each channel, then channel by channel. Nothing but the layer
// fixes their order: neither the processor, nor the number of images, nor an image's place among them.
#ifndef RRR_CGROUPNORM_H
#define RRR_CGROUPNORM_H

#include <stddef.h>

#include "CPackedMultiply.h"

typedef struct {
    size_t pixels, channels, groups;  // groups divides channels
    float epsilon;
    int has_swish;
    // From one image's weights and biases to the next one's: channels, or 0 where all have the same.
    size_t weight_step, bias_step;
} rrr_group_norm;

// Floats of scratch memory, whatever the number of images.
size_t rrr_group_norm_scratch(const rrr_group_norm *layer);

// y of so many images, one after the other.
void rrr_group_normalize(const rrr_group_norm *layer, size_t images, const float *x, const float *weight,
                         const float *bias, float *y, float *scratch);

// The gradient by x of the sum of dy y: what dy sends back. What stands in `addend`, unless null, is added.
void rrr_group_norm_to_input(const rrr_group_norm *layer, size_t images, const float *dy, const float *x,
                             const float *weight, const float *bias, const float *addend, float *dx,
                             float *scratch);

// The same by the given kernel, for tests. They return 0 and compute nothing if this processor cannot
// run it, else 1.
int rrr_group_normalize_with(rrr_kernel kernel, const rrr_group_norm *layer, size_t images, const float *x,
                             const float *weight, const float *bias, float *y, float *scratch);
int rrr_group_norm_to_input_with(rrr_kernel kernel, const rrr_group_norm *layer, size_t images,
                                 const float *dy, const float *x, const float *weight, const float *bias,
                                 const float *addend, float *dx, float *scratch);

#endif
