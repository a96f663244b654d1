/* Journals of very many segments, and what they cost by the calls that are made to the system: time
 * would say as much of the machine as of us. For one program that includes it once.
 */
#ifndef TESTS_UNIT_MANY_SEGMENTS_H
#define TESTS_UNIT_MANY_SEGMENTS_H

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

#include "flatstream/journal_reader.h"
#include "journal/journal_private.h"
#include "journal/journal_prune.h"
#include "journal/journal_reader_private.h"
#include "os/os_calls.h"
#include "support/files.h"
#include "support/testing.h"

static char path[256];
static fls_error err;
static uint64_t calls_made; /* a name that a listing tells is one as well */

#define COUNTED(result, name, parameters, arguments)   \
    static result count_##name parameters              \
    {                                                  \
        calls_made++;                                  \
        return flsi_os_calls_system()->name arguments; \
    }

COUNTED(int, openat, (int at, const char *name, int flags, mode_t mode), (at, name, flags, mode))
COUNTED(int, dup_cloexec, (int fd), (fd))
COUNTED(int, close, (int fd), (fd))
COUNTED(int, fstat, (int fd, struct stat *status), (fd, status))
COUNTED(ssize_t, pread, (int fd, void *to, size_t size, off_t at), (fd, to, size, at))
COUNTED(ssize_t, pwrite, (int fd, const void *from, size_t size, off_t at), (fd, from, size, at))
COUNTED(ssize_t, pwritev, (int fd, const struct iovec *pieces, int count, off_t at),
        (fd, pieces, count, at))
COUNTED(int, ftruncate, (int fd, off_t size), (fd, size))
COUNTED(int, flock, (int fd, int operation), (fd, operation))
COUNTED(int, renameat, (int from_at, const char *from, int to_at, const char *to),
        (from_at, from, to_at, to))
COUNTED(int, rename_new, (int from_at, const char *from, int to_at, const char *to),
        (from_at, from, to_at, to))
COUNTED(int, unlinkat, (int at, const char *name, int flags), (at, name, flags))
COUNTED(int, mkdirat, (int at, const char *name, mode_t mode), (at, name, mode))
COUNTED(int, fstatat, (int at, const char *name, struct stat *status, int flags),
        (at, name, status, flags))

/* Nothing here is about power that goes. */
static int count_sync(int fd)
{
    (void)fd;
    calls_made++;
    return 0;
}

typedef struct counted_names {
    int (*seen)(void *self, const char *name);
    void *self;
} counted_names;

static int count_name(void *self, const char *name)
{
    const counted_names *names = self;
    calls_made++;
    return names->seen(names->self, name);
}

static int count_list(int at, int (*seen)(void *self, const char *name), void *self)
{
    counted_names names = {seen, self};
    calls_made++;
    return flsi_os_calls_system()->list(at, count_name, &names);
}

static const flsi_os_calls *counted_calls(void)
{
    static flsi_os_calls calls;
    calls = *flsi_os_calls_system();
    calls.openat = count_openat;
    calls.dup_cloexec = count_dup_cloexec;
    calls.close = count_close;
    calls.fstat = count_fstat;
    calls.pread = count_pread;
    calls.pwrite = count_pwrite;
    calls.pwritev = count_pwritev;
    calls.ftruncate = count_ftruncate;
    calls.flock = count_flock;
    calls.renameat = count_renameat;
    calls.rename_new = count_rename_new;
    calls.unlinkat = count_unlinkat;
    calls.mkdirat = count_mkdirat;
    calls.fstatat = count_fstatat;
    calls.sync_data = count_sync;
    calls.sync_directory = count_sync;
    calls.list = count_list;
    return &calls;
}

/* ---- writing ---- */

/* One message a segment: its ordinal, in 16 bytes. */
static void append_segments(fls_journal *journal, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t payload[2] = {fls_journal_next_ordinal(journal), 7};
        assert_status(fls_journal_append(journal, payload, sizeof payload, NULL, &err), FLS_OK,
                      &err);
    }
}

static fls_journal *open_many(const fls_journal_options *limits)
{
    fls_journal *journal;
    fls_journal_options options = *limits;
    options.polled = 1;
    options.sync = FLS_JOURNAL_SYNC_NONE;
    options.segment_messages = limits->segment_messages != 0 ? limits->segment_messages : 1;
    assert_status(flsi_journal_open(&journal, path, &options, counted_calls(), NULL, &err), FLS_OK,
                  &err);
    return journal;
}

#define PARTS 10u
#define SEEKS 100u

/* Begins so many segments, and looks at the figures now and then: the last tenth must not cost more
 * calls than the sixth one. The first five fill the directory up to what retention leaves. */
static void rotate_many(uint64_t segments, const fls_journal_options *limits, uint64_t most_left)
{
    fls_journal_figures figures = FLS_JOURNAL_FIGURES_INIT;
    uint64_t cost[PARTS];
    uint64_t each = segments / PARTS;
    files_make_directory(path, sizeof path);
    fls_journal *journal = open_many(limits);
    fls_journal_get_figures(journal, &figures);
    for (unsigned part = 0; part < PARTS; part++) {
        calls_made = 0;
        for (unsigned i = 0; i < 10; i++) {
            append_segments(journal, each / 10);
            assert_status(fls_journal_poll(journal, NULL, &err), FLS_OK, &err);
            fls_journal_get_figures(journal, &figures);
            assert_in_range(figures.segments, 1, most_left);
            assert_int_equal(figures.next_ordinal - figures.first_ordinal, figures.segments);
        }
        cost[part] = calls_made;
    }
    uint64_t sixth = cost[PARTS / 2];
    uint64_t last = cost[PARTS - 1];
    printf("%" PRIu64 " segments, %" PRIu64 " left: %.2f calls for each of the sixth tenth, %.2f "
           "for each of the last\n",
           segments, figures.segments, (double)sixth / (double)each, (double)last / (double)each);
    assert_in_range(last, 1, sixth + sixth / 50);
    assert_int_equal(figures.rotations, segments - 1);
    assert_int_equal(figures.retired_segments, segments - figures.segments);
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
}

static void remove_journal(void)
{
    files_remove_directory(path);
}

/* ---- everything else, over a journal that lies there ---- */

static void check_message(const fls_message *message, uint64_t ordinal)
{
    uint64_t payload[2];
    assert_int_equal(message->ordinal, ordinal);
    assert_int_equal(message->size, sizeof payload);
    memcpy(payload, message->payload, sizeof payload);
    assert_int_equal(payload[0], ordinal);
}

static fls_journal_reader *read_many(fls_journal_visibility visibility, uint32_t follow)
{
    fls_journal_reader *reader;
    fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    options.visibility = visibility;
    options.follow = follow;
    assert_status(flsi_journal_reader_open(&reader, path, &options, counted_calls(), &err), FLS_OK,
                  &err);
    return reader;
}

static fls_status count_segment(void *self, const fls_journal_segment *segment)
{
    uint64_t *next = self;
    assert_int_equal(segment->first_ordinal, *next);
    assert_int_equal(segment->end_ordinal, *next + 1);
    ++*next;
    return FLS_OK;
}

/* Calls since the last time, told for each of so many. */
static double told(const char *what, uint64_t each)
{
    double cost = (double)calls_made / (double)each;
    printf("  %-32s %10.2f calls\n", what, cost);
    calls_made = 0;
    return cost;
}

static void read_all(uint64_t segments)
{
    fls_message message;
    calls_made = 0;
    fls_journal_reader *reader = read_many(FLS_JOURNAL_WRITTEN, 0);
    assert_true(told("opening for reading, a segment", segments) < 3);
    for (uint64_t i = 0; i < segments; i++) {
        assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
        check_message(&message, i);
    }
    assert_status(fls_journal_reader_next(reader, &message, &err), FLS_END, &err);
    assert_true(told("reading, a segment", segments) < 40);
    for (uint64_t i = segments; i-- > 0;) {
        assert_status(fls_journal_reader_previous(reader, &message, &err), FLS_OK, &err);
        check_message(&message, i);
    }
    assert_true(told("reading backwards, a segment", segments) < 40);
    fls_journal_reader_close(reader);
}

static void seek_many(uint64_t segments)
{
    fls_message message;
    fls_journal_reader *reader = read_many(FLS_JOURNAL_WRITTEN, 0);
    calls_made = 0;
    for (uint64_t i = 0; i < SEEKS; i++) {
        uint64_t ordinal = i * 7919 % segments;
        assert_status(fls_journal_reader_seek_ordinal(reader, ordinal, &err), FLS_OK, &err);
        assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
        check_message(&message, ordinal);
    }
    assert_true(told("seeking an ordinal", SEEKS) < 60);
    for (uint64_t i = 0; i < SEEKS; i++) {
        uint64_t ordinal = i * 7919 % segments;
        assert_status(fls_journal_reader_seek_ordinal(reader, ordinal, &err), FLS_OK, &err);
        assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
        calls_made = 0;
        assert_status(fls_journal_reader_seek_time(reader, message.time_ns, &err), FLS_OK, &err);
        assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
        check_message(&message, ordinal);
    }
    assert_true(told("seeking a time", 1) < 500);
    fls_journal_reader_close(reader);
}

/* Cursors of a consumer that sets one after each message. */
static void save_many(uint64_t segments)
{
    fls_message message;
    fls_journal_cursor cursor;
    fls_journal_reader *reader = read_many(FLS_JOURNAL_DURABLE, 0);
    assert_status(fls_journal_reader_seek_ordinal(reader, segments / 2, &err), FLS_OK, &err);
    calls_made = 0;
    for (uint64_t i = 0; i < SEEKS; i++) {
        assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
        assert_status(fls_journal_reader_save(reader, "consumer", &err), FLS_OK, &err);
    }
    assert_true(told("reading one and saving a cursor", SEEKS) < 80);
    assert_status(fls_journal_cursor_get(path, "consumer", &cursor, &err), FLS_OK, &err);
    assert_int_equal(cursor.ordinal, segments / 2 + SEEKS);
    assert_int_equal(cursor.epoch, 1);
    assert_status(fls_journal_cursor_remove(path, "consumer", &err), FLS_OK, &err);
    fls_journal_reader_close(reader);
}

static void follow_many(uint64_t segments)
{
    const fls_journal_options limits = FLS_JOURNAL_OPTIONS_INIT;
    fls_message message;
    calls_made = 0;
    fls_journal *journal = open_many(&limits);
    assert_true(told("opening for writing, a segment", segments) < 3);
    fls_journal_reader *reader = read_many(FLS_JOURNAL_WRITTEN, 1);
    assert_status(fls_journal_reader_seek_end(reader, 0, &err), FLS_OK, &err);
    calls_made = 0;
    append_segments(journal, SEEKS);
    assert_true(told("appending, a segment", SEEKS) < 60);
    for (uint64_t i = 0; i < SEEKS; i++) {
        append_segments(journal, 1);
        assert_status(fls_journal_flush(journal, &err), FLS_OK, &err);
    }
    calls_made = 0;
    for (uint64_t i = 0; i < 2 * SEEKS; i++) {
        assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
        check_message(&message, segments + i);
    }
    assert_true(told("following behind, a segment", 2 * SEEKS) < 60);
    for (uint64_t i = 0; i < SEEKS; i++) {
        append_segments(journal, 1);
        assert_status(fls_journal_flush(journal, &err), FLS_OK, &err);
        calls_made = 0;
        assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
        assert_status(fls_journal_reader_next(reader, &message, &err), FLS_WOULD_BLOCK, &err);
    }
    assert_true(told("following at the end, a segment", 1) < 100);
    fls_journal_reader_close(reader);
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
}

static void prune_many(uint64_t segments)
{
    fls_prune_options options = {.struct_bytes = sizeof options, .retain_segments = segments / 2};
    fls_prune_report report = {.struct_bytes = sizeof report};
    fls_journal_info info = FLS_JOURNAL_INFO_INIT;
    uint64_t next = 0;
    calls_made = 0;
    assert_status(flsi_journal_inspect(path, &info, count_segment, &next, counted_calls(), &err),
                  FLS_OK, &err);
    assert_true(told("inspecting, a segment", segments) < 60);
    assert_int_equal(info.segments, next);
    uint64_t all = next;
    assert_status(flsi_journal_prune(path, &options, counted_calls(), &report, &err), FLS_OK, &err);
    assert_int_equal(report.segments, all - segments / 2);
    assert_true(told("pruning, a segment", report.segments) < 40);
    options =
        (fls_prune_options){.struct_bytes = sizeof options, .retain_bytes = info.stored_bytes / 4};
    assert_status(flsi_journal_prune(path, &options, counted_calls(), &report, &err), FLS_OK, &err);
    assert_true(told("pruning by bytes, a segment", segments / 2) < 40);
}

#endif
