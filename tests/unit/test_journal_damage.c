/* A bit that is flipped anywhere in a journal costs no more than the frame that it is in: all other
 * messages are read, with the ordinals that they have, forwards, backwards and from any place. */
#include "flatstream/journal_reader.h"

#include "core/cpu.h"
#include "journal/journal_piece.h"
#include "journal_testing.h"
#include "support/counting_allocator.h"

#define MESSAGES 26

typedef struct lost_log {
    uint64_t lost; /* messages */
    size_t events;
} lost_log;

static void log_lost(void *self, const fls_journal_event *event)
{
    lost_log *log = self;
    if (event->kind == FLS_JOURNAL_EVENT_LOST) {
        assert_non_null(event->fault);
        assert_non_null(event->segment);
        assert_true(event->to_offset >= event->from_offset);
        log->events++;
        log->lost += event->messages;
    }
}

static fls_journal_reader *open_reader(const char *path, int step_over, lost_log *log)
{
    fls_journal_reader *reader;
    fls_error err = FLS_ERROR_INIT;
    fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    options.visibility = FLS_JOURNAL_WRITTEN;
    options.step_over = (uint32_t)step_over;
    options.event = log_lost;
    options.event_self = log;
    assert_status(fls_journal_reader_open(&reader, path, &options, &err), FLS_OK, &err);
    return reader;
}

static void make_journal(hand_journal *journal, int with_marks)
{
    hand_open(journal);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        hand_append(journal);
        if (i % 3 == 2) {
            hand_flush(journal);
        }
        if (i == 9 || i == 10) {
            hand_rotate(journal);
        }
    }
    hand_flush(journal);
    if (!with_marks) {
        const uint64_t firsts[] = {0, 10, 11};
        for (size_t i = 0; i < 3; i++) {
            journal->first_ordinal = firsts[i];
            assert_int_equal(unlink(hand_name(journal, FLSI_NAME_MARKS)), 0);
        }
    }
}

/* The message is what was appended under that ordinal. */
static void assert_original(const fls_message *message, int exact_time)
{
    uint8_t payload[64];
    size_t size = hand_payload(message->ordinal, payload);
    assert_in_range(message->ordinal, 0, MESSAGES - 1);
    assert_int_equal(message->size, size);
    assert_memory_equal(message->payload, payload, size);
    if (exact_time || (message->time_ns != 0 && message->flags == 0)) {
        assert_int_equal(message->time_ns, hand_time(message->ordinal));
    }
}

static uint32_t bit(uint64_t ordinal)
{
    return UINT32_C(1) << ordinal;
}

static uint32_t read_forwards(const char *path, int exact_times)
{
    lost_log log = {0, 0};
    fls_message message;
    fls_status status;
    fls_error err = FLS_ERROR_INIT;
    uint32_t seen = 0;
    uint64_t next = 0;
    fls_journal_reader *reader = open_reader(path, 1, &log);
    while ((status = fls_journal_reader_next(reader, &message, &err)) == FLS_OK) {
        assert_original(&message, exact_times);
        assert_true(message.ordinal >= next);
        next = message.ordinal + 1;
        seen |= bit(message.ordinal);
    }
    assert_status(status, FLS_END, &err);
    assert_int_equal(log.events, log.lost);
    fls_journal_reader_close(reader);
    return seen;
}

static uint32_t read_backwards(const char *path)
{
    lost_log log = {0, 0};
    fls_message message;
    fls_status status;
    fls_error err = FLS_ERROR_INIT;
    uint32_t seen = 0;
    fls_journal_reader *reader = open_reader(path, 1, &log);
    assert_status(fls_journal_reader_seek_end(reader, 0, &err), FLS_OK, &err);
    while ((status = fls_journal_reader_previous(reader, &message, &err)) == FLS_OK) {
        assert_original(&message, 0);
        seen |= bit(message.ordinal);
    }
    assert_status(status, FLS_END, &err);
    fls_journal_reader_close(reader);
    return seen;
}

/* With faults, and fls_journal_reader_skip over them. */
static uint32_t read_and_skip(const char *path, size_t *faults)
{
    lost_log log = {0, 0};
    fls_message message;
    fls_status status;
    fls_error err = FLS_ERROR_INIT;
    uint32_t seen = 0;
    *faults = 0;
    fls_journal_reader *reader = open_reader(path, 0, &log);
    while ((status = fls_journal_reader_next(reader, &message, &err)) != FLS_END) {
        if (status == FLS_OK) {
            assert_original(&message, 0);
            seen |= bit(message.ordinal);
            continue;
        }
        assert_int_equal(fls_status_class_of(status), FLS_CLASS_DAMAGE);
        assert_status(fls_journal_reader_next(reader, &message, &err), status, &err);
        ++*faults;
        status = fls_journal_reader_skip(reader, &err);
        if (status == FLS_END) {
            break;
        }
        assert_status(status, FLS_OK, &err);
    }
    fls_journal_reader_close(reader);
    return seen;
}

static uint32_t seek_to_each(const char *path)
{
    lost_log log = {0, 0};
    fls_message message;
    fls_error err = FLS_ERROR_INIT;
    uint32_t seen = 0;
    fls_journal_reader *reader = open_reader(path, 1, &log);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        assert_status(fls_journal_reader_seek_ordinal(reader, i, &err), FLS_OK, &err);
        fls_status status = fls_journal_reader_next(reader, &message, &err);
        if (status == FLS_OK) {
            assert_original(&message, 0);
            seen |= message.ordinal == i ? bit(i) : 0;
        } else {
            assert_status(status, FLS_END, &err);
        }
    }
    fls_journal_reader_close(reader);
    return seen;
}

typedef struct fault_log {
    size_t faults;
    char file[128];
} fault_log;

static fls_status log_fault(void *self, const char *file, const fls_error *fault)
{
    fault_log *log = self;
    assert_int_not_equal(fault->status, FLS_OK);
    if (strcmp(file, FLSI_MANIFEST_NAME) != 0) { /* journals made by hand have none */
        log->faults++;
        (void)snprintf(log->file, sizeof log->file, "%s", file);
    }
    return FLS_OK;
}

/* The file with the fault is named, and no other. */
static void assert_named(const hand_journal *journal, const char *path, uint64_t sound)
{
    fault_log log = {0, ""};
    fls_error err = FLS_ERROR_INIT;
    fls_journal_check_report report = FLS_JOURNAL_CHECK_REPORT_INIT;
    const fls_journal_check_options options = {
        .struct_bytes = sizeof options, .fault = log_fault, .self = &log};
    assert_status(fls_journal_check(journal->path, &options, &report, &err), FLS_OK, &err);
    assert_int_equal(report.messages, sound);
    assert_int_equal(log.faults, path != NULL);
    if (path != NULL) {
        assert_string_equal(log.file, strrchr(path, '/') + 1);
    }
}

static unsigned count_missing(uint32_t seen)
{
    unsigned missing = 0;
    for (uint64_t i = 0; i < MESSAGES; i++) {
        missing += (seen & bit(i)) == 0;
    }
    return missing;
}

static void flip_everywhere(flsi_name_kind kind, int with_marks)
{
    hand_journal journal;
    make_journal(&journal, with_marks);
    const uint64_t firsts[] = {0, 10, 11};
    const uint32_t all = bit(MESSAGES) - 1;
    assert_int_equal(read_forwards(journal.path, with_marks), all);
    if (with_marks) {
        assert_named(&journal, NULL, MESSAGES);
    }
    for (size_t i = 0; i < 3; i++) {
        byte_buffer file = BYTES_INIT;
        char path[512];
        journal.first_ordinal = firsts[i];
        (void)snprintf(path, sizeof path, "%s", hand_name(&journal, kind));
        assert_int_equal(files_read(path, &file), 0);
        for (size_t at = 0; at < 8 * file.size; at++) {
            file.data[at / 8] ^= (uint8_t)(1u << at % 8);
            files_write(path, file.data, file.size);
            uint32_t seen = read_forwards(journal.path, 0);
            if (kind == FLSI_NAME_MARKS) {
                assert_int_equal(seen, all);
            } else {
                assert_int_equal(count_missing(seen), 1);
            }
            if (at % 8 == at / 8 % 8) { /* one bit of each byte */
                size_t faults;
                assert_int_equal(read_backwards(journal.path), seen);
                assert_int_equal(seek_to_each(journal.path), seen);
                assert_int_equal(read_and_skip(journal.path, &faults), seen);
                assert_true(faults <= 1);
                if (with_marks) {
                    assert_named(&journal, path, MESSAGES - count_missing(seen));
                }
            }
            file.data[at / 8] ^= (uint8_t)(1u << at % 8);
        }
        files_write(path, file.data, file.size);
        bytes_free(&file);
    }
    hand_close(&journal);
}

static void test_flips_in_frames(void **state)
{
    (void)state;
    flip_everywhere(FLSI_NAME_SEGMENT, 1);
}

static void test_flips_in_marks(void **state)
{
    (void)state;
    flip_everywhere(FLSI_NAME_MARKS, 1);
}

static void test_flips_without_marks(void **state)
{
    (void)state;
    flip_everywhere(FLSI_NAME_SEGMENT, 0);
}

/* Without marks all is read, by ordinal and backwards too, and nothing of the last segment is
 * durable. */
static void test_without_marks(void **state)
{
    hand_journal journal;
    fls_journal_reader *reader;
    fls_message message;
    fls_error err = FLS_ERROR_INIT;
    uint64_t first;
    uint64_t end;
    (void)state;
    make_journal(&journal, 0);
    assert_int_equal(read_backwards(journal.path), bit(MESSAGES) - 1);
    assert_int_equal(seek_to_each(journal.path), bit(MESSAGES) - 1);
    assert_status(fls_journal_reader_open(&reader, journal.path, NULL, &err), FLS_OK, &err);
    for (uint64_t i = 0; i < 11; i++) {
        assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
        assert_original(&message, 0);
        assert_int_equal(message.time_ns, 0);
    }
    assert_status(fls_journal_reader_next(reader, &message, &err), FLS_END, &err);
    assert_status(fls_journal_reader_bounds(reader, &first, &end, &err), FLS_OK, &err);
    assert_int_equal(end, 11);
    fls_journal_reader_close(reader);
    hand_close(&journal);
}

/* A segment in the middle is gone. */
static void test_missing_segment(void **state)
{
    hand_journal journal;
    fls_message message;
    fls_error err = FLS_ERROR_INIT;
    lost_log log = {0, 0};
    (void)state;
    make_journal(&journal, 1);
    journal.first_ordinal = 10;
    assert_int_equal(unlink(hand_name(&journal, FLSI_NAME_SEGMENT)), 0);
    fls_journal_reader *reader = open_reader(journal.path, 1, &log);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        if (i != 10) {
            assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
            assert_int_equal(message.ordinal, i);
        }
    }
    assert_int_equal(log.lost, 1);
    fls_journal_reader_close(reader);
    reader = open_reader(journal.path, 0, &log);
    assert_status(fls_journal_reader_seek_ordinal(reader, 10, &err), FLS_OK, &err);
    assert_status(fls_journal_reader_next(reader, &message, &err), FLS_UNEXPECTED_EOF, &err);
    assert_status(fls_journal_reader_skip(reader, &err), FLS_OK, &err);
    assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
    assert_int_equal(message.ordinal, 11);
    fls_journal_reader_close(reader);
    hand_close(&journal);
}

/* What is claimed to be in a segment is not allocated before it has come. */
static void test_claimed_bytes(void **state)
{
    hand_journal journal;
    counting_allocator counting;
    flsi_directory directory;
    flsi_segment_view view;
    flsi_piece piece;
    fls_digest_state digest;
    fls_error err = FLS_ERROR_INIT;
    const flsi_listed_segment listed = {.first_ordinal = 0, .has_plain = 1};
    const flsi_place first = {0};
    const flsi_piece_end end = {UINT64_C(1) << 40, MESSAGES};
    (void)state;
    make_journal(&journal, 1);
    counting_allocator_init(&counting);
    assert_status(flsi_directory_open(&directory, journal.path, 0, NULL, &err), FLS_OK, &err);
    assert_status(flsi_digest_init(&digest, FLS_CHECKSUM_XXH3, NULL, flsi_cpu_features(), &err),
                  FLS_OK, &err);
    assert_status(
        flsi_view_open(&view, &directory, &listed, &digest, 1u << 20, &counting.table, &err),
        FLS_OK, &err);
    flsi_piece_init(&piece, &counting.table);
    assert_status(flsi_piece_read(&piece, &view, &first, &end, &err), FLS_OK, &err);
    assert_true(piece.count > 0);
    assert_true(counting.peak_bytes < 4u << 20);
    flsi_piece_fini(&piece);
    flsi_view_shut(&view);
    flsi_directory_close(&directory);
    assert_int_equal(counting.live_bytes, 0);
    hand_close(&journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_claimed_bytes),  cmocka_unit_test(test_flips_in_frames),
        cmocka_unit_test(test_flips_in_marks), cmocka_unit_test(test_flips_without_marks),
        cmocka_unit_test(test_without_marks),  cmocka_unit_test(test_missing_segment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
