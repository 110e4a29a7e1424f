#include "CVectorLoops.h"

#include "float_elementary.h"

// The baseline clone has no fused multiply-add in vectors, so some of its loops stay scalar.
#pragma clang diagnostic ignored "-Wpass-failed"

// The result may take the place of an argument, number by number, but never overlaps it otherwise:
// what the pragma promises.
#define RRR_EACH(expression)                                                          \
    do {                                                                              \
        _Pragma("clang loop vectorize(assume_safety)") for (size_t i = 0; i < n; i++) \
            result[i] = (expression);                                                 \
    } while (0)

RRR_INLINE void rrr_execute(const rrr_instruction *instruction, float **registers, size_t n) {
    float *result = registers[instruction->result];
    const float *a = registers[instruction->first];
    const float *b = registers[instruction->second];
    switch (instruction->operation) {
        case RRR_COPY: RRR_EACH(a[i]); break;
        case RRR_NEGATE: RRR_EACH(-a[i]); break;
        case RRR_EXPONENTIAL: RRR_EACH(rrr_expf1(a[i])); break;
        case RRR_LOGARITHM: RRR_EACH(rrr_logf1(a[i])); break;
        case RRR_SQUARE_ROOT: RRR_EACH(__builtin_sqrtf(a[i])); break;
        case RRR_SIGMOID: RRR_EACH(rrr_sigmoidf1(a[i])); break;
        case RRR_ADD: RRR_EACH(a[i] + b[i]); break;
        case RRR_SUBTRACT: RRR_EACH(a[i] - b[i]); break;
        case RRR_MULTIPLY: RRR_EACH(a[i] * b[i]); break;
        case RRR_DIVIDE: RRR_EACH(a[i] / b[i]); break;
        case RRR_MAXIMUM: RRR_EACH(a[i] > b[i] || a[i] != a[i] ? a[i] : b[i]); break;
        case RRR_GREATER: RRR_EACH(a[i] > b[i] ? 1.0f : 0.0f); break;
    }
}

// Sixteen numbers side by side, at any address.
typedef float rrr_sixteen __attribute__((vector_size(64), aligned(4)));

// Sixteen running sums, then a tree: the same order whatever the width of the vectors.
RRR_INLINE float rrr_strip_sum(const float *x, size_t n) {
    rrr_sixteen sums = {0};
    size_t whole = n & ~(size_t)15;
    for (size_t i = 0; i < whole; i += 16) sums += *(const rrr_sixteen *)(x + i);
    for (size_t j = whole; j < n; j++) sums[j - whole] += x[j];
    sums += __builtin_shufflevector(sums, sums, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
    sums += __builtin_shufflevector(sums, sums, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3);
    sums += __builtin_shufflevector(sums, sums, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1);
    return sums[0] + sums[1];
}

RRR_INLINE float rrr_larger(float a, float b) { return a > b || a != a ? a : b; }

RRR_INLINE void rrr_accumulate(uint16_t role, const float *x, size_t n, size_t stride, float *to) {
    if (role == RRR_ACCUMULATE_SUM) {
        if (stride == 0) {
            *to += rrr_strip_sum(x, n);
        } else {
            for (size_t i = 0; i < n; i++) to[i] += x[i];
        }
    } else if (stride == 0) {
        for (size_t i = 0; i < n; i++) *to = rrr_larger(x[i], *to);
    } else {
        for (size_t i = 0; i < n; i++) to[i] = rrr_larger(x[i], to[i]);
    }
}

RRR_CLONES void rrr_run_loop(const rrr_loop *loop, float *const *regions, float *scratch) {
    float *registers[RRR_REGISTERS];
    size_t index[RRR_RANK] = {0};
    size_t inner = loop->rank - 1, length = loop->lengths[inner];
    for (size_t r = 0; r < loop->register_count; r++) registers[r] = scratch + r * RRR_STRIP;
    for (size_t o = 0; o < loop->operand_count; o++) {
        const rrr_operand *operand = &loop->operands[o];
        float *array = regions[operand->region] + operand->offset;
        if (operand->role == RRR_ACCUMULATE_SUM)
            for (size_t i = 0; i < operand->count; i++) array[i] = 0.0f;
        if (operand->role == RRR_ACCUMULATE_MAXIMUM)
            for (size_t i = 0; i < operand->count; i++) array[i] = -__builtin_inff();
        if (operand->role == RRR_SPLAT && operand->count == 1)
            for (size_t i = 0; i < RRR_STRIP; i++) registers[operand->reg][i] = array[0];
    }
    for (;;) {
        for (size_t start = 0; start < length; start += RRR_STRIP) {
            size_t n = length - start < RRR_STRIP ? length - start : RRR_STRIP;
            float *arrays[RRR_OPERANDS];
            for (size_t o = 0; o < loop->operand_count; o++) {
                const rrr_operand *operand = &loop->operands[o];
                const size_t *strides = loop->strides + o * loop->rank;
                if (operand->role == RRR_SPLAT && (operand->count == 1 || start > 0)) continue;
                size_t at = operand->offset + start * strides[inner];
                for (size_t d = 0; d < inner; d++) at += index[d] * strides[d];
                float *array = regions[operand->region] + at;
                arrays[o] = array;
                if (operand->role == RRR_LOAD || operand->role == RRR_STORE) {
                    registers[operand->reg] = array;
                } else if (operand->role == RRR_SPLAT) {
                    for (size_t i = 0; i < RRR_STRIP; i++) registers[operand->reg][i] = *array;
                }
            }
            for (size_t k = 0; k < loop->instruction_count; k++)
                rrr_execute(&loop->instructions[k], registers, n);
            for (size_t o = 0; o < loop->operand_count; o++) {
                const rrr_operand *operand = &loop->operands[o];
                if (operand->role < RRR_ACCUMULATE_SUM) continue;
                rrr_accumulate(operand->role, registers[operand->reg], n,
                               loop->strides[o * loop->rank + inner], arrays[o]);
            }
        }
        size_t d = inner;
        while (d > 0 && ++index[d - 1] == loop->lengths[d - 1]) index[--d] = 0;
        if (d == 0) return;
    }
}
