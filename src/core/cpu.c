/* CPU detection for the choice of checksum kernels. On x86-64 the compiler's runtime knows the CPU,
 * and whether the operating system saves the wide registers, without our asking either. Built with
 * FLS_PORTABLE_KERNELS only the kernels of the baseline are used.
 */
#include "core/cpu.h"

uint32_t flsi_cpu_features(void)
{
    uint32_t features = 0;
#if defined(FLSI_X86_KERNELS) && !defined(FLS_PORTABLE_KERNELS)
    if (__builtin_cpu_supports("pclmul") && __builtin_cpu_supports("ssse3") &&
        __builtin_cpu_supports("sse4.1")) {
        features |= FLSI_CPU_CLMUL128;
    }
    if (__builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("avx512f") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("bmi2")) {
        features |= FLSI_CPU_CLMUL512;
    }
    if (__builtin_cpu_supports("avx2")) {
        features |= FLSI_CPU_AVX2;
    }
    if (__builtin_cpu_supports("avx512f")) {
        features |= FLSI_CPU_AVX512;
    }
#endif
    return features;
}
