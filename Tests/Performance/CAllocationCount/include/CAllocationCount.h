// Counts what a program allocates: the functions of malloc's family, in the program's own version.
#ifndef RRR_CALLOCATIONCOUNT_H
#define RRR_CALLOCATIONCOUNT_H

#include <stdint.h>

// Calls of malloc, calloc, realloc and the aligned variants since the program began, in all threads.
uint64_t rrr_allocations(void);

#endif
