// Single-precision matrix products with a right-hand side packed in advance.
//
// Every element is one chain of fused multiply-adds, acc = fma(left[i][k], right[k][j], acc) for
// k = 0, 1, … from 0. Nothing else decides its bits: neither the processor, nor the number of rows,
// nor the row's place. (A NaN is a NaN, but which of its bit patterns is left open.)
#ifndef RRR_CPACKEDMULTIPLY_H
#define RRR_CPACKEDMULTIPLY_H

#include <stddef.h>

// Floats that a packed matrix [inner, columns] takes.
size_t rrr_packed_count(size_t inner, size_t columns);

// Packs a row-major matrix [inner, columns]; if transposed is not zero, it is stored [columns, inner].
void rrr_pack(size_t inner, size_t columns, const float *matrix, int transposed, float *packed);

// result [rows, columns] = left [rows, inner] times packed [inner, columns], all row-major; if
// transposed is not zero, left is stored [inner, rows]. The result must not overlap its arguments.
void rrr_multiply_packed(size_t rows, size_t inner, size_t columns, const float *left,
                         int transposed, const float *packed, float *result);

// The implementations; each is compiled for all processors of its kind.
typedef enum {
    RRR_KERNEL_PORTABLE,
    RRR_KERNEL_X86_64_V3,  // AVX2 and FMA
    RRR_KERNEL_X86_64_V4,  // AVX-512
    RRR_KERNEL_BEST,       // the last of these that the processor can run
} rrr_kernel;

// rrr_multiply_packed by the given kernel. Returns 0 and computes nothing if this processor cannot run it,
// else 1.
int rrr_multiply_packed_with(rrr_kernel kernel, size_t rows, size_t inner, size_t columns,
                             const float *left, int transposed, const float *packed, float *result);

#endif
