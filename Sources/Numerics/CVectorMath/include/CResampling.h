// Images [row][column][channel] of half and of twice the size, the one the gradient of the other.
#ifndef RRR_CRESAMPLING_H
#define RRR_CRESAMPLING_H

#include <stddef.h>

// rows, columns: of the small images, which may be several, one below the other.

// Each pixel, times a number, becomes four.
void rrr_spread_pixels(size_t rows, size_t columns, size_t channels, float scale, const float *small, float *large);

// The sum of each four pixels, the upper two's plus the lower two's, times a number.
void rrr_pool_pixels(size_t rows, size_t columns, size_t channels, float scale, const float *large, float *small);

#endif
