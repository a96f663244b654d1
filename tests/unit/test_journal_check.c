/* What a check says of journals that are odd, and of files that are not the journal's. */
#include <errno.h>
#include <sys/stat.h>

#include "journal/journal_reader_private.h"
#include "journal_testing.h"
#include "os/os_calls.h"

static fls_error err;
static flsi_os_calls calls;

typedef struct fault_log {
    size_t faults;
    size_t most; /* faults to be told; the last one is answered with `answer` */
    fls_status answer;
    char file[128];
    char text[sizeof((fls_error *)NULL)->text];
} fault_log;

static fls_status log_fault(void *self, const char *file, const fls_error *fault)
{
    fault_log *log = self;
    assert_true(log->faults < log->most);
    log->faults++;
    (void)snprintf(log->file, sizeof log->file, "%s", file);
    (void)snprintf(log->text, sizeof log->text, "%s", fault->text);
    return log->faults == log->most ? log->answer : FLS_OK;
}

static fls_status check(const hand_journal *journal, fault_log *log)
{
    fls_journal_check_report report = FLS_JOURNAL_CHECK_REPORT_INIT;
    const fls_journal_check_options options = {
        .struct_bytes = sizeof options, .fault = log_fault, .self = log};
    log->faults = 0;
    fls_status status = flsi_journal_check(journal->path, &options, &calls, &report, &err);
    assert_int_equal(report.faults, log->faults);
    return status;
}

static void expect(const hand_journal *journal, size_t faults, const char *file, const char *text)
{
    fault_log log = {.most = faults};
    assert_status(check(journal, &log), FLS_OK, &err);
    assert_int_equal(log.faults, faults);
    if (faults > 0) {
        assert_string_equal(log.file, file);
        assert_string_equal(log.text, text);
    }
}

/* Two segments of five messages each. */
static void make(hand_journal *journal)
{
    calls = *flsi_os_calls_system();
    hand_open(journal);
    hand_manifest(journal);
    for (int i = 0; i < 5; i++) {
        hand_append(journal);
    }
    hand_rotate(journal);
    for (int i = 0; i < 5; i++) {
        hand_append(journal);
    }
    hand_flush(journal);
    expect(journal, 0, NULL, NULL);
}

static void test_marks_of_another_journal(void **state)
{
    (void)state;
    hand_journal journal;
    make(&journal);
    byte_buffer file = BYTES_INIT;
    journal.first_ordinal = 0;
    assert_int_equal(files_read(hand_name(&journal, FLSI_NAME_MARKS), &file), 0);
    const struct {
        size_t byte; /* of the header's record, which is the first frame */
        uint8_t value;
        const char *text;
    } wrong[] = {
        {16, 1, "these marks are of another segment"},
        {8, 8, "these marks are of another journal"},
        {2, FLS_CHECKSUM_CRC32, "these marks and the manifest name different checksums"},
    };
    for (size_t i = 0; i < 3; i++) {
        uint8_t *record = file.data + 12;
        uint8_t before = record[wrong[i].byte];
        record[wrong[i].byte] = wrong[i].value;
        flsi_store_le64(file.data + 4,
                        fls_checksum_digest(FLS_CHECKSUM_XXH3, record, flsi_load_le32(file.data)));
        files_write(hand_name(&journal, FLSI_NAME_MARKS), file.data, file.size);
        fault_log log = {.most = 100};
        assert_status(check(&journal, &log), FLS_OK, &err);
        assert_true(log.faults > 0);
        log.most = 1;
        log.answer = FLS_STOPPED; /* with the first one */
        assert_int_equal(check(&journal, &log), FLS_STOPPED);
        assert_string_equal(log.text, wrong[i].text);
        record[wrong[i].byte] = before;
    }
    bytes_free(&file);
    hand_close(&journal);
}

/* Who asks for the end gets it, whatever status says so. */
static void test_ended_by_any_status(void **state)
{
    (void)state;
    const fls_status answers[] = {FLS_END, FLS_STOPPED, FLS_UNEXPECTED_EOF, FLS_NO_MEMORY};
    hand_journal journal;
    make(&journal);
    byte_buffer file = BYTES_INIT;
    for (uint64_t first = 0; first < 10; first += 5) { /* a fault in each file of marks */
        journal.first_ordinal = first;
        assert_int_equal(files_read(hand_name(&journal, FLSI_NAME_MARKS), &file), 0);
        file.data[file.size - 1] ^= 1;
        files_write(hand_name(&journal, FLSI_NAME_MARKS), file.data, file.size);
        bytes_clear(&file);
    }
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        fault_log log = {.most = 1, .answer = answers[i]};
        assert_int_equal(check(&journal, &log), answers[i]);
        assert_int_equal(log.faults, 1);
    }
    bytes_free(&file);
    hand_close(&journal);
}

/* A damaged frame is why the durable mark behind it does not prove itself: one fault, not two. */
static void test_the_last_durable_frame(void **state)
{
    (void)state;
    hand_journal journal;
    uint8_t payload[64];
    make(&journal);
    uint32_t bytes = (uint32_t)(12 + hand_payload(journal.next_ordinal - 1, payload));
    flsi_record durable = {.type = FLSI_RECORD_DURABLE,
                           .small = bytes,
                           .ordinal = journal.next_ordinal,
                           .offset = journal.frames.size};
    durable.value = fls_checksum_digest(FLS_CHECKSUM_XXH3,
                                        journal.frames.data + journal.frames.size - bytes, bytes);
    hand_mark(&journal, &durable, NULL);
    hand_flush_marks(&journal);
    expect(&journal, 0, NULL, NULL);
    hand_append_file(hand_name(&journal, FLSI_NAME_SEGMENT), "\xFF", 1, journal.frames.size - 1);
    fault_log log = {.most = 2};
    assert_status(check(&journal, &log), FLS_OK, &err);
    assert_int_equal(log.faults, 1);
    assert_string_equal(log.file, "00000000000000000005.fls");
    hand_close(&journal);
}

static void test_names_that_are_not_the_journals(void **state)
{
    (void)state;
    hand_journal journal;
    make(&journal);
    const char *schemas = files_join(journal.path, "schemas");
    char directory[300];
    (void)snprintf(directory, sizeof directory, "%s", schemas);
    assert_int_equal(mkdir(directory, 0777), 0);
    assert_int_equal(mkdir(files_join(directory, "old"), 0777), 0);
    files_write(files_join(directory, "README"), "x", 1);
    files_write(files_join(directory, "0123456789abcdef.bfbs~"), "x", 1);
    journal.first_ordinal = UINT64_MAX; /* no message can be so called */
    files_write(hand_name(&journal, FLSI_NAME_SEGMENT), "", 0);
    expect(&journal, 0, NULL, NULL);
    fls_journal_info info = FLS_JOURNAL_INFO_INIT;
    assert_status(fls_journal_inspect(journal.path, &info, NULL, NULL, &err), FLS_OK, &err);
    assert_int_equal(info.segments, 2);
    assert_int_equal(info.end_ordinal, 10);
    files_write(files_join(directory, "0123456789abcdef.bfbs"), "x", 1);
    fault_log log = {.most = 1};
    assert_status(check(&journal, &log), FLS_OK, &err);
    assert_string_equal(log.file, "schemas/0123456789abcdef.bfbs");
    hand_close(&journal);
}

/* Half a frame is a fault, but not while a writer is there, when ever it came. */
static int locks;
static int locked_from;

static int lock_of_another(int fd, int operation)
{
    if (++locks > locked_from) {
        errno = EWOULDBLOCK;
        return -1;
    }
    return flsi_os_calls_system()->flock(fd, operation);
}

static void test_a_writer_that_comes(void **state)
{
    (void)state;
    hand_journal journal;
    make(&journal);
    files_write(files_join(journal.path, "LOCK"), "", 0);
    const char *name = hand_name(&journal, FLSI_NAME_SEGMENT);
    hand_append_file(name, "\7\0\0\0half", 8, files_size(name));
    expect(&journal, 1, "00000000000000000005.fls", "the segment ends within a frame");
    calls.flock = lock_of_another;
    for (locked_from = 0; locked_from < 2; locked_from++) {
        locks = 0;
        expect(&journal, 0, NULL, NULL);
        assert_int_equal(locks, locked_from + 1);
    }
    hand_close(&journal);
}

/* A failing read is no fault of the journal, and is told as it is. */
static unsigned reads;
static unsigned fail_at;

static ssize_t failing_pread(int fd, void *buffer, size_t capacity, off_t offset)
{
    if (++reads == fail_at) {
        errno = EIO;
        return -1;
    }
    return flsi_os_calls_system()->pread(fd, buffer, capacity, offset);
}

static void test_reads_that_fail(void **state)
{
    (void)state;
    hand_journal journal;
    unsigned refused = 0;
    make(&journal);
    calls.pread = failing_pread;
    fail_at = 0;
    do {
        fault_log log = {.most = 0};
        fail_at++;
        reads = 0;
        fls_status status = check(&journal, &log);
        if (status != FLS_OK) {
            assert_status(status, FLS_IO, &err);
            assert_int_equal(err.status, FLS_IO);
            assert_int_equal(err.system_errno, EIO);
            refused++;
        }
    } while (reads >= fail_at);
    assert_true(refused > 4);
    hand_close(&journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_marks_of_another_journal),
        cmocka_unit_test(test_ended_by_any_status),
        cmocka_unit_test(test_the_last_durable_frame),
        cmocka_unit_test(test_names_that_are_not_the_journals),
        cmocka_unit_test(test_a_writer_that_comes),
        cmocka_unit_test(test_reads_that_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
