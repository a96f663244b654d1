/* What the tables of flatstream-bench-journal share. */
#ifndef FLS_BENCH_JOURNAL_BENCH_H
#define FLS_BENCH_JOURNAL_BENCH_H

#include "flatstream/journal.h"
#include "flatstream/journal_reader.h"
#include "flatstream/writer.h"
#include "harness.h"
#include "latency.h"
#include "workload.h"

#define KIB        ((size_t)1024)
#define MIB        (1024 * KIB)
#define POOL_BYTES (64 * KIB)

enum { BATCH = 64 };

/* DIR/flatstream-bench.PID.NAME, a directory or the beginning of files' names, that is not there;
 * in a buffer that lasts. Removed at exit, also when the program fails. */
const char *journal_path(const char *name);
/* Removes a file or a directory with all that is in it. */
void journal_remove(const char *path);

/* Opens it; what fails ends the program. */
fls_journal *journal_open(const char *path, const fls_journal_options *options);
void journal_append(fls_journal *journal, const bench_pool *pool, size_t messages);
/* The same, BATCH at a time. */
void journal_append_batches(fls_journal *journal, const bench_pool *pool, size_t messages);

/* The tables. */
void bench_journal_append(void);
void bench_journal_interval(void);
void bench_journal_group(void);
void bench_journal_peers(void);
void bench_journal_large(void);
void bench_journal_follow(void);
void bench_recorder(void); /* the last: it pins the thread */

#endif
