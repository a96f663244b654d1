/* Journals on real file systems that are full: ext4 and xfs on loop devices, and one in memory.
 * Whatever finds no room says FLS_NO_SPACE and loses nothing, and all goes on when there is room
 * again. Needs root; skips with the reason where that is not so.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "flatstream/journal_reader.h"
#include "support/files.h"
#include "support/loop_disk.h"
#include "support/prng.h"
#include "support/testing.h"

#if defined(__linux__)

#define ROUNDS_DEFAULT 60
#define PAYLOAD_MOST   3000u
#define BATCH_MOST     20u

static loop_disk disk;
static fls_error err;
static char path[400];
static prng random_state;

/* What has to be true of the journal. */
static fls_journal *journal; /* NULL: it could not be opened */
static uint64_t first;       /* retention has left those from here on */
static uint64_t durable;     /* messages below were reported durable */
static uint64_t count;       /* messages below were taken */
static uint64_t cursor;      /* where the cursor was set to; UINT64_MAX: it never was */

enum { APPEND, SYNC, ROTATE, CURSOR, CLOSE, OPEN, COMPRESS, OPERATIONS };
static const char *const operations[] = {"append", "sync", "rotate",  "cursor",
                                         "close",  "open", "compress"};
static uint64_t refused[OPERATIONS];

/* ---- the disk ---- */

static const char *filler(void)
{
    return files_join(disk.mounted, "filler");
}

/* Leaves so many bytes of room, more or less. */
static void fill(uint64_t left)
{
    off_t size = 0;
    int fd = open(filler(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    for (off_t step = 64 << 20; step >= 4096;) {
        if (fallocate(fd, 0, size, step) == 0) {
            size += step;
        } else {
            assert_true(errno == ENOSPC || errno == EINTR);
            step /= 2;
        }
    }
    assert_true((uint64_t)size > left);
    assert_int_equal(ftruncate(fd, size - (off_t)left), 0);
    assert_int_equal(close(fd), 0);
}

static void make_room(void)
{
    assert_int_equal(unlink(filler()), 0);
    sync();
}

/* ---- operations, with room or without ---- */

static int is_refused(fls_status status, int operation, int full)
{
    if (status == FLS_NO_SPACE && full) {
        refused[operation]++;
        return 1;
    }
    if (status != FLS_OK) {
        printf("%s:\n", operations[operation]);
    }
    assert_status(status, FLS_OK, &err);
    return 0;
}

static size_t payload_of(uint64_t ordinal, uint8_t payload[PAYLOAD_MOST])
{
    prng random = prng_seeded(ordinal);
    size_t size = 8 + (size_t)prng_below(&random, ordinal % 8 == 3 ? PAYLOAD_MOST - 8 : 200);
    prng_fill(&random, payload, size);
    return size;
}

static void append_some(int full)
{
    static uint8_t payloads[BATCH_MOST][PAYLOAD_MOST];
    fls_journal_entry entries[BATCH_MOST];
    size_t taken = 0;
    size_t batch = 1 + (size_t)prng_below(&random_state, BATCH_MOST);
    for (size_t i = 0; i < batch; i++) {
        entries[i] = (fls_journal_entry){payloads[i], payload_of(count + i, payloads[i]), 0};
    }
    fls_status status = fls_journal_append_batch(journal, entries, batch, NULL, &taken, &err);
    count += is_refused(status, APPEND, full) ? taken : batch;
    assert_int_equal(fls_journal_next_ordinal(journal), count);
    durable = fls_journal_durable(journal);
}

static void sync_now(int full)
{
    int nothing = is_refused(fls_journal_sync_now(journal, &err), SYNC, full);
    durable = fls_journal_durable(journal);
    assert_true(durable == count || (nothing && durable < count));
}

static void open_it(int full)
{
    static const fls_journal_sync rules[] = {FLS_JOURNAL_SYNC_INTERVAL, FLS_JOURNAL_SYNC_ALWAYS,
                                             FLS_JOURNAL_SYNC_EVERY, FLS_JOURNAL_SYNC_NONE};
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
    options.sync = rules[prng_below(&random_state, 4)];
    options.sync_interval_ns = 2000000;
    options.segment_bytes = 5000 + prng_below(&random_state, 100000);
    options.write_through = (uint32_t)prng_below(&random_state, 2);
    options.retain_segments = prng_below(&random_state, 3) == 0 ? 10 : 0;
    if (is_refused(fls_journal_open(&journal, path, &options, &report, &err), OPEN, full)) {
        assert_null(journal);
        return;
    }
    assert_in_range(report.messages, durable, count);
    assert_int_equal(report.cut_bytes, 0);
    count = report.messages;
    durable = fls_journal_durable(journal);
    assert_int_equal(durable, count);
}

static void close_it(int full)
{
    if (!is_refused(fls_journal_close(journal, &err), CLOSE, full)) {
        durable = count;
    }
    journal = NULL;
}

static void set_cursor(int full)
{
    fls_journal_cursor got;
    uint64_t ordinal = first + prng_below(&random_state, durable - first + 1);
    if (!is_refused(fls_journal_cursor_set(path, "reader", ordinal, &err), CURSOR, full)) {
        cursor = ordinal;
    }
    fls_status status = fls_journal_cursor_get(path, "reader", &got, &err);
    assert_status(status, cursor == UINT64_MAX ? FLS_END : FLS_OK, &err);
    if (status == FLS_OK) {
        assert_int_equal(got.ordinal, cursor);
    }
}

/* Works also where there is no room at all. */
static void prune(void)
{
    fls_prune_report report = {.struct_bytes = sizeof report};
    const fls_prune_options options = {
        .struct_bytes = sizeof options, .retain_segments = 20, .force = 1};
    assert_status(fls_journal_prune(path, &options, &report, &err), FLS_OK, &err);
    first = report.first_ordinal;
}

static void compress(int full)
{
    fls_status status = fls_journal_compress(path, 0, NULL, NULL, &err);
    if (status != FLS_UNSUPPORTED && status != FLS_LOCKED) { /* no zstd; its writer is there */
        (void)is_refused(status, COMPRESS, full);
    }
}

static fls_status no_fault(void *self, const char *file, const fls_error *fault)
{
    (void)self;
    printf("%s:\n", file);
    assert_status(fault->status, FLS_OK, fault);
    return FLS_OK;
}

/* What retention took meanwhile. */
static void see_event(void *self, const fls_journal_event *event)
{
    if (event->kind == FLS_JOURNAL_EVENT_RETIRED) {
        *(uint64_t *)self = event->ordinal;
    } else {
        assert_int_equal(event->kind, FLS_JOURNAL_EVENT_EPOCH);
    }
}

/* Everything that is durable can be read, and is what was appended; so is what comes behind. */
static void read_all(void)
{
    fls_journal_reader *reader;
    fls_journal_check_report report = FLS_JOURNAL_CHECK_REPORT_INIT;
    const fls_journal_check_options check = {.struct_bytes = sizeof check, .fault = no_fault};
    fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    fls_message message;
    uint8_t wanted[PAYLOAD_MOST];
    uint64_t end;
    uint64_t next = 0;
    fls_status status;
    options.visibility = FLS_JOURNAL_WRITTEN;
    options.event = see_event;
    options.event_self = &next;
    assert_status(fls_journal_reader_open(&reader, path, &options, &err), FLS_OK, &err);
    assert_status(fls_journal_reader_bounds(reader, &next, &end, &err), FLS_OK, &err);
    assert_in_range(next, first, durable);
    first = next;
    while ((status = fls_journal_reader_next(reader, &message, &err)) == FLS_OK) {
        assert_int_equal(message.ordinal, next);
        assert_int_equal(message.size, payload_of(next, wanted));
        assert_memory_equal(message.payload, wanted, message.size);
        next++;
    }
    assert_status(status, FLS_END, &err);
    assert_in_range(next, durable, count);
    fls_journal_reader_close(reader);
    if (journal == NULL) {
        assert_status(fls_journal_check(path, &check, &report, &err), FLS_OK, &err);
        assert_int_equal(report.messages, next - first);
        assert_int_equal(report.lost, 0);
    }
}

static void one_of_all(int full)
{
    uint64_t what = prng_below(&random_state, 40);
    if (journal == NULL) {
        if (what < 8) {
            compress(full);
        } else if (what < 12) {
            read_all();
        } else if (what < 14) {
            prune();
        } else {
            open_it(full);
        }
    } else if (what < 22) {
        append_some(full);
    } else if (what < 26) {
        sync_now(full);
    } else if (what < 28) {
        (void)is_refused(fls_journal_rotate(journal, &err), ROTATE, full);
        durable = fls_journal_durable(journal);
    } else if (what < 34) {
        set_cursor(full);
    } else if (what < 35) {
        read_all();
    } else {
        close_it(full);
    }
}

static void one_round(void)
{
    for (int i = 0; i < 10; i++) {
        one_of_all(0);
    }
    fill(prng_below(&random_state, 40) * 4096);
    for (int i = 0; i < 40; i++) {
        one_of_all(1);
    }
    make_room();
    if (journal == NULL) {
        open_it(0);
    }
    append_some(0);
    sync_now(0);
    set_cursor(0);
    close_it(0);
    read_all();
    prune();
}

/* A new journal where there is room for none of it, or for some: a later try makes it. */
static void begin_new(void)
{
    uint64_t tries = refused[OPEN];
    for (uint64_t left = 0; left < 16; left++) {
        (void)snprintf(path, sizeof path, "%s/new-%" PRIu64, disk.mounted, left);
        first = count = durable = 0;
        cursor = UINT64_MAX;
        fill(left * 4096);
        open_it(1);
        if (journal == NULL) { /* and again */
            open_it(1);
        }
        make_room();
        if (journal == NULL) {
            open_it(0);
        }
        append_some(0);
        close_it(0);
        read_all();
    }
    assert_true(refused[OPEN] > tries);
}

static void full_on(const char *kind, uint64_t bytes)
{
    const char *text = getenv("FLS_FULL_ROUNDS");
    uint64_t rounds = text != NULL ? strtoull(text, NULL, 10) : ROUNDS_DEFAULT;
    const char *why = loop_disk_make(&disk, kind, bytes);
    if (why != NULL) {
        printf("%s: skipped: %s\n", kind, why);
        skip();
    }
    memset(refused, 0, sizeof refused);
    random_state = prng_seeded(rounds);
    begin_new();
    (void)snprintf(path, sizeof path, "%s/flight", disk.mounted);
    first = count = durable = 0;
    cursor = UINT64_MAX;
    open_it(0);
    for (uint64_t round = 0; round < rounds; round++) {
        one_round();
    }
    printf("%s: full %" PRIu64 " times: %" PRIu64 " messages, 0 durable ones lost; refused:", kind,
           rounds + 16, count);
    for (int i = 0; i < OPERATIONS; i++) {
        printf(" %s %" PRIu64, operations[i], refused[i]);
    }
    printf("\n");
    loop_disk_unmount(&disk);
}

static int clean(void **state)
{
    (void)state;
    if (journal != NULL) {
        fls_journal_abandon(journal);
        journal = NULL;
    }
    loop_disk_remove(&disk);
    return 0;
}

static void test_tmpfs(void **state)
{
    (void)state;
    full_on("tmpfs", 64 << 20);
}

static void test_ext4(void **state)
{
    (void)state;
    full_on("ext4", 64 << 20);
}

static void test_xfs(void **state)
{
    (void)state;
    full_on("xfs", 320 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(test_tmpfs, clean),
                                       cmocka_unit_test_teardown(test_ext4, clean),
                                       cmocka_unit_test_teardown(test_xfs, clean)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    printf("skipped: file systems are made so on Linux only\n");
    return 0;
}

#endif
