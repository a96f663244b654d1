/* The checksum kernels alone, as readers and writers call them, against XXH3 and against the
 * packaged CRC-32s.
 */
#include <string.h>

#include "roads.h"

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)

typedef struct kernel_road {
    const bench_pool *pool;
    bench_hash_loop *loop;
    bench_kernels kernels;
    fls_cursor cursor; /* holds the XXH3 of long inputs that our cursors call */
    uint64_t expected;
} kernel_road;

static uint64_t run_kernel(void *self)
{
    kernel_road *road = self;
    const bench_pool *pool = road->pool;
    return road->loop(pool->bytes, pool->payload_bytes, pool->count, &road->kernels) ==
           road->expected;
}

static uint64_t run_xxh3_long(void *self)
{
    kernel_road *road = self;
    const bench_pool *pool = road->pool;
    uint64_t (*digest)(const void *, size_t) = road->cursor.digest.xxh3_long;
    uint64_t sum = 0;
    for (size_t i = 0; i < pool->count; i++) {
        sum += digest(pool->bytes + i * pool->payload_bytes, bench_opaque(pool->payload_bytes));
    }
    return sum == road->expected;
}

/* Bit by bit, from the definition. */
static uint64_t reference_crc16(const uint8_t *data, size_t size)
{
    unsigned crc = 0;
    for (size_t i = 0; i < size; i++) {
        crc ^= (unsigned)data[i] << 8;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 0x8000u) != 0 ? (crc << 1 ^ 0x1021u) & 0xFFFFu : crc << 1;
        }
    }
    return crc;
}

static uint64_t reference_crc32(const uint8_t *data, size_t size)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 1u) != 0 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
        }
    }
    return ~crc;
}

static uint64_t expected_sum(const bench_pool *pool, fls_checksum checksum)
{
    const bench_loops *loops[BENCH_MAX_LOOPS];
    (void)bench_limits(loops);
    if (checksum == FLS_CHECKSUM_XXH3) { /* by xxHash itself */
        return loops[0]->hash[checksum](pool->bytes, pool->payload_bytes, pool->count,
                                        &(bench_kernels){0});
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < pool->count; i++) {
        const uint8_t *payload = pool->bytes + i * pool->payload_bytes;
        sum += checksum == FLS_CHECKSUM_CRC16 ? reference_crc16(payload, pool->payload_bytes)
                                              : reference_crc32(payload, pool->payload_bytes);
    }
    return sum;
}

/* What a table needs of a pool: the roads of each kernel. */
typedef struct kernel_set {
    kernel_road crc16;
    kernel_road crc32;
    kernel_road xxh3;
    kernel_road packaged[BENCH_MAX_KERNELS];
    size_t packaged_count;
    kernel_road limits[BENCH_MAX_LOOPS];
    size_t limit_count;
    const char *limit_names[BENCH_MAX_LOOPS];
} kernel_set;

static void kernel_set_init(kernel_set *set, const bench_pool *pool)
{
    const bench_loops *loops[BENCH_MAX_LOOPS];
    const bench_kernels *kernels[BENCH_MAX_KERNELS];
    kernel_road road = {.pool = pool};
    size_t loop_count = bench_limits(loops);
    size_t kernel_count = bench_kernel_sets(kernels);
    memset(set, 0, sizeof *set);
    road.kernels = *kernels[0];
    bench_must(fls_cursor_init(&road.cursor, "", 0, NULL, NULL), NULL, "fls_cursor_init");
    set->crc16 = road;
    set->crc16.loop = loops[0]->hash[FLS_CHECKSUM_CRC16];
    set->crc16.expected = expected_sum(pool, FLS_CHECKSUM_CRC16);
    set->crc32 = road;
    set->crc32.loop = loops[0]->hash[FLS_CHECKSUM_CRC32];
    set->crc32.expected = expected_sum(pool, FLS_CHECKSUM_CRC32);
    set->xxh3 = road;
    set->xxh3.loop = loops[0]->hash[FLS_CHECKSUM_XXH3];
    set->xxh3.expected = expected_sum(pool, FLS_CHECKSUM_XXH3);
    for (size_t i = 1; i < kernel_count; i++) {
        kernel_road *packaged = &set->packaged[set->packaged_count++];
        *packaged = set->crc32;
        packaged->kernels = *kernels[i];
    }
    for (size_t i = 0; i < loop_count; i++) {
        kernel_road *limit = &set->limits[set->limit_count];
        *limit = set->xxh3;
        limit->loop = loops[i]->hash[FLS_CHECKSUM_XXH3];
        set->limit_names[set->limit_count++] = loops[i]->name;
    }
}

static void measure_against_xxh3(kernel_set *set, const char *variant)
{
    bench_competitor competitors[BENCH_MAX_COMPETITORS];
    const bench_pool *pool = set->crc16.pool;
    bool is_long = pool->payload_bytes > 240; /* the shorter ones are inlined, as the limit is */
    size_t count = 0;
    for (size_t i = 0; i < set->limit_count; i++) {
        competitors[count++] = (bench_competitor){
            set->limit_names[i], BENCH_LIMIT, NULL, run_kernel, NULL, &set->limits[i]};
    }
    const bench_competitor ours[] = {
        {"xxh3", BENCH_SHOWN, NULL, is_long ? run_xxh3_long : run_kernel, NULL, &set->xxh3},
        {"crc16", BENCH_SHOWN | BENCH_JUDGED, NULL, run_kernel, NULL, &set->crc16},
        {"crc32", BENCH_SHOWN | BENCH_JUDGED, NULL, run_kernel, NULL, &set->crc32},
    };
    memcpy(&competitors[count], ours, sizeof ours);
    count += sizeof ours / sizeof ours[0];
    bench_row row = {pool->payload_bytes,
                     variant,
                     (double)pool->count,
                     (double)(pool->count * pool->payload_bytes),
                     1,
                     pool->payload_bytes == 100 ? 1.20 : 0,
                     competitors,
                     count};
    bench_row_run(&row);
}

static void measure_against_packaged(kernel_set *set, const char *variant)
{
    bench_competitor competitors[BENCH_MAX_COMPETITORS];
    const bench_pool *pool = set->crc16.pool;
    size_t count = 0;
    for (size_t i = 0; i < set->packaged_count; i++) {
        kernel_road *road = &set->packaged[i];
        competitors[count++] = (bench_competitor){
            road->kernels.name, BENCH_SHOWN | BENCH_LIMIT, NULL, run_kernel, NULL, road};
    }
    const bench_competitor ours[] = {
        {"crc16", BENCH_SHOWN | BENCH_JUDGED, NULL, run_kernel, NULL, &set->crc16},
        {"crc32", BENCH_SHOWN | BENCH_JUDGED, NULL, run_kernel, NULL, &set->crc32},
    };
    if (count == 0) {
        return;
    }
    memcpy(&competitors[count], ours, sizeof ours);
    count += sizeof ours / sizeof ours[0];
    bench_row row = {pool->payload_bytes,
                     variant,
                     (double)pool->count,
                     (double)(pool->count * pool->payload_bytes),
                     1,
                     pool->payload_bytes <= 100 ? 1.0 : 0,
                     competitors,
                     count};
    bench_row_run(&row);
}

static void measure_kernels(const bench_table *table,
                            void (*measure)(kernel_set *set, const char *variant))
{
    static const struct {
        size_t payload_bytes;
        size_t total_bytes;
        const char *variant;
    } cases[] = {{32, 16 * KIB, "hot"},       {100, 16 * KIB, "hot"},   {256, 16 * KIB, "hot"},
                 {1024, 16 * KIB, "hot"},     {16384, 64 * KIB, "hot"}, {1024, 256 * MIB, "memory"},
                 {16384, 256 * MIB, "memory"}};
    bench_table_begin(table);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bench_pool pool;
        kernel_set set;
        size_t total = cases[i].total_bytes;
        if (!bench_wanted(table, cases[i].payload_bytes, cases[i].variant)) {
            continue;
        }
        total = bench_given()->smoke && total > MIB ? MIB : total;
        bench_pool_init(&pool, cases[i].payload_bytes, total);
        kernel_set_init(&set, &pool);
        measure(&set, cases[i].variant);
        bench_pool_fini(&pool);
    }
}

void bench_checksum_kernels(void)
{
    static const bench_table against_xxh3 = {
        "kernels",
        "Checksum kernels",
        "as the library's loops call them; limit: XXH3 inlined, the best width; goal for the CRCs "
        "at 100 B 1.20",
        "where",
        "XXH3",
        15,
        false,
        false,
        false,
        {"xxh3", "crc16", "crc32"}};
    static const bench_table against_packaged = {
        "crc-rivals",
        "Our CRCs against the packaged CRC-32s",
        "ratios are to the fastest packaged one; goal at 32 B and 100 B: faster than all",
        "where",
        "best",
        15,
        false,
        false,
        false,
        {"zlib", "libdeflate", "isa-l", "crc16", "crc32"}};
    measure_kernels(&against_xxh3, measure_against_xxh3);
    measure_kernels(&against_packaged, measure_against_packaged);
}
