/* Which checksum kernels this CPU can run. */
#ifndef FLSI_CORE_CPU_H
#define FLSI_CORE_CPU_H

#include <stdint.h>

#define FLSI_CPU_CLMUL128 1u /* PCLMULQDQ, SSSE3, SSE4.1 */
#define FLSI_CPU_CLMUL512 2u /* VPCLMULQDQ, AVX-512 F, BW, VL, VBMI, BMI2 */
#define FLSI_CPU_AVX2     4u
#define FLSI_CPU_AVX512   8u /* AVX-512 F */

/* Kernels for wider vectors than the baseline exist for x86-64 only. */
#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define FLSI_X86_KERNELS 1
#endif

/* FLSI_CPU_ bits. Reads what the compiler's runtime found at start-up; no system call. */
uint32_t flsi_cpu_features(void);

#endif
