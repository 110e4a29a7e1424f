// Which kernels this processor runs.
#ifndef RRR_PROCESSOR_H
#define RRR_PROCESSOR_H

#include "CPackedMultiply.h"

static inline int rrr_has_kernel(rrr_kernel kernel) {
    switch (kernel) {
        case RRR_KERNEL_PORTABLE: return 1;
#if defined(__x86_64__)
        case RRR_KERNEL_X86_64_V3: return __builtin_cpu_supports("x86-64-v3");
        case RRR_KERNEL_X86_64_V4: return __builtin_cpu_supports("x86-64-v4");
#endif
        default: return 0;
    }
}

// The kernel that stands for the best one; any other for itself.
static inline rrr_kernel rrr_resolved(rrr_kernel kernel) {
    if (kernel != RRR_KERNEL_BEST) return kernel;
    for (kernel = RRR_KERNEL_X86_64_V4; !rrr_has_kernel(kernel);) kernel--;
    return kernel;
}

#endif
