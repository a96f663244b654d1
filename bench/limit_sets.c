/* Which limit loops this CPU can run, and which CRC kernels there are to call. */
#include "limit_loops.h"

#include "flatstream/cursor.h"
#include "harness.h"

#ifdef FLS_BENCH_ZLIB
#include <zlib.h>
#endif
#ifdef FLS_BENCH_LIBDEFLATE
#include <libdeflate.h>
#endif
#ifdef FLS_BENCH_ISAL
#include <isa-l.h>
#endif

extern const bench_loops bench_loops_baseline;
#ifdef FLS_BENCH_X86_LIMITS
extern const bench_loops bench_loops_avx2;
extern const bench_loops bench_loops_avx512;
#endif

size_t bench_limits(const bench_loops *sets[BENCH_MAX_LOOPS])
{
    size_t count = 0;
    sets[count++] = &bench_loops_baseline;
#ifdef FLS_BENCH_X86_LIMITS
    if (__builtin_cpu_supports("avx2")) {
        sets[count++] = &bench_loops_avx2;
    }
    if (__builtin_cpu_supports("avx512f")) {
        sets[count++] = &bench_loops_avx512;
    }
#endif
    return count;
}

#ifdef FLS_BENCH_ZLIB
static uint32_t zlib_crc32(uint32_t crc, const void *data, size_t size)
{
    return (uint32_t)crc32_z(crc, data, size);
}
#endif

#ifdef FLS_BENCH_ISAL
static uint32_t isal_crc32(uint32_t crc, const void *data, size_t size)
{
    return crc32_gzip_refl(crc, data, size);
}
#endif

/* The kernels that our cursors call. */
static bench_kernels own_kernels(void)
{
    fls_cursor cursor;
    fls_cursor_options options = FLS_CURSOR_OPTIONS_INIT;
    bench_kernels kernels = {.name = "own"};
    options.checksum = FLS_CHECKSUM_CRC16;
    bench_must(fls_cursor_init(&cursor, "", 0, &options, NULL), NULL, "fls_cursor_init");
    kernels.crc16 = cursor.digest.crc16;
    options.checksum = FLS_CHECKSUM_CRC32;
    bench_must(fls_cursor_init(&cursor, "", 0, &options, NULL), NULL, "fls_cursor_init");
    kernels.crc32 = cursor.digest.crc32;
    return kernels;
}

size_t bench_kernel_sets(const bench_kernels *sets[BENCH_MAX_KERNELS])
{
    static bench_kernels own;
    static const bench_kernels packaged[] = {
#ifdef FLS_BENCH_ZLIB
        {.name = "zlib", .crc32 = zlib_crc32},
#endif
#ifdef FLS_BENCH_LIBDEFLATE
        {.name = "libdeflate", .crc32 = libdeflate_crc32},
#endif
#ifdef FLS_BENCH_ISAL
        {.name = "isa-l", .crc32 = isal_crc32},
#endif
        {.name = NULL}};
    size_t count = 0;
    own = own_kernels();
    sets[count++] = &own;
    for (size_t i = 0; packaged[i].name != NULL; i++) {
        sets[count++] = &packaged[i];
    }
    return count;
}
