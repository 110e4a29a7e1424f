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
} rrr_group_norm;

// A layer and what it works with.
typedef struct {
    rrr_group_norm layer;
    const float *weight, *bias;
    // From one image's weights and biases to the next one's: channels, or 0 where all have the same.
    size_t weight_step, bias_step;
    // [2][channels] of each image: means, and 1 / (variance + epsilon). A norm writes them, its gradient reads
    // them. Null: they are not kept, and measured anew.
    float *statistics;
    float *scratch;  // rrr_group_norm_scratch floats, whatever the number of images
} rrr_normalization;

size_t rrr_group_norm_scratch(const rrr_group_norm *layer);

// y of so many images, one after the other. Returns 0 and computes nothing if this processor cannot run the
// kernel, else 1; so do the others.
int rrr_group_normalize(rrr_kernel kernel, const rrr_normalization *norm, size_t images, const float *x, float *y);

// The gradient by x of the sum of dy y: what dy sends back. What stands in `addend`, unless null, is added.
int rrr_group_norm_to_input(rrr_kernel kernel, const rrr_normalization *norm, size_t images, const float *dy,
                            const float *x, const float *addend, float *dx);

#endif
