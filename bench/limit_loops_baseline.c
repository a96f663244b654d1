/* The limit loops as the compiler's baseline has them: SSE2 on x86-64. */
#define LOOPS      bench_loops_baseline
#define LOOPS_NAME "plain"
#define LOOPS_WITH_CRC
#include "limit_loops.inc"
