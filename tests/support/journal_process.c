/* A process that appends to a journal; see journal_process.h. */
#include "support/journal_process.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flatstream/journal.h"
#include "flatstream/journal_reader.h"
#include "support/prng.h"
#include "support/testing.h"

#define PAYLOAD_MOST 4096u

static size_t payload_of(uint64_t ordinal, uint8_t payload[PAYLOAD_MOST])
{
    prng random = prng_seeded(ordinal + 17);
    size_t size = 8 + (size_t)prng_below(&random, ordinal % 32 == 3 ? 4000 : 200);
    prng_fill(&random, payload, size);
    memcpy(payload, &ordinal, sizeof ordinal);
    return size;
}

journal_told *journal_told_new(void)
{
    void *memory =
        mmap(NULL, sizeof(journal_told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    return memory;
}

static void tell(journal_told *told, const fls_journal *journal)
{
    atomic_store(&told->durable, fls_journal_durable(journal));
    atomic_store(&told->written, fls_journal_written(journal));
}

static void append_until_killed(journal_told *told, const char *path, uint64_t seed)
{
    static const fls_journal_sync rules[] = {FLS_JOURNAL_SYNC_INTERVAL, FLS_JOURNAL_SYNC_ALWAYS,
                                             FLS_JOURNAL_SYNC_EVERY, FLS_JOURNAL_SYNC_BYTES,
                                             FLS_JOURNAL_SYNC_NONE};
    fls_journal *journal;
    uint8_t payload[PAYLOAD_MOST];
    prng random = prng_seeded(seed);
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    options.sync = rules[seed % 5];
    options.sync_interval_ns = 2000000;
    options.sync_messages = 1 + prng_below(&random, 50);
    options.sync_bytes = 5000;
    options.segment_bytes = 20000 + prng_below(&random, 400000);
    options.write_through = (uint32_t)prng_below(&random, 2);
    if (fls_journal_open(&journal, path, &options, NULL, NULL) != FLS_OK) {
        _exit(3);
    }
    for (;;) {
        uint64_t ordinal = fls_journal_next_ordinal(journal);
        size_t size = payload_of(ordinal, payload);
        fls_status status = fls_journal_append(journal, payload, size, &ordinal, NULL);
        tell(told, journal);
        if (status != FLS_OK) {
            atomic_store(&told->failed, 1);
            (void)pause();
        }
        atomic_store(&told->appended, ordinal + 1);
    }
}

pid_t journal_process_start(journal_told *told, const char *path, uint64_t seed,
                            uint64_t first_ordinal)
{
    atomic_store(&told->durable, first_ordinal);
    atomic_store(&told->written, first_ordinal);
    atomic_store(&told->appended, first_ordinal);
    atomic_store(&told->failed, 0);
    (void)fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit none = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &none);
        append_until_killed(told, path, seed);
    }
    return child;
}

void journal_process_kill(pid_t child)
{
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

/* Every message is the one that was appended; returns how many there are. */
static uint64_t check_messages(const char *path)
{
    fls_journal_reader *reader;
    fls_error err = FLS_ERROR_INIT;
    fls_message message;
    uint8_t wanted[PAYLOAD_MOST];
    uint64_t count = 0;
    fls_journal_reader_options options = FLS_JOURNAL_READER_OPTIONS_INIT;
    options.visibility = FLS_JOURNAL_WRITTEN;
    assert_status(fls_journal_reader_open(&reader, path, &options, &err), FLS_OK, &err);
    fls_status status;
    while ((status = fls_journal_reader_next(reader, &message, &err)) == FLS_OK) {
        assert_int_equal(message.ordinal, count);
        assert_int_equal(message.size, payload_of(count, wanted));
        assert_memory_equal(message.payload, wanted, message.size);
        count++;
    }
    assert_status(status, FLS_END, &err);
    fls_journal_reader_close(reader);
    return count;
}

uint64_t journal_process_recover(const char *path, uint64_t at_least, uint64_t *cut)
{
    fls_journal *journal;
    fls_error err = FLS_ERROR_INIT;
    fls_journal_report report = FLS_JOURNAL_REPORT_INIT;
    assert_status(fls_journal_open(&journal, path, NULL, &report, &err), FLS_OK, &err);
    *cut += report.cut_bytes != 0;
    assert_true(report.messages >= at_least);
    assert_status(fls_journal_close(journal, &err), FLS_OK, &err);
    assert_int_equal(check_messages(path), report.messages);
    return report.messages;
}
