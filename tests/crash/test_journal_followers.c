/* Readers beside a real writer: in the same process and in another one, through rotation, retention
 * and restarts. What happens when is left to the machine; what is read is not. */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flatstream/journal.h"
#include "flatstream/journal_reader.h"
#include "support/files.h"
#include "support/testing.h"

#define MESSAGES  20000u
#define RESTARTS  5u
#define MOST_SIZE 200u

static size_t payload_of(uint64_t ordinal, uint8_t payload[MOST_SIZE])
{
    size_t size = 8 + (size_t)(ordinal * 31 % (MOST_SIZE - 8));
    for (size_t i = 0; i < size; i++) {
        payload[i] = (uint8_t)(i < 8 ? ordinal >> (8 * i) : ordinal * 3 + i);
    }
    return size;
}

typedef struct writer_run {
    const char *path;
    uint64_t retain_segments;
    int abandons; /* restarts are crashes */
    int failed;   /* a line */
} writer_run;

#define MUST(expression)                                        \
    do {                                                        \
        if ((expression) != FLS_OK) {                           \
            run->failed = run->failed ? run->failed : __LINE__; \
        }                                                       \
    } while (0)

/* Appends ordinals from..to, alone and in batches; messages are not told apart from what an earlier
 * run had appended under the same ordinal. */
static void write_some(writer_run *run, uint64_t to, int last)
{
    fls_journal *journal;
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    options.sync_interval_ns = 1000000;
    options.linger_ns = 200000;
    options.segment_bytes = 64 * 1024;
    options.retain_segments = run->retain_segments;
    MUST(fls_journal_open(&journal, run->path, &options, NULL, NULL));
    if (run->failed) {
        return;
    }
    uint64_t next = fls_journal_next_ordinal(journal);
    while (next < to && !run->failed) {
        uint8_t payloads[8][MOST_SIZE];
        fls_journal_entry entries[8];
        size_t count = 1 + next % 8 < to - next ? 1 + next % 8 : to - next;
        for (size_t i = 0; i < count; i++) {
            entries[i] = (fls_journal_entry){payloads[i], payload_of(next + i, payloads[i]), 0};
        }
        MUST(fls_journal_append_batch(journal, entries, count, NULL, NULL, NULL));
        next += count;
        if (next % 1000 == 0) {
            MUST(fls_journal_wait_durable(journal, next - 1, NULL));
        }
    }
    if (!last && run->abandons) {
        fls_journal_abandon(journal);
    } else {
        MUST(fls_journal_close(journal, NULL));
    }
}

static void *write_all(void *self)
{
    writer_run *run = self;
    for (uint64_t i = 1; i <= RESTARTS && !run->failed; i++) {
        write_some(run, MESSAGES / RESTARTS * i, i == RESTARTS);
    }
    return NULL;
}

typedef struct seen_events {
    uint64_t retired;
    uint64_t epochs;
    uint64_t others;
} seen_events;

static void see_event(void *self, const fls_journal_event *event)
{
    seen_events *seen = self;
    if (event->kind == FLS_JOURNAL_EVENT_RETIRED) {
        seen->retired += event->messages;
    } else if (event->kind == FLS_JOURNAL_EVENT_EPOCH) {
        seen->epochs++;
    } else if (event->kind != FLS_JOURNAL_EVENT_CLOCK) {
        seen->others++;
    }
}

static fls_journal_reader *open_follower(const char *path, fls_journal_visibility visible,
                                         seen_events *seen)
{
    fls_journal_reader *reader;
    fls_error err = FLS_ERROR_INIT;
    const fls_journal_reader_options options = {.struct_bytes = sizeof options,
                                                .visibility = visible,
                                                .follow = 1,
                                                .event = see_event,
                                                .event_self = seen};
    assert_status(fls_journal_reader_open(&reader, path, &options, &err), FLS_OK, &err);
    return reader;
}

/* Follows to the end: every message once, in order, but for those that retention took. */
static void follow_all(fls_journal_reader *reader, seen_events *seen)
{
    fls_error err = FLS_ERROR_INIT;
    fls_message messages[32];
    uint64_t next = 0;
    uint64_t read = 0;
    uint64_t time_ns = 0;
    while (next < MESSAGES) {
        size_t count;
        fls_status status = fls_journal_reader_next_batch(reader, messages, 32, &count, &err);
        if (status == FLS_WOULD_BLOCK) {
            assert_status(fls_journal_reader_wait(reader, UINT64_MAX, &err), FLS_OK, &err);
            continue;
        }
        assert_status(status, FLS_OK, &err);
        for (size_t i = 0; i < count; i++) {
            uint8_t payload[MOST_SIZE];
            assert_true(messages[i].ordinal >= next);
            next = messages[i].ordinal + 1;
            assert_int_equal(messages[i].size, payload_of(messages[i].ordinal, payload));
            assert_memory_equal(messages[i].payload, payload, messages[i].size);
            assert_true(messages[i].time_ns >= time_ns);
            time_ns = messages[i].time_ns;
        }
        read += count;
    }
    assert_int_equal(read + seen->retired, MESSAGES);
    assert_int_equal(seen->others, 0);
}

static void begin_journal(char *directory, size_t capacity, char *path, size_t path_bytes)
{
    fls_journal *journal;
    fls_error err = FLS_ERROR_INIT;
    files_make_directory(directory, capacity);
    (void)snprintf(path, path_bytes, "%s/journal", directory);
    assert_status(fls_journal_open(&journal, path, NULL, NULL, &err), FLS_OK, &err);
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
}

static void beside_a_thread(fls_journal_visibility visible, uint64_t retain_segments)
{
    char directory[256];
    char path[300];
    seen_events seen = {0, 0, 0};
    pthread_t thread;
    begin_journal(directory, sizeof directory, path, sizeof path);
    writer_run run = {path, retain_segments, 0, 0};
    fls_journal_reader *reader = open_follower(path, visible, &seen);
    assert_int_equal(pthread_create(&thread, NULL, write_all, &run), 0);
    follow_all(reader, &seen);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(run.failed, 0);
    if (retain_segments == 0) {
        assert_int_equal(seen.retired, 0);
    }
    fls_journal_reader_close(reader);
    files_remove_directory(directory);
}

static void beside_a_process(fls_journal_visibility visible, uint64_t retain_segments, int abandons)
{
    char directory[256];
    char path[300];
    seen_events seen = {0, 0, 0};
    int how;
    begin_journal(directory, sizeof directory, path, sizeof path);
    writer_run run = {path, retain_segments, abandons, 0};
    fls_journal_reader *reader = open_follower(path, visible, &seen);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)write_all(&run);
        _exit(run.failed != 0);
    }
    follow_all(reader, &seen);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
    fls_journal_reader_close(reader);
    files_remove_directory(directory);
}

static void test_thread_durable(void **state)
{
    (void)state;
    beside_a_thread(FLS_JOURNAL_DURABLE, 0);
}

static void test_thread_written(void **state)
{
    (void)state;
    beside_a_thread(FLS_JOURNAL_WRITTEN, 0);
}

static void test_thread_retention(void **state)
{
    (void)state;
    beside_a_thread(FLS_JOURNAL_WRITTEN, 2);
    beside_a_thread(FLS_JOURNAL_DURABLE, 2);
}

static void test_process(void **state)
{
    (void)state;
    beside_a_process(FLS_JOURNAL_WRITTEN, 3, 0);
    beside_a_process(FLS_JOURNAL_DURABLE, 0, 0);
}

/* What a writer that died had not written is written by the next one, since it goes on from what it
 * finds; what the reader was shown stays. */
static void test_process_that_dies(void **state)
{
    (void)state;
    beside_a_process(FLS_JOURNAL_DURABLE, 0, 1);
    beside_a_process(FLS_JOURNAL_WRITTEN, 0, 1);
    beside_a_process(FLS_JOURNAL_WRITTEN, 2, 1);
}

static void test_cursors(void **state)
{
    char directory[256];
    char path[300];
    seen_events seen = {0, 0, 0};
    fls_error err = FLS_ERROR_INIT;
    fls_message message;
    (void)state;
    begin_journal(directory, sizeof directory, path, sizeof path);
    writer_run run = {path, 0, 0, 0};
    write_some(&run, 3000, 1);
    assert_int_equal(run.failed, 0);
    fls_journal_reader *reader = open_follower(path, FLS_JOURNAL_DURABLE, &seen);
    assert_status(fls_journal_reader_load(reader, "none", &err), FLS_END, &err);
    assert_status(fls_journal_reader_seek_ordinal(reader, 1234, &err), FLS_OK, &err);
    assert_status(fls_journal_reader_save(reader, "consumer", &err), FLS_OK, &err);
    fls_journal_reader_close(reader);
    reader = open_follower(path, FLS_JOURNAL_DURABLE, &seen);
    assert_status(fls_journal_reader_load(reader, "consumer", &err), FLS_OK, &err);
    assert_status(fls_journal_reader_next(reader, &message, &err), FLS_OK, &err);
    assert_int_equal(message.ordinal, 1234);
    fls_journal_reader_close(reader);
    reader = open_follower(path, FLS_JOURNAL_WRITTEN, &seen);
    assert_status(fls_journal_reader_save(reader, "consumer", &err), FLS_INVALID_ARGUMENT, &err);
    fls_journal_reader_close(reader);
    files_remove_directory(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thread_durable),    cmocka_unit_test(test_thread_written),
        cmocka_unit_test(test_thread_retention),  cmocka_unit_test(test_process),
        cmocka_unit_test(test_process_that_dies), cmocka_unit_test(test_cursors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
