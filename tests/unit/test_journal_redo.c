/* The redo log: what it has and the segment lacks comes back, what is damaged or another's does
 * not, and without it opening says what is missing.
 */
#include "journal/journal_redo.h"

#include <stdio.h>

#include "flatstream/frame.h"
#include "flatstream/journal_reader.h"
#include "journal/journal_marks.h"
#include "support/files.h"
#include "support/testing.h"

#define MESSAGES 40

static char path[256];
static fls_error err;
static byte_buffer frames; /* of the segment, whole */
static byte_buffer marks;
static byte_buffer redo;
static byte_buffer manifest;
static uint64_t base_offset; /* of the newest DURABLE record */
static uint64_t base_ordinal;
static uint64_t base_marks; /* where it ends in the marks */

static const char *in_journal(const char *name)
{
    return files_join(path, name);
}

static fls_journal_options always(void)
{
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    options.sync = FLS_JOURNAL_SYNC_ALWAYS;
    options.polled = 1;
    return options;
}

static void append_some(fls_journal *journal, int count)
{
    static const uint8_t payload[60] = {7};
    for (int i = 0; i < count; i++) {
        assert_status(fls_journal_append(journal, payload, 20 + (size_t)i, NULL, &err), FLS_OK,
                      &err);
    }
    assert_int_equal(fls_journal_durable(journal), fls_journal_next_ordinal(journal));
}

static void read_marks(void)
{
    flsi_marks_walk walk;
    flsi_record record;
    base_offset = 0;
    assert_int_equal(flsi_marks_walk_begin(&walk, marks.data, marks.size, NULL), FLS_OK);
    while (flsi_marks_walk_next(&walk, &record, NULL) == FLS_OK) {
        if (record.type == FLSI_RECORD_DURABLE) {
            base_offset = record.offset;
            base_ordinal = record.ordinal;
            base_marks = walk.frame_end;
        }
    }
    assert_true(base_offset > 0 && walk.logged_ordinal == MESSAGES - 1);
}

/* A journal whose writer died, all of it in its files and the later part in the log also. */
static void make(void)
{
    fls_journal *journal;
    fls_journal_options options = always();
    files_make_directory(path, sizeof path);
    assert_status(fls_journal_open(&journal, path, &options, NULL, &err), FLS_OK, &err);
    append_some(journal, MESSAGES - 1);
    append_some(journal, 1);
    fls_journal_abandon(journal);
    frames = marks = redo = manifest = (byte_buffer)BYTES_INIT;
    assert_int_equal(files_read(in_journal("00000000000000000000.fls"), &frames), 0);
    assert_int_equal(files_read(in_journal("00000000000000000000.flm"), &marks), 0);
    assert_int_equal(files_read(in_journal("REDO"), &redo), 0);
    assert_int_equal(files_read(in_journal("journal.json"), &manifest), 0);
    marks.size -= FLSI_MARKS_HEADER_BYTES + FLSI_RECORD_BYTES; /* the last LOGGED */
    read_marks();
}

static void unmake(void)
{
    bytes_free(&frames);
    bytes_free(&marks);
    bytes_free(&redo);
    bytes_free(&manifest);
    files_remove_directory(path);
}

/* As it was made; or as power loss leaves it: the segment ends with what was synced in it, and with
 * 2 the marks also. */
static void restore(int is_lost)
{
    files_remove_directory(path);
    files_make_directory(path, sizeof path);
    files_write(in_journal("00000000000000000000.fls"), frames.data,
                is_lost ? (size_t)base_offset : frames.size);
    files_write(in_journal("00000000000000000000.flm"), marks.data,
                is_lost == 2 ? (size_t)base_marks - 44 : marks.size);
    files_write(in_journal("REDO"), redo.data, redo.size);
    files_write(in_journal("journal.json"), manifest.data, manifest.size);
}

static fls_status open_again(uint64_t *messages, fls_journal_report *report)
{
    fls_journal *journal;
    fls_journal_options options = always();
    fls_status status = fls_journal_open(&journal, path, &options, report, &err);
    *messages = status == FLS_OK ? fls_journal_next_ordinal(journal) : 0;
    if (status == FLS_OK) {
        assert_int_equal(fls_journal_durable(journal), *messages);
        append_some(journal, 10);
        assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
        assert_false(files_exist(in_journal("REDO")));
    }
    return status;
}

static uint64_t count_messages(fls_journal_visibility visibility)
{
    fls_journal_reader *reader;
    fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    fls_message message;
    uint64_t count = 0;
    options.visibility = visibility;
    assert_status(fls_journal_reader_open(&reader, path, &options, &err), FLS_OK, &err);
    while (fls_journal_reader_next(reader, &message, &err) == FLS_OK) {
        assert_int_equal(message.ordinal, count);
        count++;
    }
    fls_journal_reader_close(reader);
    return count;
}

static void test_comes_back(void **state)
{
    (void)state;
    uint64_t messages;
    fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
    make();
    for (uint64_t size = base_offset; size <= frames.size; size += 13) {
        restore(1);
        files_write(in_journal("00000000000000000000.fls"), frames.data, (size_t)size);
        assert_true(count_messages(FLS_JOURNAL_WRITTEN) >= base_ordinal);
        assert_true(count_messages(FLS_JOURNAL_DURABLE) >= base_ordinal);
        assert_status(open_again(&messages, &report), FLS_OK, &err);
        assert_int_equal(messages, MESSAGES);
        assert_int_equal(count_messages(FLS_JOURNAL_DURABLE), MESSAGES + 10);
    }
    unmake();
}

/* Marks lost as far as they were not synced: their part comes back, with every message's time. */
static void test_marks_come_back(void **state)
{
    (void)state;
    uint64_t messages;
    fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
    make();
    restore(1);
    files_write(in_journal("00000000000000000000.flm"), marks.data, (size_t)base_marks - 44);
    assert_status(open_again(&messages, &report), FLS_OK, &err);
    assert_int_equal(messages, MESSAGES);
    fls_journal_reader *reader;
    fls_message message;
    assert_status(fls_journal_reader_open(&reader, path, NULL, &err), FLS_OK, &err);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
        assert_true(message.time_ns != 0 && (message.flags & FLS_MESSAGE_TIME_ESTIMATED) == 0);
    }
    fls_journal_reader_close(reader);
    unmake();
}

/* With the files whole, no bit of the log matters; without, each that is hit is told of. */
static void test_flips(void **state)
{
    (void)state;
    uint64_t messages;
    size_t used = 0;
    size_t size;
    flsi_redo_entry entry;
    size_t refused = 0;
    make();
    while (flsi_redo_decode(&entry, redo.data + used, redo.size - used, &size) == FLS_OK) {
        used += size;
    }
    assert_true(used > 1000 && used < redo.size);
    for (size_t at = 0; at < used; at += 29) {
        for (int is_lost = 0; is_lost < 3; is_lost++) {
            redo.data[at] ^= (uint8_t)(1u << (at % 8));
            restore(is_lost);
            redo.data[at] ^= (uint8_t)(1u << (at % 8));
            fls_status status = open_again(&messages, NULL);
            if (!is_lost || status == FLS_OK) {
                assert_status(status, FLS_OK, &err);
                assert_true(messages >= MESSAGES - 1); /* the last was not said to be durable */
                continue;
            }
            assert_int_equal(status, FLS_CHECKSUM_MISMATCH);
            assert_true((err.known & FLS_ERROR_OFFSET) != 0 && err.offset >= base_offset);
            byte_buffer after = BYTES_INIT;
            assert_int_equal(files_read(in_journal("journal.json"), &after), 0);
            assert_int_equal(after.size, manifest.size);
            assert_memory_equal(after.data, manifest.data, manifest.size);
            bytes_free(&after);
            refused++;
        }
    }
    assert_true(refused > used / 29);
    redo.data[20] ^= 1;
    restore(2);
    assert_status(fls_journal_rebuild(path, NULL, &err), FLS_OK, &err);
    assert_false(files_exist(in_journal("REDO")));
    assert_true(files_exist(in_journal("cut/0000000001-00000000000000000000.redo")));
    unmake();
}

/* A reader that comes before the writer waits for what only the log has, and tells of no loss. */
static void see_event(void *self, const fls_journal_event *event)
{
    *(int *)self += event->kind == FLS_JOURNAL_EVENT_LOST;
}

static void test_reader_before_writer(void **state)
{
    (void)state;
    uint64_t messages;
    int losses = 0;
    uint64_t count = 0;
    fls_journal_reader *reader;
    fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    fls_message message;
    make();
    restore(1);
    options.visibility = FLS_JOURNAL_DURABLE;
    options.step_over = 1;
    options.follow = 1;
    options.event = see_event;
    options.event_self = &losses;
    assert_status(fls_journal_reader_open(&reader, path, &options, &err), FLS_OK, &err);
    while (fls_journal_reader_next(reader, &message, &err) == FLS_OK) {
        assert_int_equal(message.ordinal, count++);
    }
    assert_int_equal(err.status, FLS_WOULD_BLOCK);
    assert_int_equal(count, base_ordinal);
    assert_status(open_again(&messages, NULL), FLS_OK, &err);
    while (fls_journal_reader_next(reader, &message, &err) == FLS_OK) {
        assert_int_equal(message.ordinal, count++);
    }
    assert_int_equal(err.status, FLS_WOULD_BLOCK);
    assert_int_equal(count, MESSAGES + 10);
    assert_int_equal(losses, 0);
    fls_journal_reader_close(reader);
    unmake();
}

/* Without the log opening refuses, and rebuilding leaves what there is. */
static void test_lost(void **state)
{
    (void)state;
    uint64_t messages;
    make();
    restore(1);
    (void)remove(in_journal("REDO"));
    assert_status(open_again(&messages, NULL), FLS_CHECKSUM_MISMATCH, &err);
    assert_int_equal(count_messages(FLS_JOURNAL_WRITTEN), base_ordinal);
    assert_status(fls_journal_rebuild(path, NULL, &err), FLS_OK, &err);
    assert_status(open_again(&messages, NULL), FLS_OK, &err);
    assert_int_equal(messages, base_ordinal);
    unmake();
}

/* A log without a manifest is used all the same. */
static void test_rebuilt(void **state)
{
    (void)state;
    uint64_t messages;
    make();
    restore(1);
    (void)remove(in_journal("journal.json"));
    assert_status(fls_journal_rebuild(path, NULL, &err), FLS_OK, &err);
    assert_status(open_again(&messages, NULL), FLS_OK, &err);
    assert_int_equal(messages, MESSAGES);
    unmake();
}

/* One of another epoch, whose writer's segment went on since, is not used. */
static void test_other_epoch(void **state)
{
    (void)state;
    uint64_t messages;
    make();
    restore(0);
    assert_status(open_again(&messages, NULL), FLS_OK, &err);
    assert_int_equal(messages, MESSAGES);
    files_write(in_journal("REDO"), redo.data, redo.size);
    assert_status(open_again(&messages, NULL), FLS_OK, &err);
    assert_int_equal(messages, MESSAGES + 10);
    assert_int_equal(count_messages(FLS_JOURNAL_DURABLE), MESSAGES + 20);
    unmake();
}

static void test_full_again_and_again(void **state)
{
    (void)state;
    static const uint8_t payload[700] = {3};
    fls_journal *journal;
    fls_journal_options options = always();
    fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
    files_make_directory(path, sizeof path);
    options.segment_bytes = 65536;
    assert_status(fls_journal_open(&journal, path, &options, NULL, &err), FLS_OK, &err);
    for (int i = 0; i < 1000; i++) {
        assert_status(fls_journal_append(journal, payload, 1 + (size_t)(i * 37) % 700, NULL, &err),
                      FLS_OK, &err);
    }
    assert_true(files_exist(in_journal("REDO")));
    fls_journal_abandon(journal);
    assert_status(fls_journal_open(&journal, path, &options, &report, &err), FLS_OK, &err);
    assert_int_equal(report.messages, 1000);
    assert_int_equal(report.cut_bytes, 0);
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
    options.no_redo = 1;
    assert_status(fls_journal_open(&journal, path, &options, NULL, &err), FLS_OK, &err);
    append_some(journal, 30);
    assert_false(files_exist(in_journal("REDO")));
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
    files_remove_directory(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comes_back),  cmocka_unit_test(test_marks_come_back),
        cmocka_unit_test(test_flips),       cmocka_unit_test(test_reader_before_writer),
        cmocka_unit_test(test_lost),        cmocka_unit_test(test_rebuilt),
        cmocka_unit_test(test_other_epoch), cmocka_unit_test(test_full_again_and_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
