#include "CPackedMultiply.h"

#include <string.h>

#include "elementary.h"
#include "processor.h"

// The packed matrix is a sequence of panels of so many columns, the last one filled up with zeros.
// A panel is row-major: one vector of AVX-512 or two of AVX2 for each k.
#define RRR_PANEL 16
// Rows and panels of a tile at most.
#define RRR_TALLEST 14
#define RRR_WIDEST 8

// Wider than some processors' registers: the compiler splits it. Arrays need no alignment.
typedef float rrr_panel_row __attribute__((ext_vector_type(RRR_PANEL)));
typedef float rrr_unaligned_row __attribute__((ext_vector_type(RRR_PANEL), aligned(4)));

size_t rrr_packed_count(size_t inner, size_t columns) {
    return (columns + RRR_PANEL - 1) / RRR_PANEL * RRR_PANEL * inner;
}

void rrr_pack(size_t inner, size_t columns, const float *matrix, int transposed, float *packed) {
    size_t along_inner = transposed ? 1 : columns, along_columns = transposed ? inner : 1;
    for (size_t first = 0; first < columns; first += RRR_PANEL, packed += RRR_PANEL * inner) {
        size_t width = columns - first < RRR_PANEL ? columns - first : RRR_PANEL;
        const float *from = matrix + first * along_columns;
        for (size_t k = 0; k < inner; k++) {
            float *to = packed + k * RRR_PANEL;
            for (size_t j = 0; j < width; j++) to[j] = from[k * along_inner + j * along_columns];
            for (size_t j = width; j < RRR_PANEL; j++) to[j] = 0.0f;
        }
    }
}

// rows x panels sums, which stay in registers once both numbers are constants. Of a transposed left-hand
// side the rows of a tile lie side by side, and `stride` numbers lead from one k to the next.
RRR_INLINE void rrr_tile(size_t rows, size_t panels, size_t inner, size_t columns, size_t width,
                         const float *left, int transposed, size_t stride, const float *packed,
                         float *result) {
    rrr_panel_row sums[RRR_TALLEST][RRR_WIDEST];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (size_t p = 0; p < panels; p++) sums[i][p] = 0.0f;
#pragma clang loop unroll(disable)
    for (size_t k = 0; k < inner; k++) {
        rrr_panel_row right[RRR_WIDEST];
#pragma clang loop unroll(full)
        for (size_t p = 0; p < panels; p++)
            right[p] = *(const rrr_unaligned_row *)(packed + (p * inner + k) * RRR_PANEL);
#pragma clang loop unroll(full)
        for (size_t i = 0; i < rows; i++) {
            rrr_panel_row factor = transposed ? left[k * stride + i] : left[i * inner + k];
#pragma clang loop unroll(full)
            for (size_t p = 0; p < panels; p++)
                sums[i][p] = __builtin_elementwise_fma(factor, right[p], sums[i][p]);
        }
    }
    size_t last_width = width - (panels - 1) * RRR_PANEL;
#pragma clang loop unroll(full)
    for (size_t i = 0; i < rows; i++) {
        float *to = result + i * columns;
#pragma clang loop unroll(full)
        for (size_t p = 0; p + 1 < panels; p++, to += RRR_PANEL)
            *(rrr_unaligned_row *)to = sums[i][p];
        rrr_panel_row last = sums[i][panels - 1];
        if (last_width == RRR_PANEL)
            *(rrr_unaligned_row *)to = last;
        else
            memcpy(to, &last, last_width * sizeof(float));
    }
}

// Few rows take more panels at once, so that there are enough independent sums to hide the latency
// of a multiply-add.
RRR_INLINE size_t rrr_tile_panels(size_t height, size_t panels) {
    return height == 1 ? 4 * panels : height <= 3 ? 2 * panels : panels;
}

// The tiles that a kernel never asks for are left out when it is compiled.
#define RRR_TILE(height, panels)                                                  \
    case (height) * 16 + (panels):                                                \
        if ((height) <= tallest && (panels) <= rrr_tile_panels(height, widest))   \
            rrr_tile(height, panels, inner, columns, width, left, transposed, all_rows, right, result); \
        break;
#define RRR_TILES(height) \
    RRR_TILE(height, 1) RRR_TILE(height, 2) RRR_TILE(height, 4) RRR_TILE(height, 8)

// Panel after panel, which stays in the first-level cache while all rows pass by, in tiles of at most
// tallest rows and, unless there are few, widest panels.
RRR_INLINE void rrr_multiply_in_tiles(size_t tallest, size_t widest, size_t all_rows, size_t inner,
                                      size_t columns, const float *all_left, int transposed,
                                      const float *right, float *all_results) {
    for (size_t first = 0, panels; first < columns; first += panels * RRR_PANEL) {
        size_t remaining = columns - first;
        panels = rrr_tile_panels(all_rows, widest);
        while ((panels - 1) * RRR_PANEL >= remaining) panels /= 2;
        size_t width = remaining < panels * RRR_PANEL ? remaining : panels * RRR_PANEL;
        const float *left = all_left;
        float *result = all_results + first;
        for (size_t tiles = (all_rows + tallest - 1) / tallest, row = 0; tiles > 0; tiles--) {
            size_t height = (all_rows - row + tiles - 1) / tiles;
            switch (height * 16 + panels) {
                RRR_TILES(1) RRR_TILES(2) RRR_TILES(3) RRR_TILES(4) RRR_TILES(5) RRR_TILES(6)
                RRR_TILES(7) RRR_TILES(8) RRR_TILES(9) RRR_TILES(10) RRR_TILES(11) RRR_TILES(12)
                RRR_TILES(13) RRR_TILES(14)
            }
            row += height;
            left += transposed ? height : height * inner;
            result += height * columns;
        }
        right += panels * RRR_PANEL * inner;
    }
}

#define RRR_KERNEL(name, attributes, tallest, widest)                                               \
    attributes static void name(size_t rows, size_t inner, size_t columns, const float *left,       \
                                int transposed, const float *packed, float *result) {               \
        if (transposed)                                                                             \
            rrr_multiply_in_tiles(tallest, widest, rows, inner, columns, left, 1, packed, result);  \
        else                                                                                        \
            rrr_multiply_in_tiles(tallest, widest, rows, inner, columns, left, 0, packed, result);  \
    }

RRR_KERNEL(rrr_multiply_portable, , 6, 1)

#if defined(__x86_64__)
// Not target_clones: the number of registers decides the shape of the tiles. 12 and 28 sums fill most
// of 16 and 32 registers; without the last attribute the compiler would halve the vectors of v4.
RRR_KERNEL(rrr_multiply_v3, __attribute__((target("arch=x86-64-v3"))), 6, 1)
RRR_KERNEL(rrr_multiply_v4, __attribute__((target("arch=x86-64-v4"), min_vector_width(512))), 14, 2)
#endif

int rrr_multiply_packed_with(rrr_kernel kernel, size_t rows, size_t inner, size_t columns,
                             const float *left, int transposed, const float *packed, float *result) {
    kernel = rrr_resolved(kernel);
    if (!rrr_has_kernel(kernel)) return 0;
    switch (kernel) {
#if defined(__x86_64__)
        case RRR_KERNEL_X86_64_V3: rrr_multiply_v3(rows, inner, columns, left, transposed, packed, result); break;
        case RRR_KERNEL_X86_64_V4: rrr_multiply_v4(rows, inner, columns, left, transposed, packed, result); break;
#endif
        default: rrr_multiply_portable(rows, inner, columns, left, transposed, packed, result);
    }
    return 1;
}

void rrr_multiply_packed(size_t rows, size_t inner, size_t columns, const float *left,
                         int transposed, const float *packed, float *result) {
    rrr_multiply_packed_with(RRR_KERNEL_BEST, rows, inner, columns, left, transposed, packed, result);
}
