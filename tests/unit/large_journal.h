/* A journal of any size that takes little room: one segment is written by the library, and every
 * other one has the same frames under a name of its own (a second link to the file) and marks of
 * its own, moved on by ordinals and times. Frames do not say which message they are, so that this
 * is sound. It begins below 2^32 messages and ends above. For one program that includes it once.
 */
#ifndef TESTS_UNIT_LARGE_JOURNAL_H
#define TESTS_UNIT_LARGE_JOURNAL_H

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "flatstream/journal_reader.h"
#include "journal/journal_private.h"
#include "support/files.h"
#include "support/prng.h"
#include "support/testing.h"

#define PAYLOAD_BYTES 1012u
#define FRAME_BYTES   1024u
#define STEP_NS       1000u

static char path[256];
static fls_error err;
static uint64_t per_segment;
static uint64_t segment_count;
static uint64_t first_ordinal;
static uint64_t end_ordinal;
static uint64_t first_time; /* of the first message; each comes STEP_NS after the one before */

static void fill_payload(uint8_t payload[PAYLOAD_BYTES], uint64_t local)
{
    prng random = prng_seeded(local);
    memcpy(payload, &local, sizeof local);
    for (size_t i = sizeof local; i + 4 <= PAYLOAD_BYTES; i += 4) {
        uint32_t word = (uint32_t)prng_next(&random) & 0x3f3f3f3f;
        memcpy(payload + i, &word, sizeof word);
    }
}

static uint64_t time_of(uint64_t ordinal)
{
    return first_time + (ordinal - first_ordinal) * STEP_NS;
}

static const char *name_of(flsi_name_kind kind, uint64_t ordinal)
{
    char name[FLSI_NAME_BYTES];
    flsi_name_format(name, kind, ordinal);
    return files_join(path, name);
}

/* One segment, by the library, ordinals from 0 on; what follows it is taken away. */
static void write_first(void)
{
    fls_journal *journal;
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    static uint8_t payload[PAYLOAD_BYTES];
    options.polled = 1;
    options.sync = FLS_JOURNAL_SYNC_NONE;
    options.segment_bytes = UINT64_MAX;
    assert_status(fls_journal_open(&journal, path, &options, NULL, &err), FLS_OK, &err);
    first_time = journal->segment.begun_ns + 1;
    first_ordinal = 0;
    for (uint64_t i = 0; i < per_segment; i++) {
        const fls_journal_entry entry = {payload, sizeof payload, time_of(i)};
        fill_payload(payload, i);
        assert_status(fls_journal_append_batch(journal, &entry, 1, NULL, NULL, &err), FLS_OK, &err);
    }
    assert_status(fls_journal_rotate(journal, &err), FLS_OK, &err);
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
    assert_int_equal(files_size(name_of(FLSI_NAME_SEGMENT, 0)), per_segment * FRAME_BYTES);
    assert_int_equal(unlink(name_of(FLSI_NAME_SEGMENT, per_segment)), 0);
    assert_int_equal(unlink(name_of(FLSI_NAME_MARKS, per_segment)), 0);
}

static void move_record(flsi_record *record, uint64_t ordinal, uint64_t time_ns)
{
    record->ordinal += ordinal;
    record->time_ns += record->type == FLSI_RECORD_DURABLE ? 0 : time_ns;
    record->value += record->type == FLSI_RECORD_CLOCK ? time_ns : 0;
}

/* The first segment's marks as those of another one. */
static void write_marks(const byte_buffer *marks, uint64_t ordinal, uint64_t time_ns)
{
    flsi_marks_walk walk;
    flsi_marks_builder built;
    flsi_record record;
    size_t frame = 0;
    fls_status status;
    flsi_marks_builder_init(&built, fls_allocator_libc());
    assert_status(flsi_marks_walk_begin(&walk, marks->data, marks->size, &err), FLS_OK, &err);
    while ((status = flsi_marks_walk_next(&walk, &record, &err)) == FLS_OK) {
        if (walk.frame != frame) {
            flsi_marks_close_frame(&built);
            frame = walk.frame;
        }
        move_record(&record, ordinal, time_ns);
        assert_status(flsi_marks_reserve(&built, 2 + record.small / FLSI_RECORD_BYTES, 0, &err),
                      FLS_OK, &err);
        flsi_marks_add(&built, &record, record.data);
    }
    assert_status(status, FLS_END, &err);
    flsi_marks_close_frame(&built);
    files_write(name_of(FLSI_NAME_MARKS, ordinal), built.frames, built.size);
    flsi_marks_builder_fini(&built);
}

/* NULL, or why it cannot be. */
static const char *make_large(uint64_t segments, uint64_t messages, uint64_t room)
{
    struct statvfs disk;
    byte_buffer marks = BYTES_INIT;
    segment_count = segments;
    per_segment = messages;
    files_make_directory(path, sizeof path);
    if (statvfs(path, &disk) != 0 || (uint64_t)disk.f_bavail * disk.f_frsize < room) {
        return "there is too little room";
    }
    write_first();
    first_ordinal = (UINT64_C(1) << 32) - segments / 2 * messages - 7;
    end_ordinal = first_ordinal + segments * messages;
    assert_int_equal(files_read(name_of(FLSI_NAME_MARKS, 0), &marks), 0);
    for (uint64_t i = 0; i < segments; i++) {
        uint64_t ordinal = first_ordinal + i * messages;
        if (link(name_of(FLSI_NAME_SEGMENT, 0), name_of(FLSI_NAME_SEGMENT, ordinal)) != 0) {
            return "files cannot have so many names there";
        }
        write_marks(&marks, ordinal, i * messages * STEP_NS);
    }
    assert_int_equal(unlink(name_of(FLSI_NAME_SEGMENT, 0)), 0);
    assert_int_equal(unlink(name_of(FLSI_NAME_MARKS, 0)), 0);
    bytes_free(&marks);
    return NULL;
}

/* ---- what is in it ---- */

static void check_large(const fls_message *message, uint64_t ordinal)
{
    uint8_t payload[PAYLOAD_BYTES];
    uint64_t local = (ordinal - first_ordinal) % per_segment;
    fill_payload(payload, local);
    assert_int_equal(message->ordinal, ordinal);
    assert_int_equal(message->size, sizeof payload);
    assert_memory_equal(message->payload, payload, sizeof payload);
    assert_int_equal(message->offset, local * FRAME_BYTES);
    assert_int_equal(message->time_ns, time_of(ordinal));
    assert_false(message->flags & FLS_MESSAGE_TIME_ESTIMATED);
}

static void next_is(fls_journal_reader *reader, uint64_t ordinal)
{
    fls_message message;
    assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
    check_large(&message, ordinal);
}

static int ordinal_as_key(void *self, const fls_message *message, int64_t *key)
{
    (void)self;
    *key = (int64_t)message->ordinal;
    return 0;
}

static void seek_every_way(fls_journal_reader *reader, uint64_t ordinal)
{
    fls_message message;
    assert_status(fls_journal_reader_seek_ordinal(reader, ordinal, &err), FLS_OK, &err);
    next_is(reader, ordinal);
    assert_status(fls_journal_reader_seek_time(reader, time_of(ordinal), &err), FLS_OK, &err);
    next_is(reader, ordinal);
    assert_status(fls_journal_reader_seek_time(reader, time_of(ordinal) - 1, &err), FLS_OK, &err);
    assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
    check_large(&message, ordinal);
    assert_status(fls_journal_reader_seek_end(reader, end_ordinal - ordinal, &err), FLS_OK, &err);
    assert_int_equal(fls_journal_reader_ordinal(reader), ordinal);
    if (ordinal > first_ordinal) {
        assert_status(fls_journal_reader_previous(reader, &message, &err), FLS_OK, &err);
        check_large(&message, ordinal - 1);
    }
}

static void seek_large(unsigned seeks)
{
    fls_journal_reader *reader;
    prng random = prng_seeded(100);
    uint64_t first;
    uint64_t end;
    const fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    assert_status(fls_journal_reader_open(&reader, path, &options, &err), FLS_OK, &err);
    assert_status(fls_journal_reader_bounds(reader, &first, &end, &err), FLS_OK, &err);
    assert_int_equal(first, first_ordinal);
    assert_int_equal(end, end_ordinal);
    for (unsigned i = 0; i < seeks; i++) {
        seek_every_way(reader, first + prng_below(&random, end - first));
    }
    for (uint64_t i = 0; i < segment_count; i++) { /* and where segments meet */
        seek_every_way(reader, first + i * per_segment);
        seek_every_way(reader, first + (i + 1) * per_segment - 1);
    }
    for (uint64_t ordinal = (UINT64_C(1) << 32) - 2; ordinal < (UINT64_C(1) << 32) + 2; ordinal++) {
        seek_every_way(reader, ordinal);
    }
    for (unsigned i = 0; i < 20; i++) {
        uint64_t ordinal = first + prng_below(&random, end - first);
        assert_status(
            fls_journal_reader_seek_key(reader, ordinal_as_key, NULL, (int64_t)ordinal, &err),
            FLS_OK, &err);
        next_is(reader, ordinal);
    }
    /* Over 2^32, from the segment before to the one behind. */
    uint64_t middle = first + segment_count / 2 * per_segment;
    assert_status(fls_journal_reader_seek_ordinal(reader, middle - 9, &err), FLS_OK, &err);
    for (uint64_t ordinal = middle - 9; ordinal < middle + per_segment + 9; ordinal++) {
        next_is(reader, ordinal);
    }
    fls_journal_reader_close(reader);
}

static void inspect_large(void)
{
    fls_journal_info info = FLS_JOURNAL_INFO_INIT;
    assert_status(fls_journal_inspect(path, &info, NULL, NULL, &err), FLS_OK, &err);
    assert_int_equal(info.segments, segment_count);
    assert_int_equal(info.bytes, segment_count * per_segment * FRAME_BYTES);
    assert_int_equal(info.first_ordinal, first_ordinal);
    assert_int_equal(info.end_ordinal, end_ordinal);
    assert_int_equal(info.durable_ordinal, end_ordinal);
    assert_int_equal(info.first_time_ns, first_time);
    assert_int_equal(info.last_time_ns, time_of(end_ordinal - 1));
    printf("  %" PRIu64 " segments, %.1f GiB, ordinals %" PRIu64 " to %" PRIu64 "\n", info.segments,
           (double)info.bytes / 1073741824.0, info.first_ordinal, info.end_ordinal);
}

typedef struct retired {
    uint64_t messages;
    uint64_t ordinal;
} retired;

static void see_retired(void *self, const fls_journal_event *event)
{
    retired *seen = self;
    if (event->kind == FLS_JOURNAL_EVENT_RETIRED) {
        seen->messages += event->messages;
        seen->ordinal = event->ordinal;
    } else {
        assert_int_equal(event->kind, FLS_JOURNAL_EVENT_EPOCH);
    }
}

/* A writer goes on behind it all, and a follower, a cursor and retention see it. */
static void go_on_large(void)
{
    fls_journal *journal;
    fls_journal_reader *reader;
    fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    fls_journal_reader_options reading = FLS_JOURNAL_READER_OPTIONS_INIT;
    fls_journal_figures figures = FLS_JOURNAL_FIGURES_INIT;
    fls_journal_cursor cursor;
    fls_message message;
    retired seen = {0, 0};
    uint64_t ordinal = 0;
    uint64_t held = first_ordinal + per_segment + 5;
    reading.follow = 1;
    reading.event = see_retired;
    reading.event_self = &seen;
    options.polled = 1;
    options.segment_bytes = UINT64_MAX;
    assert_status(fls_journal_open(&journal, path, &options, &report, &err), FLS_OK, &err);
    assert_true(report.was_clean);
    assert_int_equal(report.messages, end_ordinal);
    assert_status(fls_journal_reader_open(&reader, path, &reading, &err), FLS_OK, &err);
    next_is(reader, first_ordinal);
    assert_status(fls_journal_append(journal, "x", 1, &ordinal, &err), FLS_OK, &err);
    assert_int_equal(ordinal, end_ordinal);
    assert_status(fls_journal_sync_now(journal, &err), FLS_OK, &err);
    fls_journal_get_figures(journal, &figures);
    assert_int_equal(figures.segments, segment_count + 1);
    assert_in_range(figures.bytes, segment_count * per_segment * FRAME_BYTES, UINT64_MAX);

    assert_status(fls_journal_cursor_set(path, "slow", held, &err), FLS_OK, &err);
    assert_status(fls_journal_cursor_get(path, "slow", &cursor, &err), FLS_OK, &err);
    assert_int_equal(cursor.ordinal, held);
    fls_prune_options prune = {.struct_bytes = sizeof prune,
                               .before_ordinal = (UINT64_C(1) << 32) + 1};
    fls_prune_report pruned = {.struct_bytes = sizeof pruned};
    assert_status(fls_journal_prune(path, &prune, &pruned, &err), FLS_OK, &err);
    assert_int_equal(pruned.segments, 1);
    assert_true(pruned.held);
    prune.cursor_lag_messages = end_ordinal - held;
    assert_status(fls_journal_prune(path, &prune, &pruned, &err), FLS_OK, &err);
    assert_int_equal(pruned.segments, segment_count / 2 - 1);
    uint64_t oldest = pruned.first_ordinal;
    assert_int_equal(oldest, first_ordinal + segment_count / 2 * per_segment);
    fls_journal_get_figures(journal, &figures);
    assert_int_equal(figures.segments, segment_count + 1 - segment_count / 2);
    assert_int_equal(figures.first_ordinal, oldest);

    /* The segment that is open is read to its end, what comes then is a gap. */
    for (uint64_t i = 1; i < per_segment; i++) {
        next_is(reader, first_ordinal + i);
    }
    next_is(reader, oldest);
    assert_int_equal(seen.messages, oldest - first_ordinal - per_segment);
    assert_int_equal(seen.ordinal, oldest);
    assert_status(fls_journal_reader_seek_ordinal(reader, end_ordinal, &err), FLS_OK, &err);
    assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
    assert_int_equal(message.ordinal, end_ordinal);
    assert_in_range(message.time_ns, time_of(end_ordinal - 1), UINT64_MAX);
    assert_status(fls_journal_reader_next(reader, &message, &err), FLS_WOULD_BLOCK, &err);
    assert_status(fls_journal_append(journal, "y", 1, &ordinal, &err), FLS_OK, &err);
    assert_status(fls_journal_sync_now(journal, &err), FLS_OK, &err);
    assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
    assert_int_equal(message.ordinal, end_ordinal + 1);
    fls_journal_reader_close(reader);
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
}

static fls_status no_fault(void *self, const char *file, const fls_error *fault)
{
    (void)self;
    assert_status(fault->status, FLS_OK, fault);
    fail_msg("a fault without a status in %s", file);
    return FLS_OK;
}

/* Retention by bytes, and a look at every byte of what is left. */
static void prune_and_check_large(uint64_t segments_left)
{
    fls_journal_info info = FLS_JOURNAL_INFO_INIT;
    fls_journal_check_report report = FLS_JOURNAL_CHECK_REPORT_INIT;
    fls_prune_report pruned = {.struct_bytes = sizeof pruned};
    assert_status(fls_journal_inspect(path, &info, NULL, NULL, &err), FLS_OK, &err);
    uint64_t each = info.bytes / (info.segments - 1);
    fls_prune_options prune = {
        .struct_bytes = sizeof prune, .retain_bytes = (segments_left + 1) * each, .force = 1};
    assert_status(fls_journal_prune(path, &prune, &pruned, &err), FLS_OK, &err);
    assert_int_equal(info.segments - pruned.segments, segments_left + 1); /* and the last, small */
    const fls_journal_check_options options = {.struct_bytes = sizeof options, .fault = no_fault};
    assert_status(fls_journal_check(path, &options, &report, &err), FLS_OK, &err);
    assert_int_equal(report.messages, segments_left * per_segment + 2);
    assert_int_equal(report.lost, 0);
}

static void remove_large(void)
{
    files_remove_directory(path);
}

#endif
