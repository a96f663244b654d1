/* The XXH3 limit loops with AVX-512; this file alone is compiled for it. */
#define LOOPS      bench_loops_avx512
#define LOOPS_NAME "avx512"
#define XXH_VECTOR XXH_AVX512
#include "limit_loops.inc"
