/* Writers of journals over a disk whose faults are chosen, with a clock that is set by hand. For
 * one program that includes it once.
 */
#ifndef TESTS_UNIT_JOURNAL_WRITING_H
#define TESTS_UNIT_JOURNAL_WRITING_H

#include <errno.h>
#include <unistd.h>

#include "flatstream/journal_reader.h"
#include "flatstream/reader.h"
#include "journal/journal_listing.h"
#include "journal/journal_recovery.h"
#include "os/os_calls.h"
#include "support/counting_allocator.h"
#include "support/files.h"
#include "support/testing.h"

/* A disk whose faults are chosen. */
static struct {
    _Atomic uint64_t room;     /* bytes that it still takes; UINT64_MAX: no end */
    _Atomic long fail_sync;    /* that many syncs from now; 0: none */
    _Atomic long keep_failing; /* so many more behind it */
    _Atomic long syncs;
    _Atomic int slow; /* 1: a sync takes a while */
} disk;

/* Takes what there is room for. */
static inline ssize_t disk_pwritev(int fd, const struct iovec *pieces, int count, off_t offset)
{
    struct iovec fits[8];
    size_t left = disk.room < SIZE_MAX ? (size_t)disk.room : SIZE_MAX;
    int used = 0;
    for (; used < count && used < 8 && left > 0; used++) {
        fits[used] = pieces[used];
        fits[used].iov_len = pieces[used].iov_len < left ? pieces[used].iov_len : left;
        left -= fits[used].iov_len;
    }
    if (used == 0) {
        errno = ENOSPC;
        return -1;
    }
    ssize_t done = flsi_os_calls_system()->pwritev(fd, fits, used, offset);
    if (done > 0 && disk.room != UINT64_MAX) {
        disk.room -= (uint64_t)done;
    }
    return done;
}

static inline ssize_t disk_pwrite(int fd, const void *data, size_t size, off_t offset)
{
    const struct iovec piece = {(void *)(uintptr_t)data, size};
    return disk_pwritev(fd, &piece, 1, offset);
}

static inline int disk_sync(int fd)
{
    (void)fd;
    disk.syncs++;
    if (disk.fail_sync > 0 && --disk.fail_sync == 0) {
        disk.fail_sync = disk.keep_failing > 0 ? 1 : 0;
        disk.keep_failing -= disk.keep_failing > 0;
        errno = EIO;
        return -1;
    }
    if (disk.slow) {
        usleep(2000);
    }
    return 0;
}

static inline int disk_sync_directory(int fd)
{
    (void)fd;
    return 0;
}

static flsi_os_calls calls;
static char path[256];
static counting_allocator allocator;
static fls_error err;
static uint64_t fake_now;

static uint64_t fake_clock_now(void *self)
{
    (void)self;
    return fake_now;
}

static const fls_clock fake_clock = {fake_clock_now, NULL};

static inline int set_up(void **state)
{
    (void)state;
    memset(&disk, 0, sizeof disk);
    disk.room = UINT64_MAX;
    fake_now = 1000;
    calls = *flsi_os_calls_system();
    calls.pwrite = disk_pwrite;
    calls.pwritev = disk_pwritev;
    calls.sync_data = disk_sync;
    calls.sync_directory = disk_sync_directory;
    counting_allocator_init(&allocator);
    files_make_directory(path, sizeof path);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    files_remove_directory(path);
    assert_int_equal(allocator.live_blocks, 0);
    return 0;
}

/* Polled, with the fake clock: nothing happens by itself. */
static inline fls_journal_options quiet(void)
{
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    options.polled = 1;
    options.clock = &fake_clock;
    options.allocator = &allocator.table;
    return options;
}

static inline fls_journal *open_reported(const fls_journal_options *options,
                                         fls_journal_report *report)
{
    fls_journal *journal;
    assert_status(flsi_journal_open(&journal, path, options, &calls, report, &err), FLS_OK, &err);
    return journal;
}

static inline fls_journal *open_with(const fls_journal_options *options)
{
    return open_reported(options, NULL);
}

static inline void close_it(fls_journal *journal)
{
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
}

/* ---- messages ---- */

static inline size_t message(uint64_t n, uint8_t bytes[2000])
{
    prng random = prng_seeded(n);
    size_t size = 8 + (size_t)prng_below(&random, n % 50 == 49 ? 1900 : 150);
    prng_fill(&random, bytes, size);
    memcpy(bytes, &n, 8);
    return size;
}

static inline fls_status append(fls_journal *journal, uint64_t n, uint64_t *ordinal)
{
    uint8_t bytes[2000];
    size_t size = message(n, bytes);
    return fls_journal_append(journal, bytes, size, ordinal, &err);
}

static inline void append_many(fls_journal *journal, uint64_t from, uint64_t to)
{
    for (uint64_t n = from; n < to; n++) {
        uint64_t ordinal;
        assert_status(append(journal, n, &ordinal), FLS_OK, &err);
        assert_int_equal(ordinal, n);
    }
}

static inline void expect_message(const fls_message *got, uint64_t n)
{
    uint8_t bytes[2000];
    size_t size = message(n, bytes);
    assert_int_equal(got->size, size);
    assert_memory_equal(got->payload, bytes, size);
}

/* Each segment alone, by the reader of streams: together messages 0 to count. What a segment holds
 * behind the beginning of the next is superseded. Returns the number of segments. */
static inline size_t expect_segments(uint64_t count)
{
    flsi_directory directory;
    flsi_listing listing;
    uint64_t n = 0;
    assert_status(flsi_directory_open(&directory, path, 0, NULL, &err), FLS_OK, &err);
    assert_status(flsi_listing_read(&listing, &directory, fls_allocator_libc(), &err), FLS_OK,
                  &err);
    for (size_t i = 0; i < listing.count; i++) {
        char name[FLSI_NAME_BYTES];
        fls_reader *reader;
        fls_message got;
        fls_status status;
        uint64_t end = i + 1 < listing.count ? listing.segments[i + 1].first_ordinal : UINT64_MAX;
        assert_int_equal(listing.segments[i].first_ordinal, n);
        flsi_name_format(name, FLSI_NAME_SEGMENT, n);
        assert_status(fls_reader_open_file(&reader, files_join(path, name), NULL, &err), FLS_OK,
                      &err);
        while ((status = fls_reader_next(reader, &got, &err)) == FLS_OK && n < end) {
            expect_message(&got, n++);
        }
        assert_true(status == FLS_END || n == end);
        fls_reader_close(reader);
    }
    assert_int_equal(n, count);
    size_t segments = listing.count;
    flsi_listing_fini(&listing);
    flsi_directory_close(&directory);
    return segments;
}

/* The journal as a whole, with times that never go back. */
static inline void expect_journal(uint64_t count, fls_journal_visibility visibility)
{
    fls_journal_reader *reader;
    fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    fls_message got;
    fls_status status;
    uint64_t n = 0;
    uint64_t time = 0;
    options.visibility = visibility;
    assert_status(fls_journal_reader_open(&reader, path, &options, &err), FLS_OK, &err);
    while ((status = fls_journal_reader_next(reader, &got, &err)) == FLS_OK) {
        assert_int_equal(got.ordinal, n);
        expect_message(&got, n++);
        assert_true(got.time_ns >= time);
        time = got.time_ns;
    }
    assert_status(status, FLS_END, &err);
    assert_int_equal(n, count);
    fls_journal_reader_close(reader);
}

#endif
