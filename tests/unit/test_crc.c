/* The CRC kernels against the definition of a CRC, against one another and against zlib, and every
 * constant of theirs against the polynomial it comes from. Kernels that this CPU cannot run are
 * skipped. */
#include "core/crc.h"

#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "core/bytes.h"
#include "core/cpu.h"
#include "core/crc_constants.h"
#include "core/crc_tables.h"
#include "support/prng.h"
#include "support/testing.h"

#define MEBIBYTE ((size_t)1 << 20)

/* The definition: one bit of the message after another. */
static uint32_t crc16_by_definition(uint32_t crc, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) {
        for (int bit = 7; bit >= 0; bit--) {
            uint32_t out = (crc >> 15 ^ (uint32_t)bytes[i] >> bit) & 1;
            crc = (crc << 1 & 0xFFFF) ^ (out ? 0x1021 : 0);
        }
    }
    return crc;
}

static uint32_t crc32_by_definition(uint32_t crc, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        for (int bit = 0; bit < 8; bit++) {
            uint32_t out = (crc ^ (uint32_t)bytes[i] >> bit) & 1;
            crc = crc >> 1 ^ (out ? 0xEDB88320 : 0);
        }
    }
    return ~crc;
}

/* One signature for both widths. */
typedef uint32_t crc_function(uint32_t crc, const void *data, size_t size);

static uint32_t crc16_slice16(uint32_t crc, const void *data, size_t size)
{
    return flsi_crc16_slice16((uint16_t)crc, data, size);
}

#ifdef FLSI_X86_KERNELS
static uint32_t crc16_clmul128(uint32_t crc, const void *data, size_t size)
{
    return flsi_crc16_clmul128((uint16_t)crc, data, size);
}

static uint32_t crc16_clmul512(uint32_t crc, const void *data, size_t size)
{
    return flsi_crc16_clmul512((uint16_t)crc, data, size);
}
#endif

struct kernel {
    const char *name;
    crc_function *crc;
    crc_function *definition;
    crc_function
        *reference; /* trusted for long messages: slice16, or what slice16 is tested with */
    uint32_t check; /* of "123456789" */
    uint32_t mask;  /* a running value's bits */
    uint32_t needs; /* FLSI_CPU_ bits */
};

#define CRC16(name, reference, needs)                                                       \
    {                                                                                       \
        "crc16_" #name, crc16_##name, crc16_by_definition, reference, 0x31C3, 0xFFFF, needs \
    }
#define CRC32(name, reference, needs)                                                              \
    {                                                                                              \
        "crc32_" #name, flsi_crc32_##name, crc32_by_definition, reference, 0xCBF43926, UINT32_MAX, \
            needs                                                                                  \
    }

static const struct kernel kernels[] = {
    CRC16(slice16, crc16_by_definition, 0),
    CRC32(slice16, crc32_by_definition, 0),
#ifdef FLSI_X86_KERNELS
    CRC16(clmul128, crc16_slice16, FLSI_CPU_CLMUL128),
    CRC32(clmul128, flsi_crc32_slice16, FLSI_CPU_CLMUL128),
    CRC16(clmul512, crc16_slice16, FLSI_CPU_CLMUL512),
    CRC32(clmul512, flsi_crc32_slice16, FLSI_CPU_CLMUL512),
#endif
};

/* The kernel of a test, unless this CPU cannot run it. */
static const struct kernel *kernel_of(void **state)
{
    const struct kernel *kernel = *state;
    if ((flsi_cpu_features() & kernel->needs) != kernel->needs) {
        print_message("%s skipped: this CPU or build has no carry-less multiplication for it\n",
                      kernel->name);
        skip();
    }
    return kernel;
}

static void expect_crc(const struct kernel *kernel, uint32_t got, uint32_t wanted,
                       const char *where, size_t size, size_t offset)
{
    if (got != wanted) {
        fail_msg("%s: %s, %zu bytes at %zu: %08x instead of %08x", kernel->name, where, size,
                 offset, (unsigned)got, (unsigned)wanted);
    }
}

static void known_values(void **state)
{
    const struct kernel *kernel = kernel_of(state);
    assert_int_equal(kernel->crc(0, "123456789", 9), kernel->check);
    assert_int_equal(kernel->crc(0, "", 0), 0);
    assert_int_equal(kernel->crc(0, NULL, 0), 0);
    assert_int_equal(kernel->crc(0x1234, NULL, 0), 0x1234);
    assert_int_equal(kernel->crc(0, "abc", 3), kernel->mask == 0xFFFF ? 0x9DD6 : 0x352441C2);
}

/* Sizes 0 to 1100, at each alignment, each from 0 and from a running value. */
static void every_size_and_alignment(void **state)
{
    const struct kernel *kernel = kernel_of(state);
    static uint8_t bytes[1100 + 16];
    prng random = prng_seeded(11);
    prng_fill(&random, bytes, sizeof bytes);
    for (size_t offset = 0; offset < 16; offset++) {
        const uint8_t *at = bytes + offset;
        uint32_t start = (uint32_t)prng_next(&random) & kernel->mask;
        uint32_t from_zero = 0;
        uint32_t from_start = start;
        for (size_t size = 0; size <= 1100; size++) {
            expect_crc(kernel, kernel->crc(0, at, size), from_zero, "from 0", size, offset);
            expect_crc(kernel, kernel->crc(start, at, size), from_start, "running", size, offset);
            from_zero = kernel->definition(from_zero, at + size, 1);
            from_start = kernel->definition(from_start, at + size, 1);
        }
    }
}

static void every_split(void **state)
{
    const struct kernel *kernel = kernel_of(state);
    uint8_t bytes[300];
    prng random = prng_seeded(12);
    prng_fill(&random, bytes, sizeof bytes);
    for (size_t size = 0; size <= sizeof bytes; size += 1 + size / 16) {
        uint32_t whole = kernel->definition(0, bytes, size);
        for (size_t first = 0; first <= size; first++) {
            uint32_t crc = kernel->crc(0, bytes, first);
            crc = kernel->crc(crc, bytes + first, size - first);
            expect_crc(kernel, crc, whole, "split", size, first);
        }
    }
    uint32_t crc = 0;
    for (size_t i = 0; i < sizeof bytes; i++) {
        crc = kernel->crc(crc, bytes + i, 1);
    }
    assert_int_equal(crc, kernel->definition(0, bytes, sizeof bytes));
}

static void large_sizes(void **state)
{
    const struct kernel *kernel = kernel_of(state);
    uint8_t *bytes = malloc(MEBIBYTE + 64);
    assert_non_null(bytes);
    prng random = prng_seeded(13);
    prng_fill(&random, bytes, MEBIBYTE + 64);
    for (int round = 0; round < 200; round++) {
        size_t limit = (size_t)2048 << (round % 10);
        size_t size = (size_t)prng_below(&random, limit + 1);
        size_t offset = (size_t)prng_below(&random, 65);
        uint32_t start = (uint32_t)prng_next(&random) & kernel->mask;
        expect_crc(kernel, kernel->crc(start, bytes + offset, size),
                   kernel->reference(start, bytes + offset, size), "large", size, offset);
    }
    free(bytes);
}

/* Each bit of a message alone, so that a fault names the byte that a kernel leaves out or moves. */
static void single_bits(void **state)
{
    const struct kernel *kernel = kernel_of(state);
    static uint8_t bytes[800];
    const size_t sizes[] = {1, 3, 7, 16, 31, 33, 63, 67, 130, 257, 513, 800};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (size_t bit = 0; bit < 8 * sizes[i]; bit++) {
            bytes[bit / 8] = (uint8_t)(1u << bit % 8);
            expect_crc(kernel, kernel->crc(0, bytes, sizes[i]),
                       kernel->reference(0, bytes, sizes[i]), "single bit", sizes[i], bit);
            bytes[bit / 8] = 0;
        }
    }
}

/* Messages that end where an unmapped page begins, or begin where one ends. */
static void no_access_outside(void **state)
{
    const struct kernel *kernel = kernel_of(state);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *map = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(map != MAP_FAILED);
    uint8_t *inside = map + page;
    assert_int_equal(mprotect(inside, page, PROT_READ | PROT_WRITE), 0);
    prng random = prng_seeded(14);
    prng_fill(&random, inside, page);
    for (size_t size = 0; size <= 1100 && size <= page; size++) {
        const uint8_t *last = inside + page - size;
        expect_crc(kernel, kernel->crc(0, inside, size), kernel->reference(0, inside, size),
                   "at the start of a page", size, 0);
        expect_crc(kernel, kernel->crc(0, last, size), kernel->reference(0, last, size),
                   "at the end of a page", size, page - size);
    }
    for (size_t size = 1; size <= 130; size++) {
        for (size_t offset = 1; offset < 130; offset++) {
            const uint8_t *last = inside + page - size - offset;
            expect_crc(kernel, kernel->crc(0, inside + offset, size),
                       kernel->reference(0, inside + offset, size), "near a start", size, offset);
            expect_crc(kernel, kernel->crc(0, last, size), kernel->reference(0, last, size),
                       "near an end", size, offset);
        }
    }
    assert_int_equal(munmap(map, 3 * page), 0);
}

/* An allocation of exactly the message, which a sanitizer guards. */
static void exact_allocations(void **state)
{
    const struct kernel *kernel = kernel_of(state);
    prng random = prng_seeded(15);
    for (size_t size = 1; size <= 700; size++) {
        uint8_t *bytes = malloc(size);
        assert_non_null(bytes);
        prng_fill(&random, bytes, size);
        expect_crc(kernel, kernel->crc(0, bytes, size), kernel->reference(0, bytes, size), "exact",
                   size, 0);
        free(bytes);
    }
}

static void crc32_is_zlibs(void **state)
{
    const struct kernel *kernel = kernel_of(state);
    uint8_t *bytes = malloc(MEBIBYTE);
    assert_non_null(bytes);
    prng random = prng_seeded(16);
    prng_fill(&random, bytes, MEBIBYTE);
    for (size_t size = 0; size <= MEBIBYTE; size += 1 + size / 7) {
        uLong start = crc32(0, bytes, (uInt)(size / 3));
        expect_crc(kernel, kernel->crc((uint32_t)start, bytes, size),
                   (uint32_t)crc32(start, bytes, (uInt)size), "zlib", size, 0);
    }
    free(bytes);
}

/* Polynomials over GF(2), bit i the coefficient of x^i. */
#define P16 UINT64_C(0x11021)
#define P32 UINT64_C(0x104C11DB7)

/* x^power mod p, for p of degree `width`. */
static uint64_t power_mod(uint64_t p, unsigned width, unsigned power)
{
    uint64_t rest = 1;
    while (power-- > 0) {
        rest <<= 1;
        rest ^= rest >> width & 1 ? p : 0;
    }
    return rest;
}

/* The lowest 64 coefficients of floor(x^power / p), by long division. */
static uint64_t power_div(uint64_t p, unsigned width, unsigned power)
{
    uint64_t quotient = 0;
    uint64_t rest = 1;
    while (power-- > 0) {
        rest <<= 1;
        uint64_t bit = rest >> width & 1;
        rest ^= bit ? p : 0;
        quotient = quotient << 1 | bit;
    }
    return quotient;
}

static uint64_t reflect(uint64_t value, unsigned bits)
{
    uint64_t reflected = 0;
    for (unsigned i = 0; i < bits; i++) {
        reflected |= (value >> i & 1) << (bits - 1 - i);
    }
    return reflected;
}

/* The multiplier of the word with `after` words after it. */
static uint64_t near32(unsigned after)
{
    return reflect(power_mod(P32, 32, 64 * after + 31), 32);
}

static uint64_t near16(unsigned after)
{
    return power_mod(P16, 16, 64 * after + 16) << 48;
}

static void folding_constants(void **state)
{
    (void)state;
    for (unsigned block = 0; block < FLSI_NEAR_BLOCKS; block++) {
        unsigned after = 2 * (FLSI_NEAR_BLOCKS - 1 - block);
        assert_int_equal(flsi_fold32.near[block][0], near32(after + 1));
        assert_int_equal(flsi_fold32.near[block][1], near32(after));
        assert_int_equal(flsi_fold16.near[block][1], near16(after + 1));
        assert_int_equal(flsi_fold16.near[block][0], near16(after));
    }
    for (unsigned word = 0; word < 4; word++) {
        assert_int_equal(flsi_fold32.spread[word][0], near32(3 - word));
        assert_int_equal(flsi_fold16.spread[word][0], near16(3 - word));
        assert_int_equal(flsi_fold32.spread[word][1] | flsi_fold16.spread[word][1], 0);
    }
    for (unsigned second = 0; second < 2; second++) {
        unsigned more = second ? 0 : 64;
        assert_int_equal(flsi_fold32.by_512[second],
                         reflect(power_mod(P32, 32, 512 + more - 1), 64));
        assert_int_equal(flsi_fold32.by_2048[second],
                         reflect(power_mod(P32, 32, 2048 + more - 1), 64));
        assert_int_equal(flsi_fold16.by_512[1 - second], power_mod(P16, 16, 512 + more));
        assert_int_equal(flsi_fold16.by_2048[1 - second], power_mod(P16, 16, 2048 + more));
    }
    assert_int_equal(flsi_fold32.barrett[0], reflect(power_div(P32, 32, 95), 64));
    assert_int_equal(flsi_fold32.barrett[1], reflect(P32, 33));
    assert_int_equal(flsi_fold16.barrett[0], power_div(P16, 16, 80));
    assert_int_equal(flsi_fold16.barrett[1], (P16 & 0xFFFF) << 48);
    assert_true(flsi_fold32.reflected);
    assert_false(flsi_fold16.reflected);
}

/* An entry is the CRC of its byte followed by as many zero bytes as its row says; for CRC-32, which
 * inverts, what that differs by from the CRC of zeros alone. */
static void slicing_tables(void **state)
{
    (void)state;
    for (size_t row = 0; row < 16; row++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            uint8_t message[16] = {(uint8_t)byte};
            uint8_t zeros[16] = {0};
            assert_int_equal(flsi_crc16_slices[row][byte],
                             crc16_by_definition(0, message, row + 1));
            assert_int_equal(flsi_crc32_slices[row][byte],
                             crc32_by_definition(0, message, row + 1) ^
                                 crc32_by_definition(0, zeros, row + 1));
        }
    }
}

#define KERNELS (sizeof kernels / sizeof kernels[0])

static const struct {
    const char *name;
    CMUnitTestFunction run;
} kernel_tests[] = {
    {"known_values", known_values},
    {"every_size_and_alignment", every_size_and_alignment},
    {"every_split", every_split},
    {"large_sizes", large_sizes},
    {"single_bits", single_bits},
    {"no_access_outside", no_access_outside},
    {"exact_allocations", exact_allocations},
    {"crc32_is_zlibs", crc32_is_zlibs},
};
#define KERNEL_TESTS (sizeof kernel_tests / sizeof kernel_tests[0])

int main(void)
{
    static char names[KERNELS * KERNEL_TESTS][64];
    struct CMUnitTest tests[KERNELS * KERNEL_TESTS + 2] = {
        {.name = "folding_constants", .test_func = folding_constants},
        {.name = "slicing_tables", .test_func = slicing_tables},
    };
    size_t count = 2;
    for (size_t k = 0; k < KERNELS; k++) {
        for (size_t t = 0; t < KERNEL_TESTS; t++) {
            if (kernel_tests[t].run == crc32_is_zlibs && kernels[k].mask == 0xFFFF) {
                continue;
            }
            char *name = names[count - 2];
            (void)snprintf(name, sizeof names[0], "%s: %s", kernels[k].name, kernel_tests[t].name);
            tests[count].name = name;
            tests[count].test_func = kernel_tests[t].run;
            /* cmocka passes it on unchanged, but not as const. */
            tests[count].initial_state = (void *)(uintptr_t)&kernels[k];
            count++;
        }
    }
    return _cmocka_run_group_tests("crc", tests, count, NULL, NULL);
}
