#include "CResampling.h"

#include "elementary.h"

RRR_CLONES void rrr_spread_pixels(size_t rows, size_t columns, size_t channels, float scale,
                                  const float *restrict small, float *restrict large) {
    for (size_t i = 0; i < rows; i++, large += 2 * columns * channels)
        for (size_t j = 0; j < columns; j++, small += channels, large += 2 * channels) {
            float *below = large + 2 * columns * channels;
            for (size_t c = 0; c < channels; c++)
                large[c] = large[c + channels] = below[c] = below[c + channels] = scale * small[c];
        }
}

RRR_CLONES void rrr_pool_pixels(size_t rows, size_t columns, size_t channels, float scale,
                                const float *restrict large, float *restrict small) {
    for (size_t i = 0; i < rows; i++, large += 2 * columns * channels)
        for (size_t j = 0; j < columns; j++, small += channels, large += 2 * channels) {
            const float *below = large + 2 * columns * channels;
            for (size_t c = 0; c < channels; c++)
                small[c] = scale * ((large[c] + large[c + channels]) + (below[c] + below[c + channels]));
        }
}
