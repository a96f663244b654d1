/* Threads of a journal on a disk that loses power; see crash_threads.h. */
#include "crash_threads.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>

#include "crash_model.h"
#include "journal/journal_reader_private.h"
#include "journal/journal_recovery.h"
#include "support/testing.h"

#define THREADS 4u
#define EACH    40u /* messages */

typedef struct threads_run threads_run;

typedef struct crash_thread {
    threads_run *run;
    unsigned number;
    pthread_t thread;
    _Atomic uint64_t acknowledged; /* messages that it knows to be durable */
    int failed;
} crash_thread;

struct threads_run {
    fls_journal *journal;
    crash_disk *disk;
    crash_tally *tally;
    crash_thread threads[THREADS];
    uint64_t seed;
    unsigned stride;
    unsigned sync;
    prng random; /* of the points, under the disk's lock */
};

/* One at a time, and who is within a crash comes in again. */
static pthread_mutex_t disk_lock;

/* ---- the disk's calls, one at a time ---- */

#define LOCKED(result, name, parameters, arguments)        \
    static result locked_##name parameters                 \
    {                                                      \
        (void)pthread_mutex_lock(&disk_lock);              \
        result value = crash_disk_calls()->name arguments; \
        int why = errno;                                   \
        (void)pthread_mutex_unlock(&disk_lock);            \
        errno = why;                                       \
        return value;                                      \
    }

LOCKED(int, openat, (int at, const char *path, int flags, mode_t mode), (at, path, flags, mode))
LOCKED(int, dup_cloexec, (int fd), (fd))
LOCKED(int, close, (int fd), (fd))
LOCKED(int, fstat, (int fd, struct stat *status), (fd, status))
LOCKED(int, lstat, (const char *path, struct stat *status), (path, status))
LOCKED(int, stat, (const char *path, struct stat *status), (path, status))
LOCKED(off_t, lseek, (int fd, off_t offset, int whence), (fd, offset, whence))
LOCKED(ssize_t, read, (int fd, void *to, size_t size), (fd, to, size))
LOCKED(ssize_t, pread, (int fd, void *to, size_t size, off_t at), (fd, to, size, at))
LOCKED(ssize_t, write, (int fd, const void *from, size_t size), (fd, from, size))
LOCKED(ssize_t, writev, (int fd, const struct iovec *pieces, int count), (fd, pieces, count))
LOCKED(ssize_t, pwrite, (int fd, const void *from, size_t size, off_t at), (fd, from, size, at))
LOCKED(ssize_t, pwritev, (int fd, const struct iovec *pieces, int count, off_t at),
       (fd, pieces, count, at))
LOCKED(int, ftruncate, (int fd, off_t size), (fd, size))
LOCKED(int, sync_data, (int fd), (fd))
LOCKED(int, sync_directory, (int fd), (fd))
LOCKED(int, flock, (int fd, int how), (fd, how))
LOCKED(int, renameat, (int from_at, const char *from, int to_at, const char *to),
       (from_at, from, to_at, to))
LOCKED(int, rename_new, (int from_at, const char *from, int to_at, const char *to),
       (from_at, from, to_at, to))
LOCKED(int, unlinkat, (int at, const char *path, int flags), (at, path, flags))
LOCKED(int, mkdirat, (int at, const char *path, mode_t mode), (at, path, mode))
LOCKED(int, fstatat, (int at, const char *path, struct stat *status, int flags),
       (at, path, status, flags))
LOCKED(int, list, (int fd, int (*seen)(void *self, const char *name), void *self), (fd, seen, self))

static const flsi_os_calls *locked_calls(void)
{
    static flsi_os_calls table;
    table = *crash_disk_calls();
    table.openat = locked_openat;
    table.dup_cloexec = locked_dup_cloexec;
    table.close = locked_close;
    table.fstat = locked_fstat;
    table.lstat = locked_lstat;
    table.stat = locked_stat;
    table.lseek = locked_lseek;
    table.read = locked_read;
    table.pread = locked_pread;
    table.write = locked_write;
    table.writev = locked_writev;
    table.pwrite = locked_pwrite;
    table.pwritev = locked_pwritev;
    table.ftruncate = locked_ftruncate;
    table.sync_data = locked_sync_data;
    table.sync_directory = locked_sync_directory;
    table.flock = locked_flock;
    table.renameat = locked_renameat;
    table.rename_new = locked_rename_new;
    table.unlinkat = locked_unlinkat;
    table.mkdirat = locked_mkdirat;
    table.fstatat = locked_fstatat;
    table.list = locked_list;
    return &table;
}

/* ---- what is left ---- */

static uint64_t serial_of(unsigned thread, uint64_t count)
{
    return (uint64_t)thread << 32 | count;
}

static void tell(threads_run *run, uint64_t *count, const char *text, uint64_t number)
{
    if (crash_tally_faults(run->tally) < 4) {
        print_error("threads, seed %" PRIu64 ", sync %u: %s, %" PRIu64 "\n", run->seed, run->sync,
                    text, number);
    }
    ++*count;
}

/* All messages by way of a reader, held against what each thread knows. */
static void check_messages(threads_run *run, const uint64_t known[THREADS])
{
    uint64_t next[THREADS] = {0};
    fls_journal_reader *reader;
    fls_error err = FLS_ERROR_INIT;
    fls_message message;
    fls_status status =
        flsi_journal_reader_open(&reader, CRASH_PATH, NULL, crash_disk_calls(), &err);
    if (status != FLS_OK) {
        tell(run, &run->tally->other, "a reader's opening failed", (uint64_t)status);
        return;
    }
    while ((status = fls_journal_reader_next(reader, &message, &err)) == FLS_OK) {
        uint8_t wanted[CRASH_PAYLOAD_MOST];
        uint64_t serial = 0;
        memcpy(&serial, message.payload, message.size < 8 ? message.size : 8);
        unsigned thread = (unsigned)(serial >> 32);
        run->tally->checked++;
        if (thread >= THREADS || crash_payload(serial, wanted) != message.size ||
            memcmp(wanted, message.payload, message.size) != 0 ||
            serial != serial_of(thread, next[thread])) {
            tell(run, &run->tally->invented, "another message is there", message.ordinal);
            break;
        }
        next[thread]++;
    }
    for (unsigned i = 0; i < THREADS && status == FLS_END; i++) {
        if (next[i] < known[i]) {
            tell(run, &run->tally->lost, "a message is missing", known[i]);
        }
    }
    if (status != FLS_END && status != FLS_OK) {
        tell(run, &run->tally->other, "reading failed", (uint64_t)status);
    }
    fls_journal_reader_close(reader);
}

static void try_after(threads_run *run, crash_disk *after, const uint64_t known[THREADS])
{
    fls_journal *journal;
    fls_error err = FLS_ERROR_INIT;
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    crash_disk *before = crash_disk_use(after);
    options.polled = 1;
    run->tally->crashes++;
    fls_status status =
        flsi_journal_open(&journal, CRASH_PATH, &options, crash_disk_calls(), NULL, &err);
    if (status != FLS_OK) {
        tell(run, &run->tally->refused, "opening after a crash failed", (uint64_t)status);
    } else {
        check_messages(run, known);
        fls_journal_abandon(journal);
    }
    if (crash_disk_open_files(after) != 0) {
        tell(run, &run->tally->other, "files were left open", crash_disk_open_files(after));
    }
    (void)crash_disk_use(before);
}

/* With the disk's lock: what a thread knows now was so before the power went. */
static void at_point(void *self, crash_disk *disk)
{
    threads_run *run = self;
    uint64_t known[THREADS];
    if (run->stride > 1 && prng_below(&run->random, run->stride) != 0) {
        return;
    }
    for (unsigned i = 0; i < THREADS; i++) {
        known[i] = atomic_load(&run->threads[i].acknowledged);
    }
    run->tally->points++;
    for (unsigned i = 0; i < 2; i++) {
        crash_kind kind = (crash_kind)prng_below(&run->random, CRASH_KINDS);
        crash_disk *after = crash_disk_crash(disk, kind, prng_next(&run->random));
        try_after(run, after, known);
        crash_disk_free(after);
    }
}

/* ---- the threads ---- */

static void *append_all(void *self)
{
    crash_thread *me = self;
    fls_journal *journal = me->run->journal;
    prng random = prng_seeded(me->run->seed * THREADS + me->number);
    for (uint64_t i = 0; i < EACH && !me->failed; i++) {
        uint8_t payload[CRASH_PAYLOAD_MOST];
        uint64_t ordinal;
        size_t size = crash_payload(serial_of(me->number, i), payload);
        me->failed = fls_journal_append(journal, payload, size, &ordinal, NULL) != FLS_OK;
        if (!me->failed && prng_below(&random, 3) == 0) {
            me->failed = fls_journal_wait_durable(journal, ordinal, NULL) != FLS_OK;
        }
        if (!me->failed && fls_journal_durable(journal) > ordinal) {
            atomic_store(&me->acknowledged, i + 1);
        }
    }
    return NULL;
}

static void run_threads(threads_run *run)
{
    for (unsigned i = 0; i < THREADS; i++) {
        run->threads[i].run = run;
        run->threads[i].number = i;
        assert_int_equal(
            pthread_create(&run->threads[i].thread, NULL, append_all, &run->threads[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(run->threads[i].thread, NULL), 0);
        run->tally->acknowledged += run->threads[i].acknowledged;
        if (run->threads[i].failed) {
            tell(run, &run->tally->other, "a thread's call failed", i);
        }
    }
}

void crash_threads_run(uint64_t seed, unsigned sync, unsigned stride, crash_tally *tally)
{
    static threads_run run;
    fls_error err = FLS_ERROR_INIT;
    pthread_mutexattr_t recursive;
    fls_journal_options options = FLS_JOURNAL_OPTIONS_INIT;
    memset(&run, 0, sizeof run);
    run.tally = tally;
    options.segment_bytes = 65536; /* more than a run has; a redo log of 8 KiB */
    run.seed = seed;
    run.sync = sync;
    run.stride = stride;
    run.random = prng_seeded(seed);
    assert_int_equal(pthread_mutexattr_init(&recursive), 0);
    assert_int_equal(pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE), 0);
    assert_int_equal(pthread_mutex_init(&disk_lock, &recursive), 0);
    (void)pthread_mutexattr_destroy(&recursive);
    run.disk = crash_disk_new(seed);
    (void)crash_disk_use(run.disk);
    options.sync = (fls_journal_sync)sync;
    options.sync_interval_ns = 200000;
    options.sync_messages = 5;
    options.sync_bytes = 2000;
    options.segment_messages = 50;
    assert_status(flsi_journal_open(&run.journal, CRASH_PATH, &options, locked_calls(), NULL, &err),
                  FLS_OK, &err);
    crash_faults *faults = crash_disk_faults(run.disk);
    (void)pthread_mutex_lock(&disk_lock);
    faults->point = at_point;
    faults->point_self = &run;
    faults->writeback = 24;
    (void)pthread_mutex_unlock(&disk_lock);
    run_threads(&run);
    assert_status(fls_journal_close(run.journal, &err), FLS_OK, &err);
    faults->point = NULL;
    for (unsigned i = 0; i < THREADS; i++) {
        atomic_store(&run.threads[i].acknowledged, EACH);
    }
    run.stride = 0;
    at_point(&run, run.disk);
    (void)crash_disk_use(NULL);
    crash_disk_free(run.disk);
    (void)pthread_mutex_destroy(&disk_lock);
}
