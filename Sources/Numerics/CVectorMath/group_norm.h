// Group norm as convolutions take it in: into an arrangement of pixels of their own.
#ifndef RRR_GROUP_NORM_H
#define RRR_GROUP_NORM_H

#include "CGroupNorm.h"

// Where an image's pixels go: so many rows of so many, and the steps from row to row, from pixel to pixel and
// from one block of 16 channels to the next.
typedef struct {
    size_t rows, columns, row_step, pixel_step, block_step;
} rrr_pixel_layout;

// y of image n. Returns 0 and computes nothing if this processor cannot run the kernel, else 1.
int rrr_group_normalize_image(rrr_kernel kernel, const rrr_normalization *norm, size_t n, const float *x,
                              const rrr_pixel_layout *layout, float *y);

#endif
