/* Salvage of 64 GiB: a sparse file of islands of sound frames in holes of zeros, behind claims of 2
 * GiB. Every message of the islands comes back, offsets beyond 2^32 are right, and memory stays
 * what it is for small files. Prints how long each checksum took. */
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "flatstream/flatstream.h"
#include "support/counting_allocator.h"
#include "support/files.h"
#include "support/testing.h"

#define GIB     ((uint64_t)1 << 30)
#define TOTAL   (64 * GIB)
#define ISLANDS 64u
#define FRAMES  500u

static void put(int file, const byte_buffer *bytes, uint64_t at)
{
    assert_int_equal(pwrite(file, bytes->data, bytes->size, (off_t)at), bytes->size);
}

/* Where island i begins, at no multiple of anything. */
static uint64_t place_of(unsigned i)
{
    return i * GIB + (i == 0 ? 0 : 777 * (uint64_t)i + 13);
}

/* A header that claims 2 GiB, then sound frames. */
static void make_island(byte_buffer *island, const ref_format *format, unsigned i, size_t *claim)
{
    prng random = prng_seeded(i);
    bytes_clear(island);
    if (i % 2 == 1) {
        bytes_append_le(island, UINT32_C(0x7FFFFFF0), 4);
        bytes_append_le(island, prng_next(&random), ref_width(format));
    }
    *claim = island->size;
    frames_append_flatbuffers(island, format, &random, FRAMES, 300);
}

typedef struct seen {
    uint64_t messages;
    uint64_t at;
    unsigned islands; /* that began where they should */
} seen;

static void take(seen *self, const fls_salvage_event *event, const uint64_t *firsts)
{
    assert_int_equal(event->from, self->at);
    self->at = event->to;
    for (size_t i = 0; i < event->count; i++) {
        unsigned island = (unsigned)(event->messages[i].offset / GIB);
        assert_int_equal(event->messages[i].ordinal, self->messages + i);
        self->islands += event->messages[i].offset == firsts[island];
    }
    self->messages += event->count;
}

static void salvage(const char *path, fls_checksum checksum, const uint64_t *firsts)
{
    counting_allocator allocator;
    counting_allocator_init(&allocator);
    fls_salvage_options options = FLS_SALVAGE_OPTIONS_INIT;
    fls_salvage_report report = FLS_SALVAGE_REPORT_INIT;
    fls_salvager *salvager;
    fls_salvage_event event;
    fls_source source;
    fls_status status;
    fls_error err = FLS_ERROR_INIT;
    seen all = {0, 0, 0};
    struct timespec from;
    struct timespec to;
    options.checksum = checksum;
    options.allocator = &allocator.table;
    (void)clock_gettime(CLOCK_MONOTONIC, &from);
    assert_status(fls_source_open_file(&source, path, &err), FLS_OK, &err);
    assert_status(fls_salvage_open(&salvager, &source, &options, &err), FLS_OK, &err);
    while ((status = fls_salvage_next(salvager, &event, &err)) == FLS_OK) {
        take(&all, &event, firsts);
    }
    assert_status(status, FLS_END, &err);
    fls_salvage_get_report(salvager, &report);
    fls_salvage_close(salvager);
    fls_source_close(&source);
    (void)clock_gettime(CLOCK_MONOTONIC, &to);
    assert_int_equal(all.at, TOTAL);
    assert_int_equal(all.islands, ISLANDS);
    assert_int_equal(all.messages, ISLANDS * FRAMES);
    assert_true(allocator.peak_bytes < 4u << 20);
    print_message("%s: 64 GiB in %.1f s, %llu ranges lost, %zu bytes of memory\n",
                  fls_checksum_name(checksum),
                  (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) * 1e-9,
                  (unsigned long long)report.lost_ranges, (size_t)allocator.peak_bytes);
}

static void islands_in_a_sea_of_zeros(void **state)
{
    (void)state;
    char directory[256];
    files_make_directory(directory, sizeof directory);
    const char *path = files_join(directory, "sparse.fls");
    for (size_t c = 1; c < FRAMES_CHECKSUMS; c++) {
        ref_format format = {frames_checksums[c], NULL, 0};
        byte_buffer island = BYTES_INIT;
        uint64_t firsts[ISLANDS];
        int file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
        assert_true(file >= 0);
        for (unsigned i = 0; i < ISLANDS; i++) {
            size_t claim;
            make_island(&island, &format, i, &claim);
            put(file, &island, place_of(i));
            firsts[i] = place_of(i) + claim;
        }
        assert_int_equal(ftruncate(file, (off_t)TOTAL), 0);
        assert_int_equal(close(file), 0);
        bytes_free(&island);
        salvage(path, format.checksum, firsts);
    }
    files_remove_directory(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(islands_in_a_sea_of_zeros)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
