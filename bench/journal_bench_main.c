/* flatstream-bench-journal: the journal against the plain writer, against bare system calls on the
 * same file system, and against RocksDB's write-ahead log and SQLite. docs/BENCHMARKS.md says how
 * to read it.
 */
#include "journal_bench.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATHS = 16, PATH_BYTES = 512, OPEN_DIRECTORIES = 16 };

static char paths[PATHS][PATH_BYTES];
static unsigned path_count;

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    (void)remove(path);
    return 0;
}

void journal_remove(const char *path)
{
    (void)nftw(path, remove_entry, OPEN_DIRECTORIES, FTW_DEPTH | FTW_PHYS);
}

static void remove_all(void)
{
    for (unsigned i = 0; i < path_count; i++) {
        journal_remove(paths[i]);
    }
}

const char *journal_path(const char *name)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/flatstream-bench.%ld.%s", bench_given()->directory,
                   (long)getpid(), name);
    for (unsigned i = 0; i < path_count; i++) {
        if (strcmp(paths[i], path) == 0) {
            return paths[i];
        }
    }
    if (path_count == PATHS) {
        bench_fail("too many paths");
    }
    if (path_count == 0) {
        (void)atexit(remove_all);
    }
    memcpy(paths[path_count], path, sizeof path);
    return paths[path_count++];
}

fls_journal *journal_open(const char *path, const fls_journal_options *options)
{
    fls_error err = FLS_ERROR_INIT;
    fls_journal *journal;
    bench_must(fls_journal_open(&journal, path, options, NULL, &err), &err, "fls_journal_open");
    return journal;
}

void journal_append(fls_journal *journal, const bench_pool *pool, size_t messages)
{
    fls_error err = FLS_ERROR_INIT;
    for (size_t i = 0; i < messages; i++) {
        size_t size = bench_opaque(pool->payload_bytes);
        const uint8_t *payload = pool->bytes + i % pool->count * pool->payload_bytes;
        fls_status status = fls_journal_append(journal, payload, size, NULL, &err);
        if (status != FLS_OK) {
            bench_must(status, &err, "fls_journal_append");
        }
    }
}

void journal_append_batches(fls_journal *journal, const bench_pool *pool, size_t messages)
{
    fls_journal_entry entries[BATCH];
    fls_error err = FLS_ERROR_INIT;
    memset(entries, 0, sizeof entries);
    for (size_t done = 0; done < messages;) {
        size_t count = messages - done < BATCH ? messages - done : BATCH;
        for (size_t i = 0; i < count; i++) {
            entries[i].payload = pool->bytes + (done + i) % pool->count * pool->payload_bytes;
            entries[i].size = bench_opaque(pool->payload_bytes);
        }
        fls_status status = fls_journal_append_batch(journal, entries, count, NULL, NULL, &err);
        if (status != FLS_OK) {
            bench_must(status, &err, "fls_journal_append_batch");
        }
        done += count;
    }
}

/* Several threads work in most tables, so nothing is pinned unless it is asked for. */
int main(int argc, char **argv)
{
    static char cpu_option[] = "--cpu";
    static char no_cpu[] = "-1";
    char **arguments = calloc((size_t)argc + 3, sizeof *arguments);
    if (arguments == NULL) {
        return 1;
    }
    arguments[0] = argv[0];
    arguments[1] = cpu_option;
    arguments[2] = no_cpu;
    memcpy(arguments + 3, argv + 1, (size_t)argc * sizeof *arguments);
    bench_start("flatstream-bench-journal", argc + 2, arguments);
    bench_journal_append();
    bench_journal_interval();
    bench_journal_group();
    bench_journal_peers();
    bench_journal_large();
    bench_journal_follow();
    bench_recorder();
    free(arguments);
    return bench_finish();
}
