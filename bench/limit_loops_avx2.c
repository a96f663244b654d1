/* The XXH3 limit loops with AVX2; this file alone is compiled for it. */
#define LOOPS      bench_loops_avx2
#define LOOPS_NAME "avx2"
#define XXH_VECTOR XXH_AVX2
#include "limit_loops.inc"
