// Fused elementwise loops over float arrays.
//
// A loop walks an iteration space in row-major order, strip by strip along its innermost dimension.
// For each strip it runs a straight-line program over registers; a register is a strip in cache or a
// stretch of an array. So a chain of elementwise operations reads and writes memory once. Every
// function gives the same bits on every x86-64 processor; sums run in an order that the shapes fix.
#ifndef RRR_CVECTORLOOPS_H
#define RRR_CVECTORLOOPS_H

#include <stddef.h>
#include <stdint.h>

// Numbers in a strip at most.
#define RRR_STRIP 256
// Registers of a program at most.
#define RRR_REGISTERS 512
// Arrays that a loop touches at most.
#define RRR_OPERANDS 512
// Dimensions of an iteration space at most.
#define RRR_RANK 8

// result = operation(first, second); operations of one argument leave second out.
typedef enum {
    RRR_COPY,
    RRR_NEGATE,
    RRR_EXPONENTIAL,
    RRR_LOGARITHM,
    RRR_SQUARE_ROOT,
    RRR_SIGMOID,
    RRR_ADD,
    RRR_SUBTRACT,
    RRR_MULTIPLY,
    RRR_DIVIDE,
    RRR_MAXIMUM,
    RRR_GREATER,  // 1 where first > second, else 0
} rrr_operation;

typedef struct {
    uint16_t operation;
    uint16_t result, first, second;  // registers
} rrr_instruction;

typedef enum {
    RRR_LOAD,         // the register is the array itself
    RRR_SPLAT,        // one number for the whole strip: the innermost stride is 0
    RRR_STORE,        // the program's result goes to the array
    RRR_ACCUMULATE_SUM,      // the register is added to the array, along dimensions of stride 0
    RRR_ACCUMULATE_MAXIMUM,  // likewise with the maximum
} rrr_role;

// How a loop touches an array.
typedef struct {
    uint16_t role;
    uint16_t reg;
    uint32_t region;  // which of the regions of memory
    size_t offset;    // of the first element in its region
    size_t count;     // elements in all, which accumulations begin by clearing
} rrr_operand;

typedef struct {
    size_t rank;
    const size_t *lengths;  // [rank], all above 0
    size_t operand_count;  // at most RRR_OPERANDS
    const rrr_operand *operands;
    const size_t *strides;  // [operand_count][rank], in elements; the innermost are 0 or 1
    size_t register_count;  // at most RRR_REGISTERS
    size_t instruction_count;
    const rrr_instruction *instructions;
} rrr_loop;

// Runs a loop. scratch: RRR_STRIP floats per register.
void rrr_run_loop(const rrr_loop *loop, float *const *regions, float *scratch);

#endif
